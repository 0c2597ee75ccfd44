package config

import (
	"slices"
	"testing"
)

// An address with a port is one text also where its list stands within braces.
func TestAddressesWithinBraces(t *testing.T) {
	for text, want := range map[string][]string{
		`fetch: {proxy: [socks5://a.example:1080, http://b.example:3128]}`:          {"socks5://a.example:1080", "http://b.example:3128"},
		`fetch: {proxy: ["socks5://a.example:1080", 'http://me:x@b.example:3128']}`: {"socks5://a.example:1080", "http://me:x@b.example:3128"},
		`fetch: {proxy: [socks5://a.example: 1080]}`:                                nil,
		`fetch: {proxy: [{socks5://a.example:1080}]}`:                               nil,
	} {
		c, found := Parse("x.yaml", []byte("seeds: [https://a.example/]\n"+text), Options{})
		if want == nil {
			if !found.Failed() {
				t.Errorf("%s is taken", text)
			}
			continue
		}
		if found.Failed() || !slices.Equal(c.Fetch.Proxy, want) {
			t.Errorf("%s: %v", text, found)
		}
	}
}
