package frontier

import (
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/frontier/frontiertest"
)

// TestContract runs the suite with a roomy and with a tiny working set, where
// every host is put out and brought in all the time, and with colliding hashes.
func TestContract(t *testing.T) {
	for name, o := range map[string]Options{
		"Roomy":    {},
		"Cramped":  {MaxHosts: 2, MaxBuffered: 3, SeenCache: 1, SeenFilter: 100, readAtOnce: 1},
		"Collides": {MaxHosts: 3, hash: func(name string) uint64 { return ^uint64(0) - uint64(len(name)%2) }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			frontiertest.Run(t, func() frontiertest.Harness { return harness(o) })
		})
	}
}

// disk is a file system in memory whose power can be cut at a write.
type disk struct {
	mu   sync.Mutex
	mem  *vfs.MemFS
	left atomic.Int64 // writes until the cut; negative: no cut is due
	seed uint64
	cut  *vfs.MemFS
}

// MaybeError counts writes; the cut comes before the one that reaches zero.
func (d *disk) MaybeError(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && d.left.Add(-1) == -1 {
		d.clone()
	}
	return nil
}

func (d *disk) String() string { return "power cut" }

func (d *disk) clone() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cut == nil {
		d.cut = d.mem.CrashClone(vfs.CrashCloneCfg{
			UnsyncedDataPercent: int(d.seed % 101), RNG: rand.New(rand.NewPCG(d.seed, 1)),
		})
	}
}

func harness(o Options) frontiertest.Harness {
	d := &disk{mem: vfs.NewCrashableMem()}
	d.left.Store(-2)
	clock := frontiertest.NewClock()
	var last *Frontier
	o.Dir, o.Crawl, o.Version = "/state/shop", "shop", "0.0.1"
	o.Now, o.After = clock.Now, clock.After
	o.MemTable, o.BlockCache = 256<<10, 1<<20
	if o.SeenCache == 0 {
		o.SeenCache = 4 << 10
	}
	return frontiertest.Harness{
		Clock:    clock,
		MaxHosts: o.MaxHosts,
		Open: func() (crawler.Frontier, error) {
			o.FS = errorfs.Wrap(d.mem, d)
			f, err := Open(o)
			if err == nil {
				last = f
			}
			return f, err
		},
		Crash: func(during func(), write int, seed uint64) bool {
			d.cut, d.seed = nil, seed
			d.left.Store(int64(write))
			during()
			mid := d.left.Swap(-2) < 0
			d.clone()
			if last != nil {
				_ = last.Close() // the old disk is not looked at again
			}
			last = nil
			d.mem = d.cut
			return mid
		},
		Close: func() {
			if last != nil {
				if err := last.Close(); err != nil && !errors.Is(err, crawler.ErrStop) {
					panic(err)
				}
			}
		},
	}
}
