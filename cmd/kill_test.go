package cmd

import (
	"bytes"
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/fixtures"
)

var killConfig = `
name: killed
seeds:
  - http://books.example/
  - http://quotes.example/
  - http://news.example/
scope: {drop_params: [utm_*]}
politeness: {agent: killbot, contact: https://killed.example/bot, delay: 10ms}
fetch:
  allow_private: true
extract:
  book:
    match: "/catalogue/*/index.html"
    fields: {title: {css: h1}, price: {css: .price_color, as: number}, tags: {css: ".breadcrumb a", all: true}}
  quote:
    each: {css: .quote}
    schema: {properties: {text: {maxLength: 70}}}
    fields: {text: {css: .text}, author: {css: .author}}
  article:
    match: "**/2026/**"
    fields: {title: {css: h1}, published: {css: time, attr: datetime, as: date}}
commit: {pages: 4, interval: 50ms}
` + killOutputsConfig()

const (
	killDelay = 10 * time.Millisecond
	killSeed  = 20260401
)

var killKinds = []string{"book", "quote", "article"}

// kills is how often the crawl is killed: AMBLE_KILLS, or once at each moment.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("AMBLE_KILLS")
	if text == "" {
		return len(moments)
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("AMBLE_KILLS is %q, want a number of kills", text)
	}
	return n
}

// seed is where the random numbers of a crash test begin: AMBLE_SEED, or a
// fixed one.
func seed(t *testing.T) uint64 {
	t.Helper()
	n := uint64(killSeed)
	if text := os.Getenv("AMBLE_SEED"); text != "" {
		var err error
		if n, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatalf("AMBLE_SEED is %q, want a number", text)
		}
	}
	t.Logf("AMBLE_SEED=%d", n)
	return n
}

// TestKilled kills a crawl again and again, at moments in turn and at times that
// a seed decides, and resumes it. Nothing may tell from its records that it was
// not left alone.
func TestKilled(t *testing.T) {
	t.Parallel()
	calm := newFixtureCrawl(t, killConfig, fixtures.Options{Hosts: contentHosts})
	calm.run(t)
	random := rand.New(rand.NewPCG(seed(t), 0))
	for left, turn, missed := kills(t), 0, 0; left > 0; {
		c := newFixtureCrawl(t, killConfig, fixtures.Options{Hosts: contentHosts})
		c.whole = calm.distinct()
		n := killUntilDone(t, c, random, turn, min(left, 2*len(moments)))
		if n == 0 {
			// On a quick machine it may end before the last moments.
			if missed++; missed == 2*len(moments) {
				t.Fatal("the crawl ends before it can be killed")
			}
			turn++
		}
		t.Logf("finished after %d kills and %d requests", n, c.served())
		left, turn = left-n, turn+n
		compareCrawls(t, c, calm)
		judgeManners(t, c.web, "killbot", killDelay, 1)
		tell(t, "requests seen by the servers of killed crawls", c.served())
	}
	tell(t, "batches that a receiver got again, and dropped", killReceiver().repeated())
}

// killUntilDone starts the crawl until it ends by itself, killing it at most n
// times at one moment after the other, and returns how often it did.
func killUntilDone(t *testing.T, c *fixtureCrawl, random *rand.Rand, turn, n int) int {
	t.Helper()
	for i := range n {
		m := moments[(turn+i)%len(moments)]
		if !c.reach(t, m, random) {
			return i // it had just finished
		}
		tell(t, "killed "+m.name, 1)
		tell(t, "it was hit "+c.aftermath(t), 1)
		tearOutputs(t, c)
	}
	c.run(t)
	return n
}

// TestKilledRunOwesItsDelay kills a crawl whose delay is longer than a restart
// takes: the next process must wait for what the last one owed.
func TestKilledRunOwesItsDelay(t *testing.T) {
	t.Parallel()
	const delay = 1500 * time.Millisecond
	c := newFixtureCrawl(t, killConfig, fixtures.Options{Hosts: contentHosts})
	set := []string{"--set", "politeness.delay=" + delay.String(), "--set", "scope.max_pages=4"}
	for _, requests := range []int{3, 6} { // within robots.txt, and after the first pages
		p := c.start(t, set...)
		if !p.awaitRequests(t, requests) || p.kill() == nil {
			t.Fatalf("the run ended by itself: %v\n%s", p.err, &p.out)
		}
	}
	c.run(t, set...)
	judgeManners(t, c.web, "killbot", delay, 1)
}

// TestNewRunOwesItsDelay starts over where a run was killed, and again where one
// has just finished: a server cannot tell one run from another.
func TestNewRunOwesItsDelay(t *testing.T) {
	t.Parallel()
	const delay = 1500 * time.Millisecond
	c := newFixtureCrawl(t, killConfig, fixtures.Options{Hosts: contentHosts})
	set := []string{"--set", "politeness.delay=" + delay.String(), "--set", "scope.max_pages=1"}
	p := c.start(t, set...)
	if !p.awaitRequests(t, 3) || p.kill() == nil {
		t.Fatalf("the run ended by itself: %v\n%s", p.err, &p.out)
	}
	c.run(t, append(set, "--fresh")...)
	c.run(t, set...)
	judgeManners(t, c.web, "killbot", delay, 1)
}

// TestKilledRunOwesRetryAfter kills a crawl whose host has asked to be left
// alone. What a host asks for is committed at once, however long batches wait.
func TestKilledRunOwesRetryAfter(t *testing.T) {
	t.Parallel()
	const wait = 3 * time.Second
	config := "name: later\nseeds: [http://awkward.example/tomorrow, http://awkward.example/]\nlinks: false\n" +
		"politeness: {delay: 10ms, max_retry_after: " + wait.String() + "}\nfetch:\n  allow_private: true\n  retries: 0\ncommit: {interval: 40s}\n"
	c := newFixtureCrawl(t, config, fixtures.Options{Hosts: awkwardHosts})
	p := c.start(t)
	if !p.awaitRequests(t, 2) { // robots.txt and the 429
		t.Fatalf("the run ended by itself: %v\n%s", p.err, &p.out)
	}
	told := time.Now()
	if !p.pause(wait/4) || p.kill() == nil { // long enough for the answer to be committed
		t.Fatalf("the run ended by itself: %v\n%s", p.err, &p.out)
	}
	p = c.start(t)
	if !p.awaitRequests(t, 1) {
		t.Fatalf("amble run: %v\n%s", p.err, &p.out)
	}
	// The answer came a little before it was noticed here.
	if waited := time.Since(told); waited < wait-100*time.Millisecond {
		t.Errorf("the host was asked again after %v, it had asked for %v", waited, wait)
	}
	if <-p.done; p.err != nil {
		t.Errorf("amble run: %v\n%s", p.err, &p.out)
	}
}

// TestInterrupted stops a crawl in the usual way: what is in flight finishes
// and is kept, so that nothing is fetched twice.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	latency := fixtures.Options{Hosts: contentHosts, Latency: 4 * time.Millisecond}
	calm, c := newFixtureCrawl(t, killConfig, latency), newFixtureCrawl(t, killConfig, latency)
	undisturbed := calm.start(t)
	random := rand.New(rand.NewPCG(killSeed, 1))
	const interrupts = 3
	var run string
	for i := range interrupts {
		p := c.start(t, "--summary", c.dir+"/summary.json")
		if !p.awaitRequests(t, 40+random.IntN(60)) || !p.pause(time.Duration(random.IntN(int(20*time.Millisecond)))) {
			t.Fatalf("the crawl ended by itself: %v\n%s", p.err, &p.out)
		}
		if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		<-p.done
		var exit *exec.ExitError
		if !errors.As(p.err, &exit) || exit.ExitCode() != 130 {
			t.Fatalf("interrupted, it ended with %v, want exit status 130\n%s", p.err, &p.out)
		}
		s := readJSON[crawler.Summary](t, c.dir+"/summary.json")
		if s.Status != crawler.StatusInterrupted || s.Pending == 0 || s.Resumed != (i > 0) || i > 0 && s.Run != run ||
			int(s.Requests) != c.served() {
			t.Errorf("after %d requests the summary says %+v", c.served(), s)
		}
		run = s.Run
	}
	if out := c.run(t); !bytes.Contains([]byte(out), []byte("resuming")) {
		t.Errorf("it does not say that it resumes:\n%s", out)
	}
	for _, h := range c.web.Account().Hosts() {
		for path, n := range h.Paths {
			if path == "/robots.txt" {
				if n != 1 { // the copy outlives the process
					t.Errorf("%s: robots.txt was fetched %d times by %d processes", h.Host, n, interrupts+1)
				}
			} else if n != 1 {
				t.Errorf("%s%s was fetched %d times", h.Host, path, n)
			}
		}
	}
	if <-undisturbed.done; undisturbed.err != nil {
		t.Fatalf("amble run: %v\n%s", undisturbed.err, &undisturbed.out)
	}
	compareCrawls(t, c, calm)
	judgeManners(t, c.web, "killbot", killDelay, 1)
}

// compareCrawls expects two crawls to have the same records and the same
// outcomes, each once.
func compareCrawls(t *testing.T, got, want *fixtureCrawl) {
	t.Helper()
	for _, o := range killOutputs {
		for _, kind := range killKinds {
			records := o.read(t, o.files(got.dir, kind))
			compareCounts(t, o.sink+" "+kind, withoutTimes(t, records), withoutTimes(t, o.read(t, o.files(want.dir, kind))))
			if twice := writtenTwice(records); len(twice) > 0 {
				t.Errorf("%s: written twice: %v", o.sink, twice)
			}
			sameRun(t, records)
			tell(t, "records compared in "+o.sink, len(records))
		}
	}
	for _, kind := range killKinds {
		got.records(t, kind) // jsonl and csv agree
	}
	compareTrust(t, got, want)
	f, calm := got.frontier(t), want.frontier(t)
	defer f.Close()
	defer calm.Close()
	s, w := f.Stats(), calm.Stats()
	if s.Queued != 0 || s.Leased != 0 || s.Settled != s.Seen || s.Seen != w.Seen || s.Hosts != w.Hosts {
		t.Errorf("the frontier says %+v, undisturbed %+v", s, w)
	}
	accounted(t, f)
	totals, err := crawler.ReadTotals(f)
	if err != nil {
		t.Fatal(err)
	}
	calmTotals, err := crawler.ReadTotals(calm)
	if err != nil {
		t.Fatal(err)
	}
	if totals.Pages != calmTotals.Pages || totals.Disallowed != calmTotals.Disallowed || totals.Failed != 0 ||
		!maps.Equal(totals.Records, calmTotals.Records) || totals.Pages+totals.Disallowed != s.Settled {
		t.Errorf("the totals are %+v, undisturbed %+v", totals, calmTotals)
	}
	for _, h := range want.web.Account().Hosts() {
		for path := range h.Paths {
			if path == "/robots.txt" {
				continue
			}
			if s := standing(t, f, "http://"+h.Host+path); s.State != "settled" || s.Class != crawler.ClassFetched || s.Status != 200 {
				t.Errorf("http://%s%s stands as %+v", h.Host, path, s)
			}
		}
	}
}

// withoutTimes counts records by all they say but for when and by which run
// they were got.
func withoutTimes(t *testing.T, records []record) map[string]int {
	t.Helper()
	n := map[string]int{}
	for _, r := range records {
		r := maps.Clone(r)
		delete(r, "_run")
		delete(r, "_fetched_at")
		n[mustJSON(t, r)]++
	}
	return n
}
