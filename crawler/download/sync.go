package download

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	// syncers is how many files are synced at a time.
	syncers = 16
	// manyFiles is from how many files on their file system is synced as a whole, which
	// is one write of its journal and one of the disk's cache in place of as many as
	// there are files.
	manyFiles = 32
	// longSync is what that may take. A file system that others write much to takes
	// longer, and the next batches are synced file by file.
	longSync     = time.Second
	afterLong    = 100 // batches
	mostHeld     = 256 // small files that stay open until they are synced
	shareOfFiles = 8   // of the files that a process may have open
)

// data is that of a file which waits for its batch.
type data struct {
	at   spot
	file *os.File // nil where it is not open
}

// hold keeps a small file open until it is synced, where that saves opening it again.
func (s *Store) hold(f *os.File) *os.File {
	if s.whole == nil {
		if s.held.Add(1) <= s.mayHold {
			return f
		}
		s.held.Add(-1)
	}
	_ = f.Close() // syncing tells what could not be written
	return nil
}

// release closes what hold has kept open.
func (d *data) release(s *Store) {
	if d.file != nil {
		_ = d.file.Close()
		d.file = nil
		s.held.Add(-1)
	}
}

// needsSync tells small files, whose data nobody has synced.
func (k *kept) needsSync() bool { return k.end == endKept && !k.state && !k.placed && !k.elsewhere }

// syncAll syncs the data of small files; that of larger ones is.
func (s *Store) syncAll(ctx context.Context, all []*kept) error {
	var rest []*kept
	for _, k := range all {
		if k.needsSync() {
			rest = append(rest, k)
		}
	}
	if rest = s.syncWhole(rest); len(rest) == 0 {
		return nil
	}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(syncers)
	for _, k := range rest {
		group.Go(func() error {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			return s.syncData(k)
		})
	}
	return group.Wait()
}

// syncWhole syncs the file system of many files, and gives those that are to be synced
// one by one: that tells which of them could not be written.
func (s *Store) syncWhole(all []*kept) (rest []*kept) {
	if s.oneByOne > 0 {
		s.oneByOne--
		return all
	}
	if s.whole == nil || len(all) < manyFiles {
		return all
	}
	on := map[string]bool{}
	for _, k := range all {
		here, looked := on[k.at.dir]
		if !looked {
			info, err := s.root.Stat(k.at.dir)
			here = err == nil && s.whole.holds(info)
			on[k.at.dir] = here
		}
		if !here {
			rest = append(rest, k)
		}
	}
	began := time.Now()
	if err := s.whole.sync(); err != nil {
		s.Log.Warn("the file system could not be synced as a whole", "err", err)
		return all
	}
	if time.Since(began) > longSync {
		s.oneByOne = afterLong
	}
	return rest
}

func (s *Store) syncData(k *kept) error {
	defer k.release(s)
	f := k.file
	if f == nil {
		var err error
		err = s.folders.in(k.at.dir, func(root *os.Root) error {
			f, err = root.OpenFile(k.at.name, os.O_WRONLY, 0)
			return err
		})
		if err != nil {
			return broken("syncing", err)
		}
		defer f.Close()
	}
	if err := f.Sync(); err != nil {
		return broken("syncing", err)
	}
	return nil
}

// syncDirs syncs folders, each of which has new entries.
func (s *Store) syncDirs(dirs map[string]bool) error {
	var group errgroup.Group
	group.SetLimit(syncers)
	for dir := range dirs {
		group.Go(func() error { return s.syncDir(dir) })
	}
	return group.Wait()
}

func (s *Store) syncDir(dir string) error {
	d, err := s.root.Open(dir)
	if err != nil {
		return broken("syncing the folder of", err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return broken("syncing the folder of", err)
	}
	return nil
}

// atLeast compares a version of Linux, such as 6.1.0-rc1.
func atLeast(release string, major, minor int) bool {
	var a, b int
	if n, _ := fmt.Sscanf(release, "%d.%d", &a, &b); n != 2 {
		return false
	}
	return a > major || a == major && b >= minor
}
