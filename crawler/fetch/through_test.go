package fetch

import (
	"net/url"
	"slices"
	"testing"
)

// The proxy that is named first is the one that a request takes.
func TestThrough(t *testing.T) {
	var o ProxyOptions
	o.URLs, o.Except = []string{"http://me:s3cret@a.example:3128", "socks5://b.example:1080", "https://c.example:443"}, []string{"*.near.example"}
	byHost, err := NewProxies(o)
	if err != nil {
		t.Fatal(err)
	}
	o.PerRequest = true
	inTurn, err := NewProxies(o)
	if err != nil {
		t.Fatal(err)
	}
	routes := &Routes{All: Route{Proxies: byHost}, Hosts: map[string]*Route{"own.example": {}, "turns.example": {Proxies: inTurn}}}
	all := []string{"http://a.example:3128", "socks5://b.example:1080", "https://c.example:443"}
	for raw, want := range map[string]int{
		"https://shop.example/": 3, "https://other.example/": 3, "https://own.example/": 0, "https://x.near.example/": 0, "http://turns.example/": 3,
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		names, turns := routes.Through(u)
		if len(names) != want || turns != (u.Host == "turns.example") {
			t.Errorf("%s: %v, %v", raw, names, turns)
			continue
		}
		if want > 0 && !turns && names[0] != byHost.pick(hostPort(u), nil, whenever).name() {
			t.Errorf("%s: %v", raw, names)
		}
		if turns && !slices.Equal(names, all) {
			t.Errorf("%s: %v", raw, names)
		}
		slices.Sort(names)
		if want > 0 && len(slices.Compact(names)) != want {
			t.Errorf("%s: %v", raw, names)
		}
	}
	if names, _ := (*Routes)(nil).Through(&url.URL{Scheme: "http", Host: "a"}); names != nil {
		t.Error(names)
	}
}
