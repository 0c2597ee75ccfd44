package frontier

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

const (
	// maxCopied bounds the logs that a snapshot reads into memory; a store has a
	// few of the size of its memtable.
	maxCopied = 512 << 20
	// A store that is being written to may drop a file while a snapshot is taken;
	// then it is taken again.
	snapshotTries = 8
	snapshotPause = 50 * time.Millisecond
)

// Snapshot is a state as one of its last commits left it, to be read only. It
// neither takes the lock nor writes, so that it can be had while a process works
// on the state; what that one holds in memory, such as its leases, is not in it.
// It is safe for concurrent use.
type Snapshot struct {
	f *Frontier
	// Busy tells that a process seemed to be at work on the state, which may have
	// gone on since.
	Busy bool
}

// OpenSnapshot reads the state in o.Dir, which must be there; a missing one is
// fs.ErrNotExist. Other errors are crawler.ErrForeignState and ErrDamaged, or say
// that the state changed too quickly to be read.
func OpenSnapshot(o Options) (*Snapshot, error) {
	o = o.withDefaults()
	id, err := readIdentity(o.FS, o.FS.PathJoin(o.Dir, identityFile))
	switch {
	case err != nil:
		return nil, fmt.Errorf("state folder %s: %w", o.Dir, err)
	case id.Crawl != o.Crawl:
		return nil, fmt.Errorf("state folder %s: %w: it belongs to crawl %q, this one is %q", o.Dir, crawler.ErrForeignState, id.Crawl, o.Crawl)
	case id.Format > format:
		return nil, newerFormat(o.Dir, id)
	}
	s := &Snapshot{}
	if _, err := o.FS.Stat(o.FS.PathJoin(o.Dir, pidFile)); err == nil {
		s.Busy = true
	}
	for try := 1; ; try++ {
		if s.f, err = snapshot(o, o.FS.PathJoin(o.Dir, storeDir), id.rows()); err == nil {
			return s, nil
		}
		switch {
		case try < snapshotTries:
		case s.Busy: // %v, since a file that is gone is not a state that is missing
			return nil, fmt.Errorf("state folder %s: it changes too quickly to be read: %v", o.Dir, err)
		default:
			return nil, fmt.Errorf("state folder %s: %w: %v", o.Dir, ErrDamaged, err)
		}
		ready, stop := o.After(snapshotPause)
		<-ready
		stop()
	}
}

func snapshot(o Options, dir string, rows int) (*Frontier, error) {
	view, err := takeView(o.FS, dir)
	if err != nil {
		return nil, err
	}
	s := newStore(o)
	cache := pebble.NewCache(int64(o.BlockCache))
	defer cache.Unref()
	po := storeOptions()
	po.FS, po.ReadOnly, po.Logger, po.Cache = view, true, storeLog{s: s, log: o.Log}, cache
	po.MemTableSize = uint64(o.MemTable)
	err = guard(func() (err error) {
		s.db, err = pebble.Open(dir, po)
		return err
	})
	if err = errors.Join(err, s.err()); err != nil {
		return nil, err
	}
	f := &Frontier{opt: o, store: s}
	if err := f.load(rows); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return f, nil
}

// Get returns a value that a batch has Put, or nil.
func (s *Snapshot) Get(key string) ([]byte, error) { return s.f.Get(key) }

// Lookup says where a URL stands.
func (s *Snapshot) Lookup(host string, key urls.Key) (crawler.Standing, error) {
	return s.f.Lookup(host, key)
}

// Stats counts requests by where they stand; leased ones are among the queued.
func (s *Snapshot) Stats() crawler.FrontierStats { return s.f.Stats() }

// Close frees what the snapshot holds.
func (s *Snapshot) Close() error {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	if s.f.closed {
		return nil
	}
	s.f.closed = true
	return s.f.store.close()
}

// view is a store's folder at one moment: the files that grow are copies in
// memory, and the tables, which never change once written, are read where they
// are. Nothing that is done to it reaches the disk.
type view struct {
	*vfs.MemFS
	live vfs.FS
}

// takeView copies what a store may go on writing to. The order matters: a log
// is dropped once the manifest names the tables that hold its content. So the
// logs come first, and a manifest copied later either still asks for a log that
// was copied, or names its tables. If these are gone by then, opening fails.
func takeView(live vfs.FS, dir string) (view, error) {
	v := view{vfs.NewMem(), live}
	if err := v.MkdirAll(dir, 0o700); err != nil {
		return v, err
	}
	left := int64(maxCopied)
	logs := func(name string) bool { return strings.HasSuffix(name, ".log") }
	if err := v.copyAll(dir, logs, &left); err != nil {
		return v, err
	}
	others := func(name string) bool {
		return strings.HasPrefix(name, "marker.") || strings.HasPrefix(name, "MANIFEST-") || strings.HasPrefix(name, "OPTIONS-")
	}
	return v, v.copyAll(dir, others, &left)
}

// copyAll copies the files of a kind in the order of their names, and so of
// their age. One that is dropped meanwhile was not needed any more.
func (v view) copyAll(dir string, wanted func(name string) bool, left *int64) error {
	names, err := v.live.List(dir)
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		if !wanted(name) {
			continue
		}
		err := v.copyFile(v.live.PathJoin(dir, name), left)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func (v view) copyFile(path string, left *int64) error {
	from, err := v.live.Open(path)
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := v.MemFS.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	n, err := io.Copy(to, io.LimitReader(from, *left+1))
	if *left -= n; *left < 0 {
		err = fmt.Errorf("its logs are larger than %d bytes", maxCopied)
	}
	return errors.Join(err, to.Close())
}

// onDisk tells the files that never change.
func onDisk(name string) bool {
	ext := filepath.Ext(name)
	return ext == ".sst" || ext == ".blob"
}

func (v view) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	if onDisk(name) {
		return v.live.Open(name, opts...)
	}
	return v.MemFS.Open(name, opts...)
}

func (v view) Stat(name string) (vfs.FileInfo, error) {
	if onDisk(name) {
		return v.live.Stat(name)
	}
	return v.MemFS.Stat(name)
}

func (v view) List(dir string) ([]string, error) {
	names, err := v.MemFS.List(dir)
	if err != nil {
		return nil, err
	}
	live, err := v.live.List(dir)
	if err != nil {
		return nil, err
	}
	for _, name := range live {
		if onDisk(name) {
			names = append(names, name)
		}
	}
	return names, nil
}

func (v view) Unwrap() vfs.FS { return v.live }
