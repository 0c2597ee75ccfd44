package fetch

import (
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// refreshWithin is the longest delay, in seconds, at which a refresh is still
// a way of redirecting rather than of showing news.
const refreshWithin = 10

// location finds where a response sends its reader, absolute: the target of a
// redirect, or of a prompt refresh of an HTML page to another address. It is
// zero when there is none that can be followed.
func location(u urls.URL, resp *crawler.Response) urls.URL {
	switch resp.Status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return target(u, resp.Header.Get("Location"))
	}
	if resp.Status < 200 || resp.Status > 299 || !isHTML(resp.MediaType) {
		return urls.URL{}
	}
	base, content := u, resp.Header.Get("Refresh")
	if content == "" {
		var href string
		if content, href = metaRefresh(resp.Body); href != "" {
			base = urls.BaseOf(u, href)
		}
	}
	to := target(base, refreshTarget(content))
	if to.IsZero() || to.Fetch() == u.Fetch() {
		return urls.URL{} // a page that reloads itself is a page
	}
	return to
}

// target resolves a reference that a server or a page gave.
func target(base urls.URL, ref string) urls.URL {
	for i := range len(ref) {
		if ref[i] < ' ' || ref[i] == 0x7f {
			return urls.URL{}
		}
	}
	ref = strings.TrimSpace(ref)
	if ref == "" {
		return urls.URL{}
	}
	to, err := base.Resolve(escapeRaw(ref))
	if err != nil || !to.IsHTTP() {
		return urls.URL{}
	}
	return to
}

// escapeRaw keeps the bytes of a reference in no known encoding as they are.
func escapeRaw(ref string) string {
	if utf8.ValidString(ref) {
		return ref
	}
	var b strings.Builder
	for i := range len(ref) {
		if ref[i] < utf8.RuneSelf {
			b.WriteByte(ref[i])
		} else {
			fmt.Fprintf(&b, "%%%02X", ref[i])
		}
	}
	return b.String()
}

// refreshTarget reads "5; url=there" as HTML section 4.2.5.3 does, and gives
// the URL of one that is due in time.
func refreshTarget(content string) string {
	const space = " \t\r\n\f"
	s := strings.TrimLeft(content, space)
	digits := len(s) - len(strings.TrimLeft(s, "0123456789"))
	seconds := 0
	for _, d := range s[:digits] {
		seconds = min(10*seconds+int(d-'0'), refreshWithin+1)
	}
	if digits == 0 && !strings.HasPrefix(s, ".") || seconds > refreshWithin {
		return ""
	}
	s = strings.TrimLeft(s, "0123456789.")
	rest := strings.TrimLeft(s, space)
	if rest == "" || rest == s && rest[0] != ';' && rest[0] != ',' {
		return ""
	}
	if rest[0] == ';' || rest[0] == ',' {
		rest = strings.TrimLeft(rest[1:], space)
	}
	if len(rest) >= 3 && strings.EqualFold(rest[:3], "url") {
		if value, ok := strings.CutPrefix(strings.TrimLeft(rest[3:], space), "="); ok {
			rest = strings.TrimLeft(value, space)
		}
	}
	if rest != "" && (rest[0] == '"' || rest[0] == '\'') {
		rest, _, _ = strings.Cut(rest[1:], rest[:1])
	}
	return strings.TrimRight(rest, space)
}
