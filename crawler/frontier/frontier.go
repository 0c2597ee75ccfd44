package frontier

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Frontier is a crawler.Frontier on an embedded store. Make one with Open.
type Frontier struct {
	opt     Options
	folder  *folder
	store   *store
	seen    *seenCache // filled by the writer
	learned bool       // pages of this process are known to the next run; f.mu
	filter  *seenFilter
	ahead   readAhead // what is known of pages that the run has not come to

	mu sync.Mutex
	// writing: somebody owns the right to write. Commit keeps it while the disk
	// works, without mu; maintenance inside Lease only takes it when it is free.
	writing bool
	closed  bool
	wake    chan struct{}   // closed and replaced when something changed
	waiters int             // those who wait for wake
	lessees []chan struct{} // those who wait in Lease; see notifyOne

	counts   counts
	hosts    map[uint64]*host // the working set
	ready    line
	waiting  dueHeap
	buffered int // requests in the buffers of all hosts

	clock clock

	// pending are states that the commit under way writes for hosts on disk.
	pending map[uint64]*hostState

	leases    map[uint64]*lease
	leased    map[leaseKey]*lease
	lastLease uint64

	// spill is where the r rows not yet looked at begin: every host on disk
	// with queued requests has its row there. spillDue is the time of the
	// first of them, or an earlier one; never when there is none.
	spill    readyPos
	spillDue int64
	retryDue int64 // the first d row, or an earlier time; never without one
}

var _ crawler.Frontier = (*Frontier)(nil)

// lease is a request that is out.
type lease struct {
	id      uint64
	host    *host
	item    item
	attempt uint8
	freed   bool // no longer occupies the host
	settled bool // a commit under way settles it
}

type leaseKey struct {
	host uint64
	fp   urls.Key
}

var errClosed = fmt.Errorf("%w: the frontier is closed", crawler.ErrStop)

// maxWait bounds one wait for the clock, so that a clock that was set or a
// machine that slept is noticed.
const maxWait = time.Minute

// Open opens the state in o.Dir, or makes it. Errors: crawler.ErrLocked,
// crawler.ErrForeignState and ErrDamaged as the package says; others are the
// file system's.
func Open(o Options) (*Frontier, error) {
	o = o.withDefaults()
	if o.Dir == "" || o.Crawl == "" {
		return nil, errors.New("a frontier needs a folder and the name of its crawl")
	}
	folder, err := openFolder(o)
	if err != nil {
		return nil, err
	}
	f, err := openIn(o, folder)
	if err != nil {
		return nil, errors.Join(err, folder.release())
	}
	return f, nil
}

// openIn opens the store of a folder and reads what memory starts from.
func openIn(o Options, folder *folder) (*Frontier, error) {
	s, err := openStore(o, folder.path(storeDir))
	if o.Fresh && len(o.Keep) > 0 {
		s, err = folder.startAfresh(o, s, err)
	}
	if err != nil {
		return nil, err
	}
	f := &Frontier{
		opt: o, folder: folder, store: s, seen: newSeenCache(o.SeenCache), filter: newSeenFilter(o.SeenFilter),
		wake:   make(chan struct{}),
		hosts:  make(map[uint64]*host),
		leases: make(map[uint64]*lease), leased: make(map[leaseKey]*lease),
	}
	if err := f.begin(); err != nil {
		f.filter.close(s)
		_ = s.close()                        // the first error says more
		if errors.Is(err, crawler.ErrStop) { // which names the folder
			return nil, err
		}
		return nil, fmt.Errorf("state folder %s: %w", o.Dir, err)
	}
	return f, nil
}

// begin brings the state up to this format, makes sure that nothing of it is
// missing, and notes that it is in use.
func (f *Frontier) begin() error {
	if err := f.folder.migrate(f.store); err != nil {
		return err
	}
	if err := f.load(format); err != nil {
		return err
	}
	if err := f.folder.checkEnding(f.counts.commit); err != nil {
		return err
	}
	if err := f.folder.remove(closedFile); err != nil {
		return err
	}
	if f.opt.Fresh && f.opt.KeepKnown {
		if err := f.ahead.fill(f.store, f.opt.ReadAhead); err != nil {
			return err
		}
	}
	return f.filter.open(f.store, f.counts.seen, int64(f.opt.readAtOnce))
}

// load reads the counters and the heads of the two time indexes from rows of a
// format.
func (f *Frontier) load(rows int) error {
	var err error
	if f.counts, err = f.store.counts(rows); err != nil {
		return err
	}
	if _, err := f.store.checkChain(f.counts.commit); err != nil {
		return err
	}
	var last int64
	err = f.store.read(metaKey("clock"), func(v []byte) error {
		r := reader{b: v}
		last = int64(min(r.uvarint(), lastTime))
		return r.err()
	})
	if err != nil {
		return err
	}
	f.clock.start(f.opt.Now, last)
	if f.spillDue, err = f.firstTime(readyRow); err != nil {
		return err
	}
	f.retryDue, err = f.firstTime(dueRow)
	return err
}

// firstTime is the time in the first row with the prefix.
func (f *Frontier) firstTime(prefix byte) (int64, error) {
	at := never
	err := f.store.scan([]byte{prefix}, []byte{prefix + 1}, func(k, _ []byte) (bool, error) {
		if len(k) < 17 {
			return false, errCorrupt
		}
		p, _ := splitReadyKey(k[:17])
		at = p.at
		return false, nil
	})
	return at, err
}

// Close implements crawler.Frontier. States of hosts newer than the last batch
// are kept too. After a storage failure it returns that failure.
func (f *Frontier) Close() error {
	f.mu.Lock()
	if f.closed {
		f.mu.Unlock()
		return nil
	}
	f.closed = true
	f.notify()
	f.awaitWriter()
	err := f.saveHosts()
	f.mu.Unlock()
	f.filter.close(f.store)
	if err == nil && f.learned {
		// Another run comes: it need not read the log and write the tables first.
		err = f.store.run(f.store.db.Flush)
	}
	if e := f.store.close(); e != nil {
		err = e
	}
	if err == nil {
		err = f.folder.end(f.counts.commit, f.opt.Now())
	}
	if e := f.folder.release(); e != nil && !errors.Is(e, fs.ErrNotExist) {
		err = errors.Join(err, e)
	}
	return err
}

// awaitWriter waits for the commit under way, which returns at once when the
// store fails. f.mu is held.
func (f *Frontier) awaitWriter() {
	for f.writing {
		wake := f.wake
		f.waiters++
		f.mu.Unlock()
		<-wake
		f.mu.Lock()
		f.waiters--
	}
}

// saveHosts writes every host state that the store does not have. f.mu is held.
func (f *Frontier) saveHosts() error {
	if f.store.err() != nil {
		return nil
	}
	b := f.store.db.NewBatch()
	for _, h := range f.hosts {
		if h.dirty {
			if err := h.save(b); err != nil {
				return f.store.broken(err)
			}
		}
	}
	if err := f.saveClock(b); err != nil {
		return f.store.broken(err)
	}
	return f.store.apply(b, pebble.Sync)
}

// saveClock keeps the time for the next process. f.mu is held.
func (f *Frontier) saveClock(b *pebble.Batch) error {
	return b.Set(metaKey("clock"), binary.AppendUvarint(nil, uint64(f.clock.now())), nil)
}

// usable is the error of a closed or failed frontier. f.mu is held.
func (f *Frontier) usable() error {
	if f.closed {
		return errClosed
	}
	return f.store.err()
}

// Get implements crawler.Frontier.
func (f *Frontier) Get(key string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.usable(); err != nil {
		return nil, err
	}
	return f.store.get(valueKey(key))
}

// Stats implements crawler.Frontier.
func (f *Frontier) Stats() crawler.FrontierStats {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := crawler.FrontierStats{
		Leased:  int64(len(f.leases)),
		Settled: f.counts.settled,
		Seen:    f.counts.seen,
		Hosts:   f.counts.hosts,

		Duplicates: f.counts.duplicates,
		Waiting:    int64(len(f.waiting)),
	}
	s.Queued = s.Seen - s.Settled - s.Leased
	due := min(f.retryDue, f.spillDue)
	if len(f.waiting) > 0 {
		due = min(due, f.waiting[0].state.notBefore)
	}
	if due != never {
		f.clock.now() // so that a clock that was just set back is noticed
		s.NextDueUnix = f.clock.outside(due).UnixNano()
	}
	return s
}

// Lookup implements crawler.Frontier.
func (f *Frontier) Lookup(name string, key urls.Key) (crawler.Standing, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	standing := crawler.Standing{State: "unknown"}
	if err := f.usable(); err != nil {
		return standing, err
	}
	id, rec, err := f.find(name, nil)
	if err != nil || rec == nil {
		return standing, err
	}
	standing.Host = f.export(&rec.state)
	row, err := f.store.get(stateKey(id, key))
	if err != nil || row == nil {
		return standing, err
	}
	v, err := decodeVerdict(row)
	if err != nil {
		return standing, f.store.broken(fmt.Errorf("state of a URL of %s: %w", name, err))
	}
	v.export(&standing)
	if l := f.leased[leaseKey{id, key}]; l != nil {
		standing.State, standing.Attempt = "leased", int(l.attempt)
	}
	return standing, nil
}

// find looks a host up by name, in memory and on disk. A nil record means that
// the host is new and id is free for it; taken, when not nil, knows of names
// that a batch under way gives a number. f.mu is held.
func (f *Frontier) find(name string, taken func(id uint64) (string, bool)) (id uint64, rec *hostRecord, err error) {
	for id = f.opt.hash(name); ; id++ {
		if h := f.hosts[id]; h != nil {
			if h.name == name {
				return id, &hostRecord{name: name, state: h.state, readyAt: h.readyAt}, nil
			}
			continue
		}
		if taken != nil {
			if other, ok := taken(id); ok && other != name {
				continue
			}
		}
		rec, err := f.store.host(id)
		if err != nil || rec == nil || rec.name == name {
			return id, rec, err
		}
	}
}
