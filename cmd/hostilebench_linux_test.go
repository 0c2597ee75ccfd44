package cmd

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/amblecrawl/amble/fixtures/hostile"
	"github.com/amblecrawl/amble/fixtures/synthetic"
	"github.com/amblecrawl/amble/politeness/ledger"
)

// BenchmarkHealthyHosts crawls hosts that do nothing wrong, alone and beside all
// the hostile ones, and reports how long the first request to the last takes them:
// beside hostile ones as a share of alone. The aim is 1.10 on a machine with
// processors to spare, where their pages wait for delays and not for others.
//
// Where both webs share its processors that says little about the crawler. So it tells
// from the ledger what a request of theirs consists of, in the middle and at the 95th
// percentile: how late it was sent after it might be (all that the crawler keeps it
// waiting for), and how long its exchange took, which the servers have a part in. And it
// tells how late a timer is on this machine meanwhile, which is nobody's fault but the
// lack of processors, and what the crawler took of them.
//
//	go test ./cmd -run '^$' -bench HealthyHosts -benchtime 1x
func BenchmarkHealthyHosts(b *testing.B) {
	const config = "  memory: 48MiB\n  timeout: 15s\n  workers: 256\n"
	var alone, beside healthy
	for b.Loop() {
		alone.add(healthyRun(b, nil, config))
		beside.add(healthyRun(b, hostile.Cases(), config))
	}
	alone.report(b, "alone")
	beside.report(b, "beside")
	b.ReportMetric(beside.took.Seconds()/alone.took.Seconds(), "beside/alone")
}

// healthy is how hosts that do nothing wrong fared.
type healthy struct {
	took, cpu             time.Duration
	late, exchange, timer []time.Duration
}

func (h *healthy) add(o healthy) {
	h.took, h.cpu = h.took+o.took, h.cpu+o.cpu
	h.late, h.exchange, h.timer = append(h.late, o.late...), append(h.exchange, o.exchange...), append(h.timer, o.timer...)
}

func (h *healthy) report(b *testing.B, name string) {
	b.ReportMetric(h.took.Seconds()/float64(b.N), "s-"+name)
	b.ReportMetric(h.cpu.Seconds()/float64(b.N), "cpu-s-"+name)
	for what, all := range map[string][]time.Duration{"late": h.late, "exchange": h.exchange, "timer": h.timer} {
		if len(all) == 0 {
			b.Fatalf("nothing is known of %s", what)
		}
		slices.Sort(all)
		ms := func(part int) float64 { return float64(all[len(all)*part/100].Microseconds()) / 1000 }
		b.ReportMetric(ms(50), "ms-"+what+"-"+name)
		b.ReportMetric(ms(95), "ms-"+what+"-p95-"+name)
	}
}

// healthyRun crawls the hosts that do nothing wrong beside those cases.
func healthyRun(b *testing.B, cases []hostile.Case, config string) (h healthy) {
	c := newHostileCrawl(b, cases, synthetic.Options{Hosts: 4, Pages: 500}, config)
	p := c.start(b)
	func() {
		defer func() {
			_ = p.kill() // when they are done the rest is of no interest
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
				h.took = time.Since(start)
				return
			}
			before := time.Now()
			if !p.pause(timerPause) || time.Now().After(end) {
				b.Fatalf("%d requests for %d pages: %v\n%s", served, c.hosts*c.pages, p.err, &p.out)
			}
			h.timer = append(h.timer, time.Since(before)-timerPause)
		}
	}()
	h.cpu = p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	good := map[string]bool{}
	for host := range c.hosts {
		good["http://"+c.good.Host(host)] = true
	}
	for e, err := range ledger.Read(filepath.Join(c.dir, ".amble", c.name, "ledger")) {
		if err != nil && !errors.Is(err, ledger.ErrTorn) {
			b.Fatal(err)
		}
		if err != nil || e.Withheld || !good[e.Host] {
			continue
		}
		h.exchange = append(h.exchange, e.End.Sub(e.Start))
		if e.Paid > 0 {
			h.late = append(h.late, e.Paid-e.Owed)
		}
	}
	return h
}

const timerPause = 5 * time.Millisecond
