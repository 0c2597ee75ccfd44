package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"
)

const testBackoff = 10 * time.Second

// world is a crawl that keeps its promises, simulated by rules of its own.
type world struct {
	run      RunInfo
	hosts    []*worldHost
	entries  []Entry
	versions []RobotsVersion
	end      time.Time
}

type worldHost struct {
	origin      string
	delay       time.Duration
	concurrency int
	crawl       time.Duration // of the robots.txt in force
	shift       int           // of its lines
	body        []byte
	starts      []time.Time
	ends        []time.Time
	debts       []time.Time // by index of ends; zero without
	now         time.Time   // no decision before
}

func newWorld(t *rapid.T) *world {
	w := &world{run: testRun(), end: noon}
	ms := func(label string, from ...int) time.Duration {
		return time.Duration(rapid.SampledFrom(from).Draw(t, label)) * time.Millisecond
	}
	w.run.Policy = Policy{
		Delay: ms("delay", 0, 1, 300, 1000), Concurrency: rapid.IntRange(1, 3).Draw(t, "concurrency"),
		MaxCrawlDelay: 5 * time.Second, MaxRetryAfter: 30 * time.Second,
		Backoff: testBackoff, BackoffMost: time.Minute,
		CircuitAfter: rapid.IntRange(5, 7).Draw(t, "circuit after"), CircuitPause: 20 * time.Second, CircuitMost: time.Minute,
	}
	other := ms("exception", 0, 50, 2000)
	w.run.Policy.Hosts = map[string]HostPolicy{
		"api.example": {Delay: &other, Concurrency: 2}, "*.b.example": {Delay: &other}, "*.example": {Concurrency: 4},
	}
	for origin, h := range map[string]worldHost{
		"https://api.example":      {delay: other, concurrency: 2},
		"http://x.y.b.example:81":  {delay: other, concurrency: w.run.Policy.Concurrency},
		"https://shop.example":     {delay: w.run.Policy.Delay, concurrency: 4},
		"http://192.0.2.1":         {delay: w.run.Policy.Delay, concurrency: w.run.Policy.Concurrency},
		"http://[2001:db8::1]:808": {delay: w.run.Policy.Delay, concurrency: w.run.Policy.Concurrency},
	} {
		h.origin, h.now = origin, noon
		w.hosts = append(w.hosts, &h)
	}
	slices.SortFunc(w.hosts, func(a, b *worldHost) int { return cmp.Compare(a.origin, b.origin) })
	w.hosts = w.hosts[:rapid.IntRange(1, len(w.hosts)).Draw(t, "hosts")]
	return w
}

// earliest is the first instant from t on at which a request may start.
func (h *worldHost) earliest(t time.Time, owed time.Duration) time.Time {
	for again := true; again; {
		again = false
		later := func(to time.Time) {
			if to.After(t) {
				t, again = to, true
			}
		}
		flying := 0
		var first time.Time
		for _, s := range h.starts {
			later(s.Add(owed))
		}
		for i, e := range h.ends {
			if !e.After(t) {
				later(e.Add(owed))
				later(h.debts[i])
				continue
			}
			if flying++; first.IsZero() || e.Before(first) {
				first = e
			}
		}
		if flying >= h.concurrency {
			later(first)
		}
	}
	return t
}

// request sends one as early as drawn slack lets it.
func (w *world) request(t *rapid.T, h *worldHost, url string, kind Kind) *Entry {
	owed, by := h.delay, "config delay"
	if h.crawl > owed {
		owed, by = h.crawl, "Crawl-delay"
	}
	slack := time.Duration(rapid.SampledFrom([]int{0, 0, 1, 999_999, 70_000_000}).Draw(t, "slack")) * time.Nanosecond
	start := h.earliest(h.earliest(h.now, owed).Add(slack), owed)
	e := Entry{
		Start: start, Decided: h.now, Host: h.origin, URL: url, Kind: kind, Owed: owed, By: by,
		End:    start.Add(time.Duration(rapid.SampledFrom([]int{0, 1, 1234, 5_000_001, 2_000_000_003}).Draw(t, "took"))),
		Status: 200, Concurrency: h.concurrency, Attempt: 1,
	}
	var debt time.Time
	if rapid.IntRange(0, 5).Draw(t, "busy") == 0 {
		e.Status = 429
		e.RetryAfter = time.Duration(rapid.IntRange(1, 60).Draw(t, "retry after")) * time.Second
		debt = e.End.Add(min(e.RetryAfter, w.run.Policy.MaxRetryAfter))
	}
	h.starts, h.ends, h.debts = append(h.starts, e.Start), append(h.ends, e.End), append(h.debts, debt)
	h.now = e.Start
	if e.End.After(w.end) {
		w.end = e.End
	}
	w.entries = append(w.entries, e)
	return &w.entries[len(w.entries)-1]
}

// learn fetches robots.txt, whose rules stand in lines 2 and 3 and some below.
func (w *world) learn(t *rapid.T, h *worldHost) {
	e := w.request(t, h, h.origin+"/robots.txt", Robots)
	h.now = e.End
	h.shift = rapid.IntRange(0, 2).Draw(t, "shift")
	h.crawl = time.Duration(rapid.SampledFrom([]int{0, 7, 1500, 60_000}).Draw(t, "crawl")) * time.Millisecond
	h.body = nil
	for range h.shift {
		h.body = append(h.body, "# moved down\n"...)
	}
	h.body = fmt.Appendf(h.body, "User-agent: bookbot\nDisallow: /private/\nAllow: /\nCrawl-delay: %v\n", h.crawl.Seconds())
	h.crawl = min(h.crawl, w.run.Policy.MaxCrawlDelay)
	w.versions = append(w.versions, RobotsVersion{Origin: h.origin, FetchedAt: h.now, Status: 200, Body: h.body})
}

func (w *world) page(t *rapid.T, h *worldHost) {
	if rapid.IntRange(0, 3).Draw(t, "private") == 0 {
		w.entries = append(w.entries, Entry{
			Start: h.now, Host: h.origin, URL: fmt.Sprintf("%s/private/%d", h.origin, len(w.entries)), Withheld: true,
			Reason: "robots.txt", RobotsHash: hashOf(h.body), Line: 2 + h.shift,
		})
		return
	}
	e := w.request(t, h, fmt.Sprintf("%s/%d", h.origin, len(w.entries)), Page)
	e.RobotsHash, e.Line = hashOf(h.body), 3+h.shift
}

// live adds some minutes of crawling.
func (w *world) live(t *rapid.T) {
	for _, h := range w.hosts {
		w.learn(t, h)
		for range rapid.IntRange(0, 12).Draw(t, "pages") {
			if rapid.IntRange(0, 9).Draw(t, "again") == 0 {
				w.learn(t, h)
			}
			w.page(t, h)
		}
	}
}

// restart lets every request end.
func (w *world) restart() {
	w.end = w.end.Add(time.Millisecond)
	for _, h := range w.hosts {
		h.now = w.end
	}
}

// write appends a process's part of the world in the order in which its
// requests ended.
func (w *world) write(t *rapid.T, dir string, started time.Time) {
	run := w.run
	run.Started = started
	l, err := open(dir, run, segmentSize, quickly)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(w.entries, func(a, b Entry) int { return cmp.Or(a.End.Compare(b.End), a.Start.Compare(b.Start)) })
	entries := w.entries
	for first := true; first || len(entries) > 0; first = false {
		n := min(rapid.IntRange(1, 30).Draw(t, "batch"), len(entries))
		var versions []RobotsVersion
		if first {
			versions = w.versions
		}
		if err := l.Append(entries[:n], versions); err != nil {
			t.Fatal(err)
		}
		entries = entries[n:]
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	w.entries, w.versions = nil, nil
}
