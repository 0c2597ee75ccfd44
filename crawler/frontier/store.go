package frontier

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"syscall"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/bloom"
	"github.com/cockroachdb/pebble/v2/sstable"

	"github.com/amblecrawl/amble/crawler"
)

// store is Pebble made to fail as an error. The first failed write, background
// error or call of Logger.Fatalf is kept, closes failed, and is what every
// later call returns. Nothing is written after a failure: what the log holds up
// to it is what the next process finds.
type store struct {
	db   *pebble.DB
	dir  string
	stop stopper

	once   sync.Once
	failed chan struct{}
	cause  error // read after failed is closed
}

func newStore(o Options) *store {
	s := &store{dir: o.Dir, failed: make(chan struct{})}
	s.stop.fail, s.stop.stopped = s.fail, make(chan struct{})
	return s
}

func openStore(o Options, dir string) (*store, error) {
	s := newStore(o)
	cache := pebble.NewCache(int64(o.BlockCache))
	defer cache.Unref()
	log := storeLog{s: s, log: o.Log}
	var once sync.Once
	unwritten := make(chan struct{}) // closed when something could not be written in the background
	po := storeOptions()
	po.FS, po.Logger, po.Cache = stopFS{o.FS, &s.stop}, log, cache
	po.MemTableSize, po.ReadOnly = uint64(o.MemTable), o.readOnly
	po.EventListener = &pebble.EventListener{
		BackgroundError: func(err error) {
			s.fail(err)
			if !pebble.IsCorruptionError(err) {
				once.Do(func() { close(unwritten) })
			}
		},
		DataCorruption: func(info pebble.DataCorruptionInfo) { s.fail(info.Details) },
	}
	if lostManifest(o.FS, dir) {
		return nil, fmt.Errorf("state folder %s: %w: the file marker.manifest of its store is missing", o.Dir, ErrDamaged)
	}
	var err error
	s.db, err = s.open(dir, po, unwritten)
	s.stop.armed.Store(true)
	if err == nil && s.err() != nil {
		err = s.close() // damage that was met by what Pebble does in the background
	}
	if err == nil {
		return s, nil
	}
	if errors.Is(err, crawler.ErrStop) { // which names the folder
		return nil, err
	}
	// A file that is missing, too short or not what it should be is damage; what
	// else the system refuses to do is not.
	if errno := syscall.Errno(0); !errors.As(err, &errno) || errno == syscall.ENOENT {
		err = fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil, fmt.Errorf("state folder %s: %w", o.Dir, err)
}

// storeOptions are those of every store.
func storeOptions() *pebble.Options {
	o := &pebble.Options{
		FormatMajorVersion:          pebble.FormatTableFormatV6,
		MemTableStopWritesThreshold: 4,
		MaxOpenFiles:                128,
		// Fingerprints and hosts come in no order, so that merging a level into
		// the next rewrites all of that. Therefore many tables gather first, and
		// then there is one level up to a size, instead of several. It costs
		// readers little: new URLs are not looked up, and of a host's queue many
		// rows are read at once.
		L0CompactionThreshold: 20,
		L0StopWritesThreshold: 60,
		LBaseMaxBytes:         1 << 30,
	}
	o.TargetFileSizes[0] = 8 << 20
	o.Experimental.FileCacheShards = 1
	o.Levels[0].FilterPolicy = bloom.FilterPolicy(10)              // the others follow
	o.Levels[len(o.Levels)-1].FilterPolicy = pebble.NoFilterPolicy // it would not be read
	return o
}

// tableOptions are for reading one table of a store.
func tableOptions() sstable.ReaderOptions {
	o := storeOptions()
	o.EnsureDefaults()
	return o.MakeReaderOptions()
}

// open opens Pebble. On a full disk Pebble tries to write what it found in its
// log again and again, and its Open never returns: then it is left behind,
// and stops at its next write as stopFS has it.
func (s *store) open(dir string, po *pebble.Options, unwritten <-chan struct{}) (*pebble.DB, error) {
	var db *pebble.DB
	opened := make(chan error, 1)
	go func() {
		// Pebble may panic over what an open that fails leaves undone.
		opened <- guard(func() (err error) {
			db, err = pebble.Open(dir, po)
			return err
		})
	}()
	select {
	case err := <-opened:
		return db, err
	case <-unwritten:
		return nil, s.err()
	}
}

// guard turns a panic into an error.
func guard(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the store gave up: %v", r)
			if e, ok := r.(error); ok {
				err = fmt.Errorf("the store gave up: %w", e)
			}
		}
	}()
	return f()
}

// fail keeps the first failure. Pebble calls it with locks held: it only marks.
func (s *store) fail(err error) {
	s.once.Do(func() {
		if pebble.IsCorruptionError(err) || errors.Is(err, errCorrupt) {
			err = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		s.cause = fmt.Errorf("state folder %s: %w: %w", s.dir, crawler.ErrStop, err)
		close(s.failed)
	})
}

// err is the failure of the store, nil while it is whole.
func (s *store) err() error {
	select {
	case <-s.failed:
		return s.cause
	default:
		return nil
	}
}

// broken fails the store by err and returns what callers are to see.
func (s *store) broken(err error) error {
	s.fail(err)
	return s.err()
}

// run does work that writes. After a failure it leaves the work where it
// stopped and returns.
func (s *store) run(work func() error) error {
	if err := s.err(); err != nil {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- guard(work) }()
	select {
	case err := <-done:
		if err != nil {
			return s.broken(err)
		}
		return s.err() // Pebble may report to its logger only and return nil
	case <-s.failed:
		return s.cause
	}
}

// apply writes a batch and releases it. A synced one is durable on return.
func (s *store) apply(b *pebble.Batch, opt *pebble.WriteOptions) error {
	if err := s.run(func() error { return s.db.Apply(b, opt) }); err != nil {
		return err
	}
	return b.Close()
}

// get returns a copy of the value, nil when there is none.
func (s *store) get(key []byte) ([]byte, error) {
	var out []byte
	err := s.read(key, func(v []byte) error {
		out = append([]byte{}, v...)
		return nil
	})
	return out, err
}

// read calls f with the value, if any; f must not keep it.
func (s *store) read(key []byte, f func([]byte) error) error {
	if err := s.err(); err != nil {
		return err
	}
	v, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil
	}
	if err != nil {
		return s.broken(err)
	}
	if err = f(v); err == nil {
		err = closer.Close()
	} else {
		_ = closer.Close() // the first error is the cause
	}
	if err != nil {
		return s.broken(err)
	}
	return nil
}

// lookUp calls found for those of n keys that are there. The keys come in
// order.
func (s *store) lookUp(n int, key func(i int) []byte, found func(i int)) error {
	if n == 0 {
		return nil
	}
	if err := s.err(); err != nil {
		return err
	}
	it, err := s.db.NewIter(nil)
	if err != nil {
		return s.broken(err)
	}
	for i := 0; i < n && err == nil; i++ {
		if it.SeekPrefixGE(key(i)) {
			found(i)
		}
		err = it.Error()
	}
	if err = errors.Join(err, it.Close()); err != nil {
		return s.broken(err)
	}
	return nil
}

// scan calls f with the rows of [lower, upper) in order until it returns
// false. Key and value are valid during the call.
func (s *store) scan(lower, upper []byte, f func(k, v []byte) (bool, error)) error {
	if err := s.err(); err != nil {
		return err
	}
	it, err := s.db.NewIter(&pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return s.broken(err)
	}
	more := true
	for ok := it.First(); ok && more && err == nil; ok = more && it.Next() {
		more, err = f(it.Key(), it.Value())
	}
	if err = errors.Join(err, it.Close()); err != nil {
		return s.broken(err)
	}
	return nil
}

// host reads an h row, nil when there is none.
func (s *store) host(id uint64) (rec *hostRecord, err error) {
	err = s.read(hostKey(id), func(v []byte) error {
		h, err := decodeHost(v)
		rec = &h
		return err
	})
	return rec, err
}

// counts reads the counters that a format had.
func (s *store) counts(format int) (c counts, err error) {
	err = s.read(metaKey("counts"), func(v []byte) (err error) {
		c, err = decodeCounts(v, format)
		return err
	})
	return c, err
}

// close shuts the store down. One that failed to write is left to the end of
// the process; one that is damaged gives its lock back, for another to be begun.
func (s *store) close() error {
	if err := s.err(); err != nil && !errors.Is(err, ErrDamaged) {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- guard(s.db.Close) }()
	select {
	case err := <-done:
		if err != nil {
			return s.broken(err)
		}
	case <-s.stop.stopped:
	}
	return s.err()
}

// storeLog passes Pebble's messages on as debug lines.
type storeLog struct {
	s   *store
	log *slog.Logger
}

func (l storeLog) Infof(format string, args ...any) { l.line(format, args) }

func (l storeLog) Errorf(format string, args ...any) { l.line(format, args) }

// Fatalf must return: the caller's error path follows it.
func (l storeLog) Fatalf(format string, args ...any) {
	for _, a := range args {
		if err, ok := a.(error); ok {
			l.s.fail(err) // keeps the errno for errors.Is
		}
	}
	l.s.fail(fmt.Errorf(format, args...))
}

func (l storeLog) line(format string, args []any) {
	if l.log.Enabled(context.Background(), slog.LevelDebug) {
		l.log.Debug("store", "message", fmt.Sprintf(format, args...))
	}
}
