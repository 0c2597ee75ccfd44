package politeness

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// FuzzLifetime holds that a robots.txt serves for a time within the bounds,
// whatever its answer says of caching.
func FuzzLifetime(f *testing.F) {
	for _, s := range []string{"max-age=600", "no-store", "max-age=-1", `max-age="86400", s-maxage=1`, "max-age=99999999999999999999", ",,=,", "MAX-AGE=1,max-age=2", "private"} {
		f.Add(s, "60", "Sun, 01 Mar 2026 10:00:00 GMT", "Sun, 01 Mar 2026 09:00:00 GMT")
	}
	f.Add("", "9223372036854775807", "0", "")
	f.Fuzz(func(t *testing.T, control, age, expires, date string) {
		header := http.Header{"Cache-Control": {control}, "Age": {age}, "Expires": {expires}, "Date": {date}}
		if d, _ := lifetime(header); d < robotsLeast || d > robotsLifetime {
			t.Errorf("%v serves %v", header, d)
		}
		var p Policy
		p.fill()
		c := newCopy(nil, &p)
		header.Set("ETag", control)
		header.Set("Last-Modified", date)
		c.validate(header, "https://a.example/robots.txt")
		for _, values := range c.conditions("https://a.example/robots.txt") {
			if strings.ContainsAny(values[0], "\r\n\x00") {
				t.Errorf("the next request would say %q", values)
			}
		}
	})
}

// FuzzRobotsRedirect holds that a redirect of robots.txt leads to http or https
// without credentials, or nowhere.
func TestRobotsRedirectSpellings(t *testing.T) {
	for location, want := range map[string]string{
		"//H.example:443/x": "https://h.example/x", "http://3com.example": "http://3com.example/", "http://h.3com/": "http://h.3com/",
		"http://1.2.3.4:80/": "http://1.2.3.4/", "http://[2001:DB8::1]:8080/": "http://[2001:db8::1]:8080/", "http://a.0xg/": "http://a.0xg/",
		"http://0x7f.1/": "", "http://2130706433/": "", "http://127.1/": "", "http://0177.0.0.1/": "", "http://127.0.0.1./": "", "http://a.1/": "",
		"http://1.2.3.08/": "", "http://a.099999999999999999999999/": "", "http://[0:0::1]/": "", "http://[::ffff:127.0.0.1]/": "", "http://[fe80::1%25eth0]/": "",
		"http://1.2.3.0x/": "", "http://1.2.3.0XfF/": "",
	} {
		if got, err := resolve("https://a.example/robots.txt", location); got != want || (err == nil) != (want != "") {
			t.Errorf("%s leads to %q (%v), want %q", location, got, err, want)
		}
	}
}

func FuzzRobotsRedirect(f *testing.F) {
	for _, s := range []string{"/robots", "//other.example", "http://u:p@h.example:80/#x", "file:///etc/passwd", "https:h", "http://[::1%25lo]/", "http://127.1/", "\x00", "http://h.example:/%zz", "?x", "http://%31%32/"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, location string) {
		to, err := resolve("https://a.example/robots.txt", location)
		if err != nil {
			return
		}
		u, err := url.Parse(to)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.Fragment != "" {
			t.Fatalf("%q leads to %q (%v)", location, to, err)
		}
		if origin := originOf(to); !strings.HasPrefix(to, origin) || origin != u.Scheme+"://"+u.Host {
			t.Errorf("the origin of %q is %q", to, origin)
		}
	})
}

// FuzzHours holds that a window that can be read opens within two days and is
// open then.
func FuzzHours(f *testing.F) {
	for _, s := range []string{"22:00-06:00", "00:00-24:00", "1:5-2:06", "23:59-00:00", "24:00-01:00", "-", "02:30-02:31"} {
		f.Add(s, "Europe/Berlin", int64(1774746000)) // an hour before a clock is put forward
	}
	f.Add("08:00-09:00", "America/St_Johns", int64(0))
	f.Fuzz(func(t *testing.T, text, zone string, unix int64) {
		if strings.ContainsAny(zone, "./\\") && !strings.HasPrefix(zone, "America/") && !strings.HasPrefix(zone, "Europe/") {
			return // no reading of whatever files the fuzzer names
		}
		h, err := ParseHours(text, zone)
		if err != nil {
			return
		}
		now := time.Unix(unix%(1<<35), 0)
		opens := h.Next(now)
		if opens.Before(now) || opens.Sub(now) > 49*time.Hour || !h.Open(opens) {
			t.Errorf("%s in %s: at %s it opens at %s (open then: %v)", text, zone, now.UTC(), opens.UTC(), h.Open(opens))
		}
	})
}
