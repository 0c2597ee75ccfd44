package urls

import (
	"strings"
	"testing"
)

func TestParseProxy(t *testing.T) {
	for raw, want := range map[string]string{
		"http://Proxy.example":                        "http://proxy.example:80",
		"https://u:p%40@proxy.example/":               "https://u:p%40@proxy.example:443",
		"socks5://127.1:9050":                         "socks5://127.0.0.1:9050",
		"socks5h://[2001:DB8::1]":                     "socks5h://[2001:db8::1]:1080",
		"proxy.example:3128":                          "",
		"ftp://proxy.example":                         "",
		"socks4://proxy.example":                      "",
		"http://proxy.example/path":                   "",
		"http://proxy.example?q":                      "",
		"http://":                                     "",
		"http://proxy.example:99999":                  "",
		"socks5://" + strings.Repeat("u", 256) + "@h": "",
		"http://u:hunter2@%zz":                        "",
	} {
		u, err := ParseProxy(raw)
		switch {
		case want == "" && (err == nil || strings.Contains(err.Error(), "hunter2")):
			t.Errorf("%q: %v, %v", raw, u, err)
		case want != "" && (err != nil || u.String() != want):
			t.Errorf("%q: %v, %v; want %s", raw, u, err, want)
		}
	}
}

func TestHostRange(t *testing.T) {
	for raw, hosts := range map[string]map[string]bool{
		"Direct.example":    {"direct.example:80": true, "x.direct.example:80": false},
		"port.example:8080": {"port.example:8080": true, "port.example:80": false},
		"*.below.example":   {"a.below.example:1": true, "below.example:1": false, "notbelow.example:1": false},
		"10.0.0.0/8":        {"10.9.8.7:80": true, "11.9.8.7:80": false, "a.example:80": false},
		"[2001:db8::1]":     {"[2001:db8::1]:80": true, "[2001:db8::2]:80": false},
		"::ffff:10.1.1.1":   {"10.1.1.1:80": true},
	} {
		r, err := ParseHostRange(raw)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		for at, want := range hosts {
			i := strings.LastIndexByte(at, ':')
			if got := r.Contains(at[:i], at[i+1:]); got != want {
				t.Errorf("%s has %s: %t", raw, at, got)
			}
		}
	}
	for _, bad := range []string{"", "http://a.example", "a b", "*.", "10.0.0.0/99"} {
		if r, err := ParseHostRange(bad); err == nil {
			t.Errorf("%q: %+v", bad, r)
		}
	}
}

func FuzzParseProxy(f *testing.F) {
	for _, seed := range []string{"http://u:p@h:1", "socks5h://[::1]", "https://h", "http://h/path", "ftp://h", "http://u:p@", "//h", "http://h:99999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := ParseProxy(raw)
		if err != nil {
			return
		}
		if u.Port() == "" || u.Hostname() == "" || u.Path != "" {
			t.Errorf("%q gives %q", raw, u.Host)
		}
		again, err := ParseProxy(u.String())
		if err != nil || again.String() != u.String() {
			t.Errorf("%q became %v, %v", u, again, err)
		}
	})
}
