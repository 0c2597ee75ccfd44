// Package garbage tunes how the runtime collects garbage while crawls run in this process,
// which share its collector: a small crawl by a percentage, large pages by a limit of
// memory. It is tuned back after the last of them, and where the environment has GOGC or
// GOMEMLIMIT it leaves to them what they say.
package garbage

import (
	"os"
	"runtime/debug"
	"runtime/metrics"
	"sync"
	"time"
)

const (
	// garbagePercent lets garbage grow to twice what is in use before it is
	// collected: a crawl makes much of it and holds little, so that 20 MiB more than
	// the runtime's own 100 save 6 to 10 percent of its CPU time. 300 would save 2 to
	// 3 more for another 20 MiB.
	garbagePercent = 200
	// OtherMemory is what a small crawl takes beside its pages, in bytes, with what waits
	// to be collected.
	OtherMemory = 96 << 20
)

// process is the tuning of this process.
var process tuning

// Tune tunes for a crawl whose pages may take so many bytes, until end is called. It is
// safe for concurrent use.
func Tune(pages int64) (end func()) { return process.begin(pages) }

// Given is the process's limit of memory in bytes as it was before any tuning,
// math.MaxInt64 where there is none. It is safe for concurrent use.
func Given() int64 { return process.given() }

// tuning holds while crawls run in this process, which share its collector. By
// garbagePercent a small crawl is collected; large pages, of which a few at once
// would triple, by a limit of memory near what all running crawls may take for
// pages. GOGC stands in for the first, GOGC or GOMEMLIMIT for the second, where the
// environment has them. It is safe for concurrent use.
type tuning struct {
	mu     sync.Mutex
	runs   int
	memory int64 // that the running crawls are to stay around

	percent int           // before the first of them
	limit   int64         // likewise
	stop    chan struct{} // ends following; nil where there is no limit
}

// begin tunes for a crawl whose pages may take so much, until end is called.
func (t *tuning) begin(pages int64) (end func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.runs++
	t.memory += pages + OtherMemory
	if t.runs == 1 {
		t.start()
	}
	t.adjust()
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.runs--
		t.memory -= pages + OtherMemory
		if t.runs == 0 {
			t.restore()
		}
		t.adjust()
	}
}

func (t *tuning) start() {
	if os.Getenv("GOGC") != "" {
		return
	}
	t.percent = debug.SetGCPercent(garbagePercent)
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	t.limit = debug.SetMemoryLimit(-1)
	t.stop = make(chan struct{})
	go t.follow(t.stop)
}

func (t *tuning) restore() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(t.percent)
	}
	if t.stop != nil {
		close(t.stop)
		t.stop = nil
		debug.SetMemoryLimit(t.limit)
	}
}

// follow adjusts the limit to what is in use, once a second.
func (t *tuning) follow(stop chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-stop:
			return
		case <-tick.C:
			t.mu.Lock()
			t.adjust()
			t.mu.Unlock()
		}
	}
}

func (t *tuning) adjust() {
	if t.stop != nil {
		debug.SetMemoryLimit(around(t.memory, inUse()))
	}
}

// around is the limit for crawls that are to stay around a memory. It is never so low
// that collecting becomes most of the work; where they need much more for themselves,
// such as a large frontier, garbage may become as much as what is in use.
func around(memory, live int64) int64 {
	return max(memory, live+live/4+max(0, live-2*memory))
}

// given is the process's limit of memory as it was before any tuning.
func (t *tuning) given() int64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.stop != nil {
		return t.limit
	}
	return debug.SetMemoryLimit(-1)
}

// inUse is how much the last collection found in use.
func inUse() int64 {
	live := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
	metrics.Read(live)
	if live[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return int64(live[0].Value.Uint64())
}
