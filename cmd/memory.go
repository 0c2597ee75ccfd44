package cmd

import (
	"context"
	"math"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"github.com/amblecrawl/amble/crawler/config"
)

const (
	// usualMemory is that of pages in flight where nobody has said.
	usualMemory = 128 << 20
	// leastMemory is what they get under whatever limit.
	leastMemory = 8 << 20
	// otherMemory is what the rest of a small crawl takes, with what waits to be
	// collected.
	otherMemory = 96 << 20
)

// pageMemory is what the pages in flight may take, in bytes: first while they
// arrive, then while they are read until they are committed. Under a limit of
// the process's memory (GOMEMLIMIT) half of it is left to everything else.
func pageMemory(cfg *config.Config) (arriving, read int64) {
	all := int64(cfg.Fetch.Memory)
	if all == 0 {
		all = usualMemory
		if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
			all = max(limit/2, leastMemory)
		}
	}
	return all / 4, all - all/4
}

// stayAround keeps the process near the memory of its pages until stop is
// called. The runtime alone lets as much garbage lie about as is in use, which
// doubles what a few large pages take. It does nothing where the environment
// says how to collect, and leaves a crawl alone that needs more for itself, such
// as a large frontier.
func stayAround(ctx context.Context, pages int64) (stop func()) {
	if os.Getenv("GOMEMLIMIT") != "" || os.Getenv("GOGC") != "" {
		return func() {}
	}
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	limit := pages + otherMemory
	before := debug.SetMemoryLimit(limit)
	go func() {
		defer close(done)
		defer debug.SetMemoryLimit(before)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			// Never so low that collecting becomes most of the work.
			live, now := inUse(), limit
			switch {
			case live > 2*limit:
				now = before
			case live > limit/3*2:
				now = live + live/4
			}
			debug.SetMemoryLimit(now)
		}
	}()
	return func() { cancel(); <-done }
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
