package garbage

import (
	"math"
	"runtime/debug"
	"testing"
)

// TestCrawlsShareTheCollector runs two crawls in one process, as a daemon does, and
// ends them in the order in which they began.
func TestCrawlsShareTheCollector(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	percent, limit := gcPercent(), debug.SetMemoryLimit(-1)
	if limit != math.MaxInt64 {
		t.Fatalf("the test runs under a limit of %d bytes", limit)
	}
	const pages = 1 << 40 // more than live data could outweigh
	var c tuning
	endFirst := c.begin(pages)
	one := debug.SetMemoryLimit(-1)
	if want := int64(pages + OtherMemory); one != want || gcPercent() != garbagePercent {
		t.Errorf("with one crawl: limit %d, want %d; percent %d", one, want, gcPercent())
	}
	if got := c.given(); got != math.MaxInt64 {
		t.Errorf("the limit that was given seems to be %d", got)
	}
	endSecond := c.begin(pages)
	if got := debug.SetMemoryLimit(-1); got != 2*one {
		t.Errorf("with two crawls: limit %d, want %d", got, 2*one)
	}
	endFirst()
	if got := debug.SetMemoryLimit(-1); got != one || gcPercent() != garbagePercent {
		t.Errorf("with the second alone: limit %d, want %d; percent %d", got, one, gcPercent())
	}
	endSecond()
	if got := debug.SetMemoryLimit(-1); got != limit || gcPercent() != percent {
		t.Errorf("afterwards: limit %d, want %d; percent %d, want %d", got, limit, gcPercent(), percent)
	}
}

// TestEnvironmentCollects has the environment's word stand.
func TestEnvironmentCollects(t *testing.T) {
	for _, c := range []struct {
		gogc, limit string
		percent     int // while a crawl runs; 0: as before
	}{
		{"150", "", 0},
		{"", "1GiB", garbagePercent},
		{"150", "1GiB", 0},
	} {
		t.Setenv("GOGC", c.gogc)
		t.Setenv("GOMEMLIMIT", c.limit)
		percent, limit := gcPercent(), debug.SetMemoryLimit(-1)
		var tuned tuning
		end := tuned.begin(1 << 30)
		want := c.percent
		if want == 0 {
			want = percent
		}
		if gcPercent() != want || debug.SetMemoryLimit(-1) != limit {
			t.Errorf("GOGC %q, GOMEMLIMIT %q: percent %d, want %d; limit %d, want %d", c.gogc, c.limit, gcPercent(), want, debug.SetMemoryLimit(-1), limit)
		}
		end()
		if gcPercent() != percent {
			t.Errorf("GOGC %q, GOMEMLIMIT %q: percent %d afterwards, was %d", c.gogc, c.limit, gcPercent(), percent)
		}
	}
}

func TestAround(t *testing.T) {
	const m = 1 << 20
	for _, c := range []struct{ memory, live, want int64 }{
		{224 * m, 0, 224 * m},
		{224 * m, 100 * m, 224 * m},
		{224 * m, 200 * m, 250 * m},
		{224 * m, 224 * m, 280 * m},
		{224 * m, 448 * m, 560 * m},
		{224 * m, 1000 * m, 1802 * m},
	} {
		if got := around(c.memory, c.live); got != c.want {
			t.Errorf("around %d MiB with %d in use: %d, want %d", c.memory/m, c.live/m, got/m, c.want/m)
		}
	}
}

func gcPercent() int {
	now := debug.SetGCPercent(100)
	debug.SetGCPercent(now)
	return now
}
