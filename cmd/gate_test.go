package cmd

import (
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler/config"
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
