package cache

import (
	"net/http"
	"strconv"
	"strings"
	"time"
)

// control are the directives of Cache-Control (RFC 9111 section 5.2.2) that matter to
// a private cache.
type control struct {
	noStore, noCache, public bool
	maxAge                   time.Duration
	hasMaxAge                bool
}

// parseControl reads them. What is malformed takes the meaning that stores less.
func parseControl(h http.Header) control {
	var c control
	fields := strings.Join(h.Values("Cache-Control"), ",")
	if fields == "" && strings.Contains(strings.ToLower(h.Get("Pragma")), "no-cache") {
		c.noCache = true // section 5.4
	}
	for fields != "" {
		var directive string
		directive, fields = cut(fields)
		name, value, _ := strings.Cut(directive, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "no-store":
			c.noStore = true
		case "no-cache": // also for single fields, of which nobody here keeps account
			c.noCache = true
		case "public":
			c.public = true
		case "max-age":
			age, ok := seconds(strings.Trim(strings.TrimSpace(value), `"`))
			if !ok {
				age = 0
			}
			if !c.hasMaxAge || age < c.maxAge {
				c.maxAge = age
			}
			c.hasMaxAge = true
		}
	}
	return c
}

// cut takes the first element of a list whose values may be quoted.
func cut(list string) (first, rest string) {
	quoted := false
	for i := 0; i < len(list); i++ {
		switch {
		case list[i] == '\\' && quoted:
			i++
		case list[i] == '"':
			quoted = !quoted
		case list[i] == ',' && !quoted:
			return list[:i], list[i+1:]
		}
	}
	return list, ""
}

// mostSeconds bounds times that servers name: RFC 9111 section 1.2.2.
const mostSeconds = 1<<31 - 1

// seconds reads delta-seconds.
func seconds(text string) (time.Duration, bool) {
	text = strings.TrimSpace(text)
	if text == "" || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n > mostSeconds {
		n = mostSeconds
	}
	return time.Duration(n) * time.Second, true
}

// lifetime is how long an answer is fresh by its own words (section 4.2.1).
func lifetime(h http.Header, c control, received time.Time) time.Duration {
	if c.hasMaxAge {
		return c.maxAge
	}
	expires := h.Values("Expires")
	if len(expires) == 0 {
		return 0
	}
	until, err := http.ParseTime(expires[0])
	if err != nil { // such as 0: it has ended
		return 0
	}
	return max(0, until.Sub(dateOf(h, received)))
}

func dateOf(h http.Header, received time.Time) time.Time {
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		return date
	}
	return received
}

// age is how old an answer was when it was received (section 4.2.3).
func age(h http.Header, asked, received time.Time) time.Duration {
	apparent := max(0, received.Sub(dateOf(h, received)))
	stated, _ := seconds(h.Get("Age"))
	return max(apparent, stated+max(0, received.Sub(asked)))
}

// storable reports whether an answer may be stored (section 3), and would be of use.
func storable(status int, h http.Header, private bool) bool {
	c := parseControl(h)
	switch {
	case c.noStore, private && !c.public, strings.Contains(strings.Join(h.Values("Vary"), ","), "*"):
		return false
	}
	switch status {
	case 200, 203, 301, 302, 307, 308, 404, 410:
	default:
		return false
	}
	validator := status == 200 && (h.Get("Etag") != "" || h.Get("Last-Modified") != "")
	return validator || !c.noCache && (c.hasMaxAge || len(h.Values("Expires")) > 0)
}

// varied are the values of request fields that an answer depends on.
func varied(answer, request http.Header) map[string]string {
	var out map[string]string
	for _, name := range strings.Split(strings.Join(answer.Values("Vary"), ","), ",") {
		if name = http.CanonicalHeaderKey(strings.TrimSpace(name)); name == "" {
			continue
		}
		if out == nil {
			out = map[string]string{}
		}
		out[name] = strings.Join(request.Values(name), ", ")
	}
	return out
}

// matches reports whether a caller's conditions are met by what is stored (RFC 9110
// section 13.1): it has this already.
func matches(request, stored http.Header) bool {
	if list := request.Get("If-None-Match"); list != "" {
		tag := strings.TrimPrefix(stored.Get("Etag"), "W/")
		if strings.TrimSpace(list) == "*" {
			return true
		}
		for list != "" {
			var one string
			one, list = cut(list)
			if tag != "" && strings.TrimPrefix(strings.TrimSpace(one), "W/") == tag {
				return true
			}
		}
		return false
	}
	since, err := http.ParseTime(request.Get("If-Modified-Since"))
	modified, wrong := http.ParseTime(stored.Get("Last-Modified"))
	return err == nil && wrong == nil && !modified.After(since)
}

// merged are the fields of a stored answer renewed by a 304 (section 3.2).
func merged(stored, renewed http.Header) http.Header {
	out := stored.Clone()
	for name, values := range renewed {
		switch name {
		case "Content-Length", "Content-Encoding", "Content-Type", "Content-Range", "Transfer-Encoding", "Connection", "Set-Cookie":
			continue
		}
		if !strings.HasPrefix(name, ":") {
			out[name] = values
		}
	}
	if len(renewed.Values("Age")) == 0 {
		out.Del("Age")
	}
	return out
}
