package cmd

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/frontier"
)

// moment is a point in a process's life at which it is killed. await returns
// there; false means that the process ended first.
type moment struct {
	name  string
	await func(t *testing.T, p *process, random *rand.Rand) bool
}

// moments are gone through in turn. What a moment hits depends on the machine;
// aftermath tells what it was. The store's compactions and power cuts at every
// single write are in-process tests of crawler/frontier and crawler/sink, where
// they can be had exactly.
var moments = []moment{
	{"at seeding", func(_ *testing.T, p *process, random *rand.Rand) bool {
		return p.awaitChange(p.crawl.storeSize) && p.pause(upTo(random, 5*time.Millisecond))
	}},
	{"at the first request", func(t *testing.T, p *process, random *rand.Rand) bool {
		return p.awaitRequests(t, 1) && p.pause(upTo(random, 2*time.Millisecond))
	}},
	{"at a first write to the outputs", func(_ *testing.T, p *process, _ *rand.Rand) bool {
		return p.awaitChange(p.crawl.outputSize)
	}},
	{"between two requests", func(t *testing.T, p *process, random *rand.Rand) bool {
		return p.awaitRequests(t, random.IntN(120)) && p.pause(upTo(random, 100*time.Millisecond))
	}},
	{"between write and commit", func(t *testing.T, p *process, random *rand.Rand) bool {
		return p.awaitRequests(t, 20+random.IntN(60)) && p.awaitChange(p.crawl.outputSize)
	}},
	{"at a commit", func(t *testing.T, p *process, random *rand.Rand) bool {
		return p.awaitRequests(t, 20+random.IntN(60)) && p.awaitChange(p.crawl.outputSize) &&
			p.awaitChange(p.crawl.storeSize)
	}},
	{"while opening", func(_ *testing.T, p *process, random *rand.Rand) bool {
		return p.pause(upTo(random, 60*time.Millisecond))
	}},
	{"at the last requests and while closing", func(t *testing.T, p *process, random *rand.Rand) bool {
		for p.crawl.distinct() < p.crawl.whole {
			if !p.pause(time.Millisecond) {
				return false
			}
		}
		return p.pause(upTo(random, 20*time.Millisecond))
	}},
}

func upTo(random *rand.Rand, d time.Duration) time.Duration {
	return time.Duration(random.Int64N(int64(d)))
}

// awaitChange watches a size as closely as it can.
func (p *process) awaitChange(size func() int64) bool {
	deadline := time.Now().Add(time.Minute)
	for before := size(); size() == before; {
		if time.Now().After(deadline) || !p.pause(50*time.Microsecond) {
			return false
		}
	}
	return true
}

// storeSize is the size of all that the state's store has written.
func (c *fixtureCrawl) storeSize() int64 { return sizeOf(filepath.Join(c.state(), "store", "*")) }

// outputSize is the size of all outputs.
func (c *fixtureCrawl) outputSize() int64 {
	var n int64
	for _, o := range killOutputs {
		n += sizeOf(o.files(c.dir, "*"))
	}
	return n
}

func (c *fixtureCrawl) state() string { return filepath.Join(c.dir, ".amble", c.name) }

func sizeOf(pattern string) (n int64) {
	paths, _ := filepath.Glob(pattern) // the patterns are good ones
	for _, path := range paths {
		if info, err := os.Stat(path); err == nil {
			n += info.Size()
		}
	}
	return n
}

// distinct is how many different URLs the servers were asked for.
func (c *fixtureCrawl) distinct() (n int) {
	for _, h := range c.web.Account().Hosts() {
		n += len(h.Paths)
	}
	return n
}

// aftermath tells from what a killed process left behind where it was. It looks
// at a copy: opening a state mends it, which is for the next process to do.
func (c *fixtureCrawl) aftermath(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "copy")
	if err := os.CopyFS(dir, os.DirFS(c.state())); errors.Is(err, fs.ErrNotExist) {
		return "before the state was made"
	} else if err != nil {
		t.Fatal(err)
	}
	f, err := frontier.Open(frontier.Options{Dir: dir, Crawl: c.name})
	if err != nil {
		t.Fatalf("what a kill left behind cannot be opened: %v", err)
	}
	defer f.Close()
	accounted(t, f)
	run, found, err := crawler.ReadRun(f)
	stats := f.Stats()
	switch {
	case err != nil:
		t.Fatal(err)
	case !found:
		return "before the run was begun"
	case stats.Seen == 0:
		return "before the seeds were in"
	case run.Finished:
		return "after the run was finished"
	case c.uncommitted(t, f, run) > 0:
		return "between the outputs and the commit"
	case stats.Settled == stats.Seen:
		return "after the last commit, before the end"
	case stats.Settled == 0:
		return "before the first page was committed"
	}
	return "between two commits"
}

// uncommitted is how many bytes the outputs have beyond their committed sizes.
func (c *fixtureCrawl) uncommitted(t *testing.T, f *frontier.Frontier, run crawler.RunState) (n int64) {
	t.Helper()
	for _, name := range run.Outputs {
		data, err := f.Get("sink/" + name)
		if err != nil {
			t.Fatal(err)
		}
		var position struct{ Files map[string]int64 }
		if json.Unmarshal(data, &position) != nil {
			continue // a sink whose position does not tell of files
		}
		for path, size := range position.Files {
			info, err := os.Stat(filepath.Join(c.dir, filepath.FromSlash(path)))
			if err != nil {
				t.Fatalf("a committed output is gone: %v", err)
			}
			n += info.Size() - size
		}
	}
	return n
}

// reach starts the crawl and kills it at a moment; false means that it had
// finished by then.
func (c *fixtureCrawl) reach(t *testing.T, m moment, random *rand.Rand) bool {
	t.Helper()
	p := c.start(t)
	reached := m.await(t, p, random)
	if p.kill() == nil {
		return false
	}
	if !reached || !killed(p.err) {
		t.Fatalf("amble run ended by itself: %v\n%s", p.err, &p.out)
	}
	return true
}

// killed reports whether a process was ended by a signal and not by itself.
func killed(err error) bool {
	return err != nil && !errors.Is(err, context.Canceled) && strings.Contains(err.Error(), "killed")
}
