package urls

import (
	"errors"
	"testing"
)

// FuzzHost holds that a host is read in the form that URLs have, which reads as
// itself, and that a scope of it has what it names.
func FuzzHost(f *testing.F) {
	for _, s := range []string{"books.example", "*.books.example:8080", "*", "*:80", "Bücher.example", "[::1]:443", "127.1", "0x7f.1:1", "a@b", "http://x", ":80", "x:99999", "*.*", "xn--a", "\x00", "[", "a b", "ⓛ", "x:", "*.127.1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, pattern string) {
		host, port, err := ParseHost(pattern)
		if err != nil {
			if !errors.Is(err, ErrPattern) {
				t.Fatalf("%q: %v", pattern, err)
			}
		} else {
			again := host
			if port != "" {
				again += ":" + port
			}
			if h, p, err := ParseHost(again); err != nil || h != host || p != port {
				t.Fatalf("%q is %q, and that is %q and %q (%v)", pattern, again, h, p, err)
			}
			if u, err := Parse("http://" + again + "/"); err != nil || u.Hostname() != host {
				t.Fatalf("%q is %q, whose URL is %q (%v)", pattern, again, u, err)
			}
		}
		s, err := NewScope(ScopeRules{Hosts: []string{pattern}})
		if err != nil || host == "" {
			return
		}
		at := "http://" + host
		if port != "" {
			at += ":" + port
		}
		if u, err := Parse(at + "/"); err == nil && !s.Check(u, 0).In {
			t.Fatalf("the scope of %q does not have %q", pattern, u)
		}
	})
}
