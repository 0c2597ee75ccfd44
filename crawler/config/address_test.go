package config

import (
	"fmt"
	"slices"
	"strings"
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

// A slash in the password of a database cuts its URL, which is told without it.
func TestPasswordsWithSlashes(t *testing.T) {
	env := func(name string) (string, bool) { return map[string]string{"PW": "hun/ter2"}[name], name == "PW" }
	for text, want := range map[string]bool{
		`postgres://me:${PW}@db.example/shop`:          true,
		`mysql://me:${PW}@db.example/shop`:             true,
		`postgres://me:hunter2@db.example/shop`:        false,
		`postgres://db.example/shop?user=me@x.example`: false,
	} {
		_, found := Parse("x.yaml", []byte("connections: {shop: {url: \""+text+"\"}}\nqueries: {q: {connection: shop, sql: select 1}}\nseeds: [{query: q}]\n"), Options{Env: env})
		told := fmt.Sprint(found)
		if found.Failed() != want || want && !strings.Contains(told, "%2F for /") || strings.Contains(told, "ter2") {
			t.Errorf("%s: %s", text, told)
		}
	}
}
