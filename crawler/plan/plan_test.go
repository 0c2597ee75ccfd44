package plan

import (
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// daily is a window of the day in UTC, given in hours.
type daily struct{ from, to int }

func (d daily) holds(t time.Time) bool {
	h := t.Hour()
	if d.from < d.to {
		return d.from <= h && h < d.to
	}
	return h >= d.from || h < d.to
}

func (d daily) Next(t time.Time) time.Time {
	for !d.holds(t) {
		t = t.Truncate(time.Hour).Add(time.Hour)
	}
	return t
}

func (d daily) Closes(t time.Time) time.Time {
	for t = d.Next(t); d.holds(t); {
		t = t.Truncate(time.Hour).Add(time.Hour)
	}
	return t
}

func drawPace(t *rapid.T) Pace {
	p := Pace{Delay: time.Duration(rapid.IntRange(1, 200).Draw(t, "minutes")) * time.Minute}
	if rapid.Bool().Draw(t, "windowed") {
		d := daily{rapid.IntRange(0, 23).Draw(t, "from"), rapid.IntRange(0, 23).Draw(t, "to")}
		if d.from == d.to {
			d.to = (d.to + 1) % 24
		}
		p.Hours = d
	}
	return p
}

func drawStart(t *rapid.T) time.Time {
	return time.Date(2026, 3, 1, 0, rapid.IntRange(0, 24*60).Draw(t, "start"), 0, 0, time.UTC)
}

// requests plays a host's requests: each as soon as delay and window let it.
func requests(p Pace, start time.Time, n int64) []time.Duration {
	var at []time.Duration
	for next := start; int64(len(at)) < n; next = next.Add(p.Delay) {
		if p.Hours != nil {
			next = p.Hours.Next(next)
		}
		at = append(at, next.Sub(start))
	}
	return at
}

func TestShortestIsWhenTheLastRequestBegins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p, start := drawPace(t), drawStart(t)
		n := int64(rapid.IntRange(1, 60).Draw(t, "n"))
		played := requests(p, start, n)
		last := played[n-1]
		if got := p.Shortest(start, n); got != last {
			t.Fatalf("%v for %d requests, played it takes %v", got, n, last)
		}
		if got := p.Within(start, last); got != n {
			t.Fatalf("%d requests within %v, played it is %d", got, last, n)
		}
		if n > 1 && p.Within(start, last-1) != n-1 {
			t.Fatalf("%d requests just before the last of %d", p.Within(start, last-1), n)
		}
	})
}

func TestBounds(t *testing.T) {
	start := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for _, c := range []struct {
		pace Pace
		n    int64
		want time.Duration
	}{
		{Pace{Delay: time.Second}, 0, 0},
		{Pace{Delay: time.Second}, 1, 0},
		{Pace{Delay: time.Second}, 10, 9 * time.Second},
		{Pace{}, math.MaxInt64, 0},
		{Pace{Delay: time.Hour}, math.MaxInt64, Horizon},
		{Pace{Delay: 24 * time.Hour}, 100_000_000, Horizon},
		{Pace{Hours: daily{13, 14}}, math.MaxInt64, time.Hour},
		{Pace{Delay: time.Second, Hours: daily{13, 14}}, math.MaxInt64, Horizon},
	} {
		if got := c.pace.Shortest(start, c.n); got != c.want {
			t.Errorf("%v, %d requests: %v, want %v", c.pace, c.n, got, c.want)
		}
	}
	if n := (Pace{}).Within(start, 0); n != math.MaxInt64 {
		t.Errorf("%d requests at once without a delay", n)
	}
	if d := Total(start, nil, 5); d != 0 {
		t.Errorf("nothing takes %v", d)
	}
}

// The hosts of a group take turns: together they are no quicker than one host
// that gets all of their requests.
func TestGroupsCountAsOne(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start, shared := drawStart(t), drawPace(t)
		var hosts []Host
		var all int64
		for range rapid.IntRange(1, 5).Draw(t, "hosts") {
			h := Host{
				Pages: int64(rapid.IntRange(0, 20).Draw(t, "pages")), Others: 1,
				Pace: shared, Group: "domain:a", GroupPace: shared,
			}
			all += h.Pages + h.Others
			hosts = append(hosts, h)
		}
		if got, want := Total(start, hosts, 0), shared.Shortest(start, all); got != want {
			t.Fatalf("%v for a group of %d requests, want %v", got, all, want)
		}
	})
}

// Played with all hosts at once, the last of max_pages pages is never asked for
// before the total.
func TestTotalWithMaxPages(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		start := drawStart(t)
		var hosts []Host
		var pages []time.Duration // when each page can be had at the earliest
		for range rapid.IntRange(1, 4).Draw(t, "hosts") {
			h := Host{Pages: int64(rapid.IntRange(0, 20).Draw(t, "pages")), Others: int64(rapid.IntRange(0, 1).Draw(t, "robots")), Pace: drawPace(t)}
			hosts = append(hosts, h)
			pages = append(pages, requests(h.Pace, start, h.Pages+h.Others)[h.Others:]...)
		}
		if len(pages) == 0 {
			return
		}
		most := int64(rapid.IntRange(1, len(pages)).Draw(t, "max_pages"))
		got := Total(start, hosts, most)
		reached, soon := int64(0), int64(0)
		for _, at := range pages {
			if at <= got+10*time.Millisecond {
				reached++
			}
			if at < got-10*time.Millisecond {
				soon++
			}
		}
		// Without a bound that bites, the total is the last request of all.
		if reached < most || most < int64(len(pages)) && soon >= most {
			t.Fatalf("max_pages %d of %d at %v: %d can be had by then, %d before", most, len(pages), got, reached, soon)
		}
	})
}
