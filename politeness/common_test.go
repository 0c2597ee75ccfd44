package politeness

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// sharing are gates over one Common, with a clock that a test moves.
type sharing struct {
	now    time.Time
	common *Common
	gates  []*Gate
	delays []time.Duration
	limits []int
}

func newSharing(delays []time.Duration, limits []int, group Group) *sharing {
	s := &sharing{now: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), delays: delays, limits: limits}
	clock := func() time.Time { return s.now }
	s.common = NewCommon(clock)
	for i := range delays {
		s.gates = append(s.gates, New(Policy{Delay: delays[i], Concurrency: limits[i], IgnoreRobots: true, Group: group},
			Options{Now: clock, Common: s.common}))
	}
	return s
}

type sharedFlight struct {
	gate int
	g    *Grant
	ends time.Time
}

// Gates that share a host keep, together, each its own delay and bound, and none
// of them starves.
func TestGatesShareAHost(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(2, 4).Draw(t, "gates")
		var delays []time.Duration
		var limits []int
		for range n {
			delays = append(delays, time.Duration(rapid.IntRange(0, 20).Draw(t, "delay"))*100*time.Millisecond)
			limits = append(limits, rapid.IntRange(1, 3).Draw(t, "limit"))
		}
		group := rapid.SampledFrom([]Group{GroupHost, GroupDomain}).Draw(t, "group")
		s := newSharing(delays, limits, group)
		var flying []sharedFlight
		var last time.Time // the latest start or end
		next := slices.Repeat([]time.Time{s.now}, n)
		sent := make([]int, n)
		for range 1500 {
			// The earliest thing that happens next.
			at, what := time.Time{}, -1
			for i := range next {
				if at.IsZero() || next[i].Before(at) {
					at, what = next[i], i
				}
			}
			for i, f := range flying {
				if f.ends.Before(at) {
					at, what = f.ends, n+i
				}
			}
			if at.After(s.now) {
				s.now = at
			}
			if what >= n {
				f := flying[what-n]
				flying = append(flying[:what-n], flying[what-n+1:]...)
				f.g.Done(Result{Status: 200})
				last = s.now
				continue
			}
			host := "https://a.shop.example"
			if group == GroupDomain {
				host = fmt.Sprintf("https://%c.shop.example", 'a'+what)
			}
			d := s.gates[what].Decide(host, host+"/x")
			if d.Action != Go {
				if !d.Until.After(s.now) {
					t.Fatalf("a wait that is over: %+v", d)
				}
				next[what] = d.Until
				continue
			}
			if until, err := d.Grant.Begin(); err != nil {
				d.Grant.Cancel()
				next[what] = later(until, s.now.Add(time.Millisecond))
				continue
			}
			if !last.IsZero() && s.now.Sub(last) < delays[what] {
				t.Fatalf("gate %d began %v after the last event, and owes %v", what, s.now.Sub(last), delays[what])
			}
			if len(flying) >= limits[what] {
				t.Fatalf("gate %d began beside %d others, at most %d are its bound", what, len(flying), limits[what])
			}
			last = s.now
			sent[what]++
			flying = append(flying, sharedFlight{what, d.Grant, s.now.Add(time.Duration(rapid.IntRange(1, 500).Draw(t, "latency")) * time.Millisecond)})
			next[what] = s.now.Add(time.Millisecond)
		}
		for i, count := range sent {
			if count < 3 {
				t.Fatalf("gate %d was let through %d times: %v, delays %v, limits %v", i, count, sent, delays, limits)
			}
		}
	})
}

// What a server asks of one gate, the others owe as well; a gate that has left
// holds nobody up.
func TestCommonDebt(t *testing.T) {
	s := newSharing([]time.Duration{time.Second, 2 * time.Second}, []int{1, 1}, GroupHost)
	const host, url = "https://a.example", "https://a.example/"
	d := s.gates[0].Decide(host, url)
	if d.Action != Go {
		t.Fatalf("%+v", d)
	}
	if w := s.gates[1].Decide(host, url); w.Action != Wait || w.By != ByOther {
		t.Fatalf("beside another: %+v", w)
	}
	d.Grant.Done(Result{Status: 429, Header: map[string][]string{"Retry-After": {"60"}}})
	if w := s.gates[1].Decide(host, url); w.Action != Wait || w.Until.Sub(s.now) != time.Minute {
		t.Errorf("after a Retry-After: %+v, in %v", w, w.Until.Sub(s.now))
	}
	s.now = s.now.Add(time.Minute)
	if w := s.gates[0].Decide(host, url); w.Action != Wait {
		t.Errorf("out of turn: %+v", w)
	}
	if d = s.gates[1].Decide(host, url); d.Action != Go {
		t.Fatalf("in turn: %+v", d)
	}
	d.Grant.Done(Result{Status: 200})
	if w := s.gates[1].Decide(host, url); w.Action != Wait {
		t.Errorf("too early: %+v", w)
	}
	s.common.Leave(s.gates[1])
	s.now = s.now.Add(time.Second)
	if d = s.gates[0].Decide(host, url); d.Action != Go {
		t.Errorf("nobody else is left: %+v", d)
	}
	d.Grant.Done(Result{Status: 200})
}

func TestCommonForgets(t *testing.T) {
	s := newSharing([]time.Duration{time.Second}, []int{1}, GroupHost)
	for i := range 5 * leastSweep {
		host := fmt.Sprintf("https://h%d.example", i)
		d := s.gates[0].Decide(host, host+"/")
		if d.Action != Go {
			t.Fatalf("%+v", d)
		}
		d.Grant.Done(Result{Status: 200})
		s.now = s.now.Add(10 * time.Millisecond)
	}
	if n := len(s.common.hosts); n > leastSweep {
		t.Errorf("%d hosts are remembered", n)
	}
}

// What a server asked of one process, the next one is told of.
func TestCommonDebtIsKept(t *testing.T) {
	s := newSharing([]time.Duration{time.Second}, []int{1}, GroupHost)
	noted := map[string]time.Time{}
	s.common.Noted = func(key string, until time.Time) { noted[key] = until }
	const host, url = "https://a.example", "https://a.example/"
	s.gates[0].Decide(host, url).Grant.Done(Result{Status: 200})
	if len(noted) != 0 {
		t.Errorf("noted without a debt: %v", noted)
	}
	s.now = s.now.Add(time.Second)
	s.gates[0].Decide(host, url).Grant.Done(Result{Status: 429, Header: map[string][]string{"Retry-After": {"60"}}})
	if got := noted[host].Sub(s.now); len(noted) != 1 || got != time.Minute {
		t.Errorf("noted: %v", noted)
	}
	later := newSharing([]time.Duration{time.Second}, []int{1}, GroupHost)
	later.now = s.now.Add(10 * time.Second)
	later.common.Owe(host, noted[host], time.Hour)
	later.common.Owe("https://b.example", later.now.Add(1000*time.Hour), time.Hour)
	for origin, want := range map[string]time.Duration{host: 50 * time.Second, "https://b.example": time.Hour} {
		if w := later.gates[0].Decide(origin, origin+"/"); w.Action != Wait || w.Until.Sub(later.now) != want {
			t.Errorf("%s: %+v, in %v", origin, w, w.Until.Sub(later.now))
		}
	}
}
