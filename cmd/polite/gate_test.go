package polite

import (
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/politeness"
	"github.com/amblecrawl/amble/politeness/signals"
)

// TestPolicyOfConfig reads what a config says of hosts as the gate takes it.
func TestPolicyOfConfig(t *testing.T) {
	cfg, found := config.Parse("crawl.yaml", []byte(`
seeds: [https://a.example/]
politeness:
  contact: https://me.example/
  hours: 22:00-06:00
  timezone: Europe/Berlin
  adaptive_factor: 3
  circuit_after: 0
  circuit_give_up: 2h
  max_retry_after: 5h
  hosts:
    always.example: {hours: "00:00-24:00"}
    day.example: {hours: 09:00-17:00}
    far.example: {timezone: Asia/Tokyo}
    slow.example: {delay: 5s}
`), config.Options{})
	if found.Failed() {
		t.Fatal(found)
	}
	p, err := policyOf(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if p.AdaptiveFactor != 3 || p.CircuitAfter != -1 || p.CircuitGiveUp != 2*time.Hour || p.MaxRetryAfter != 5*time.Hour {
		t.Errorf("%+v", p)
	}
	if got := p.Hours.String(); got != "22:00-06:00 Europe/Berlin" {
		t.Errorf("hours %q", got)
	}
	for host, want := range map[string]string{
		"always.example": "00:00-24:00 Europe/Berlin",
		"day.example":    "09:00-17:00 Europe/Berlin",
		"far.example":    "22:00-06:00 Asia/Tokyo",
	} {
		if h := p.Hosts[host].Hours; h == nil || h.String() != want {
			t.Errorf("%s: %v, want %s", host, h, want)
		}
	}
	if p.Hosts["slow.example"].Hours != nil {
		t.Error("a host without hours of its own has some")
	}
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	if !p.Hosts["always.example"].Hours.Open(noon) || p.Hours.Open(noon) {
		t.Error("00:00-24:00 is not the whole day")
	}
}

// A host whose proxies are all set aside waits, in the frontier's books as well, and
// no permission is given for it.
func TestHostsWaitForTheirProxies(t *testing.T) {
	until := time.Now().Add(time.Minute)
	gate := politeness.New(politeness.Policy{Agent: "bot"}, politeness.Options{})
	p := &Politeness{Gate: gate, Waits: func(u urls.URL) (time.Time, string) {
		if u.Hostname() == "behind.example" {
			return until, "the proxy is down"
		}
		return time.Time{}, ""
	}}
	for host, want := range map[string]crawler.Action{"behind.example": crawler.Wait, "other.example": crawler.FetchRobots} {
		u, err := urls.Parse("https://" + host + "/")
		if err != nil {
			t.Fatal(err)
		}
		v := p.Decide(&crawler.Request{URL: u})
		if v.Action != want {
			t.Errorf("%s: %v", host, v.Action)
		}
		if want == crawler.Wait && (!v.State.NotBefore.Equal(until) || v.Reason != "the proxy is down") {
			t.Errorf("%+v", v)
		}
	}
}

// An exception for a port is one for the URLs that do not show it, and databases and
// interfaces for programs are tried again soon.
func TestExceptionsByPort(t *testing.T) {
	cfg, found := config.Parse("crawl.yaml", []byte(`
seeds: [https://a.example/, {query: q}]
connections: {shop: {url: "sqlite:shop.db", concurrency: 9, give_up: 5m}}
queries: {q: {connection: shop, sql: select 1}}
politeness:
  contact: https://me.example/
  hosts:
    "api.example:443": {concurrency: 7, api: true}
    "api.example:80": {concurrency: 5, api: true}
    "api.example:8080": {concurrency: 3, api: true}
    "[::1]:443": {concurrency: 2, api: true}
`), config.Options{})
	if found.Failed() {
		t.Fatal(found)
	}
	gate, err := NewGate(cfg, signals.Policy{}, Memory{})
	if err != nil {
		t.Fatal(err)
	}
	for origin, want := range map[string]int{
		"https://api.example": 7, "http://api.example": 5, "http://api.example:8080": 3, "https://[::1]": 2, "https://other.example": 1, "sql://shop": 9,
	} {
		if got := gate.Explain(origin, origin+"/").Concurrency; got != want {
			t.Errorf("%s: %d at once, want %d", origin, got, want)
		}
	}
	p, err := policyOf(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if h := p.Hosts["sql://shop"]; h.CircuitMost != time.Minute || h.CircuitGiveUp != 5*time.Minute {
		t.Errorf("the database: %+v", h)
	}
	if h := p.Hosts["https://api.example"]; h.CircuitMost != time.Minute || h.CircuitGiveUp != 0 {
		t.Errorf("the API: %+v", h)
	}
	if h := promised(cfg).Hosts["https://api.example"]; h.CircuitMost != time.Minute || !h.API {
		t.Errorf("it promises %+v", h)
	}
}
