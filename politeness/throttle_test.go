package politeness

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func drawPace(t *rapid.T) pace {
	return pace{
		adaptive: rapid.Bool().Draw(t, "adaptive"),
		factor:   rapid.Float64Range(0.01, 100).Draw(t, "factor"),
		floor:    time.Duration(rapid.Int64Range(0, int64(2*time.Minute)).Draw(t, "floor")),
		ceiling:  time.Duration(rapid.Int64Range(1, int64(2*time.Minute)).Draw(t, "ceiling")),
	}
}

func drawOutcome(t *rapid.T) outcome {
	return outcome{
		kind:    rapid.SampledFrom([]load{failed, answered, busy}).Draw(t, "kind"),
		latency: time.Duration(rapid.Int64Range(0, int64(time.Hour)).Draw(t, "latency")),
	}
}

// Whatever happens: the delay lies within its bounds and never below the
// configured one, what failed never lowers it, trouble never lowers it, and it
// leads to the pace that the latency asks for, slower after trouble.
func TestThrottleKeepsItsRules(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := drawPace(t)
		var now throttle
		for range rapid.IntRange(1, 40).Draw(t, "answers") {
			o := drawOutcome(t)
			was := now
			now = next(was, o, p)
			if now.strikes > maxStrikes || o.kind != busy && now.strikes > was.strikes || o.kind == failed && now.strikes != was.strikes {
				t.Fatalf("%+v after %+v: %d strikes", o, was, now.strikes)
			}
			if !p.adaptive {
				if now.delay != 0 {
					t.Fatalf("not adaptive, and delays %v", now.delay)
				}
				continue
			}
			if now.delay < p.floor || now.delay > max(p.ceiling, p.floor) {
				t.Fatalf("delays %v, within %v and %v", now.delay, p.floor, p.ceiling)
			}
			if o.kind != answered && now.delay < was.delay {
				t.Fatalf("%+v lowers %v to %v", o, was.delay, now.delay)
			}
			if o.kind == busy && now.delay < min(2*was.delay, max(p.ceiling, p.floor)) {
				t.Fatalf("busy makes %v of %v", now.delay, was.delay)
			}
		}
		if !p.adaptive {
			return
		}
		steady := outcome{kind: answered, latency: 100 * time.Millisecond}
		want := scale(steady.latency, p.factor, p.floor, max(p.ceiling, p.floor))
		for range 100 {
			now = next(now, steady, p)
		}
		if d := now.delay - want; d > time.Microsecond || d < -time.Microsecond || now.strikes != 0 {
			t.Fatalf("settles at %v with %d strikes, want %v", now.delay, now.strikes, want)
		}
	})
}

func TestThrottleRecoversSlowlyAfterTrouble(t *testing.T) {
	p := pace{adaptive: true, factor: 2, floor: time.Second, ceiling: time.Minute}
	good := outcome{kind: answered, latency: time.Second}
	steps := []struct {
		o    outcome
		want time.Duration
	}{
		{outcome{kind: answered, latency: 5 * time.Second}, 5500 * time.Millisecond}, // half way to 10 s
		{outcome{kind: failed, latency: time.Millisecond}, 5500 * time.Millisecond},
		{outcome{kind: failed, latency: 10 * time.Second}, 12750 * time.Millisecond}, // half way to 20 s
		{outcome{kind: answered, latency: 0}, 6875 * time.Millisecond},               // half way to 1 s
		{outcome{kind: answered, latency: 2062500 * time.Microsecond}, 5500 * time.Millisecond},
		{good, 3750 * time.Millisecond}, // half way to 2 s
		{outcome{kind: busy, latency: time.Millisecond}, 7500 * time.Millisecond},
		{outcome{kind: busy, latency: time.Millisecond}, 15 * time.Second},
		{good, 13375 * time.Millisecond}, // an eighth
		{good, 11953125 * time.Microsecond},
		{good, 6976562500 * time.Nanosecond}, // forgiven: half way
	}
	now := throttle{}
	for i, s := range steps {
		if now = next(now, s.o, p); now.delay != s.want {
			t.Fatalf("step %d: %v, want %v", i, now.delay, s.want)
		}
	}
}

func TestAdaptiveDelayIsOwed(t *testing.T) {
	g, c := newTestGate(Policy{IgnoreRobots: true, Delay: time.Second, Adaptive: true, AdaptiveFactor: 4, MaxDelay: 10 * time.Second}, Options{})
	page := func(took time.Duration) HostState {
		t.Helper()
		grant := expect(t, g.Decide(site, site+"/"), Go).Grant
		if _, err := grant.Begin(); err != nil {
			t.Fatal(err)
		}
		c.add(took)
		grant.Answered(200, nil)
		c.add(time.Minute) // a long body is no latency
		return grant.Done(Result{Status: 200})
	}
	if s := page(time.Second); s.Spacing != 2500*time.Millisecond { // from 1 s half way to 4 s
		t.Errorf("spacing %v", s.Spacing)
	}
	w := expect(t, g.Decide(site, site+"/"), Wait)
	if w.By != ByThrottle || w.Until.Sub(c.now()) != 2500*time.Millisecond {
		t.Errorf("%v by %q", w.Until.Sub(c.now()), w.By)
	}
	if x := g.Explain(site, site+"/"); x.Owed != 2500*time.Millisecond || x.Least != time.Second || x.LeastBy != ByConfig {
		t.Errorf("owed %v, of which at least %v by %q", x.Owed, x.Least, x.LeastBy)
	}
	for range 20 {
		c.add(time.Minute)
		page(time.Hour)
	}
	c.add(time.Minute)
	if s := page(time.Hour); s.Spacing.Round(time.Millisecond) != 10*time.Second {
		t.Errorf("spacing %v beyond its bound", s.Spacing)
	}
	c.add(time.Minute)
	for range 50 {
		c.add(time.Minute)
		page(0)
	}
	c.add(time.Minute)
	if s := page(0); s.Spacing-time.Second > time.Microsecond {
		t.Errorf("spacing %v when all is well again", s.Spacing)
	}
}
