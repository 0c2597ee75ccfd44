package cmd

import (
	"testing"
	"time"

	"github.com/amblecrawl/amble/fixtures/hostile"
	"github.com/amblecrawl/amble/fixtures/synthetic"
)

// BenchmarkHealthyHosts crawls hosts that do nothing wrong, alone and beside all
// the hostile ones, and reports how long the first request to the last takes them:
// beside hostile ones as a share of alone. The aim is 1.10 on a machine with
// processors to spare, where their pages wait for delays and not for others.
//
//	go test ./cmd -run '^$' -bench HealthyHosts -benchtime 1x
func BenchmarkHealthyHosts(b *testing.B) {
	const config = "  memory: 48MiB\n  timeout: 15s\n  workers: 256\n"
	var alone, beside time.Duration
	for b.Loop() {
		alone += healthyTime(b, nil, config)
		beside += healthyTime(b, hostile.Cases(), config)
	}
	b.ReportMetric(alone.Seconds()/float64(b.N), "s-alone")
	b.ReportMetric(beside.Seconds()/float64(b.N), "s-beside")
	b.ReportMetric(beside.Seconds()/alone.Seconds(), "beside/alone")
}

// healthyTime is how long the hosts that do nothing wrong take beside those cases.
func healthyTime(b *testing.B, cases []hostile.Case, config string) time.Duration {
	c := newHostileCrawl(b, cases, synthetic.Options{Hosts: 4, Pages: 500}, config)
	p := c.start(b)
	defer func() {
		_ = p.kill() // when they are done the rest is of no interest
		<-p.done
		c.bad.Close()
	}()
	var start time.Time
	for end := time.Now().Add(10 * patience); ; {
		served := 0
		for h := range c.hosts {
			served += c.good.Account().Host(c.good.Host(h)).Requests
		}
		if served > 0 && start.IsZero() {
			start = time.Now()
		}
		if served == c.hosts*(c.pages+1) {
			return time.Since(start)
		}
		if !p.pause(5*time.Millisecond) || time.Now().After(end) {
			b.Fatalf("%d requests for %d pages: %v\n%s", served, c.hosts*c.pages, p.err, &p.out)
		}
	}
}
