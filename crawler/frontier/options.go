package frontier

import (
	"log/slog"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Defaults of Options.
const (
	DefaultMaxHosts    = 16_384
	DefaultMaxBuffered = 65_536
	DefaultSeenCache   = 8 << 20
	DefaultSeenFilter  = 64 << 20
	DefaultReadAhead   = 16 << 20
	DefaultBlockCache  = 192 << 20
	DefaultMemTable    = 64 << 20
)

// Options describe one frontier. Dir and Crawl are required.
type Options struct {
	// Dir is the state folder, made with mode 0700 when it is missing.
	Dir string
	// FS is the file system of Dir; nil means the real one.
	FS vfs.FS

	// Crawl names the crawl that owns the state.
	Crawl string
	// Version of the program, written into a new state for error messages.
	Version string
	// Fresh discards this crawl's state, if any, and starts anew.
	Fresh bool
	// Keep lists prefixes of the names under which Batch.Put values outlive
	// Fresh: what is known of hosts stays true when a run is given up.
	Keep []string
	// Spent tells which of these values are of no use any more; nil: none.
	Spent func(name string, value []byte) bool
	// KeepKnown has what is known of pages outlive Fresh too, where Keep is not empty.
	KeepKnown bool

	// Now is the clock, time.Now by default.
	Now func() time.Time
	// After returns a channel that receives once the duration has passed by
	// Now, and a function that frees the timer. By default a time.Timer.
	After func(time.Duration) (<-chan time.Time, func())

	// Log receives the store's own messages at debug level; nil discards them.
	Log *slog.Logger

	// MaxHosts bounds the hosts in memory, about 400 bytes each. Hosts with
	// leases out are always in memory, so that at most MaxHosts hosts can have
	// one.
	MaxHosts int
	// MaxBuffered bounds the queued requests held in memory over all hosts,
	// about 150 bytes each (those with a body or values count by their size); every host in memory may hold one beyond it.
	MaxBuffered int
	// SeenCache bounds the memory of the fingerprint cache in bytes.
	SeenCache int
	// SeenFilter bounds the memory, in bytes, of what tells new URLs from those
	// seen without a look-up: two bytes for each URL.
	SeenFilter int
	// ReadAhead bounds the memory, in bytes, of what is known of pages that a run with
	// KeepKnown has not come to: it is read when the run begins, and given up page by
	// page.
	ReadAhead int
	// BlockCache bounds the memory of the store in bytes: memtables, of which
	// up to four of MemTable bytes exist while the disk is slow, and blocks of
	// tables in what these leave. The filters of a large seen-set must fit in
	// that, or each look-up reads one from disk.
	BlockCache int
	MemTable   int

	// hash replaces the hash of host names, in tests.
	hash func(string) uint64
	// readAtOnce is up to how many URLs are read into the filter before Open
	// returns.
	readAtOnce int
	// readOnly opens the store without changing a file.
	readOnly bool
}

func (o Options) withDefaults() Options {
	if o.FS == nil {
		o.FS = privateFS{vfs.Default}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = func(d time.Duration) (<-chan time.Time, func()) {
			t := time.NewTimer(d)
			return t.C, func() { t.Stop() }
		}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.hash == nil {
		o.hash = hashHost
	}
	positive(&o.MaxHosts, DefaultMaxHosts)
	positive(&o.MaxBuffered, DefaultMaxBuffered)
	positive(&o.SeenCache, DefaultSeenCache)
	positive(&o.SeenFilter, DefaultSeenFilter)
	positive(&o.ReadAhead, DefaultReadAhead)
	positive(&o.BlockCache, DefaultBlockCache)
	positive(&o.MemTable, DefaultMemTable)
	positive(&o.readAtOnce, 32<<10)
	return o
}

func positive(n *int, def int) {
	if *n <= 0 {
		*n = def
	}
}
