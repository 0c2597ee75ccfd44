package frontier

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// DiskUse is what a state takes on disk, in bytes.
type DiskUse struct {
	// Spaces are the rows by their kind, as far as they are in tables; the rest
	// is in the logs.
	Spaces []Space `json:"rows"`
	// Files are the store's files by their kind. Among the logs are some that
	// are kept to be written again.
	Files  map[string]int64 `json:"files"`
	Ledger int64            `json:"ledger"`
	Total  int64            `json:"total"`
}

// Space is one kind of row.
type Space struct {
	Rows  string `json:"kind"`
	Bytes int64  `json:"bytes"`
}

var spaces = []struct {
	prefix byte
	name   string
}{
	{stateRow, "url states"}, {queueRow, "queue"}, {dueRow, "retries"}, {hostRow, "hosts"},
	{readyRow, "turns of hosts"}, {valueRow, "values"}, {chainRow, "commits"}, {metaRow, "counts"},
	{knownRow, "known pages"}, {contentsRow, "contents of known pages"},
}

// DiskUse measures the files; what the rows take is an estimate of the store.
func (r *Reader) DiskUse() (DiskUse, error) {
	u, err := filesOf(r.folder.fs, r.folder.dir)
	if err != nil {
		return u, err
	}
	for _, s := range spaces {
		n, err := r.store.db.EstimateDiskUsage([]byte{s.prefix}, []byte{s.prefix + 1})
		if err != nil {
			return u, r.store.broken(err)
		}
		u.Spaces = append(u.Spaces, Space{s.name, int64(n)})
	}
	return u, nil
}

// filesOf measures a state folder, links not followed.
func filesOf(fsys vfs.FS, dir string) (DiskUse, error) {
	u := DiskUse{Files: map[string]int64{}}
	store := fsys.PathJoin(dir, storeDir)
	err := eachFile(fsys, store, func(name string, size int64) {
		u.Files[kindOf(name).String()] += size
		u.Total += size
	})
	if err != nil {
		return u, err
	}
	err = eachFile(fsys, fsys.PathJoin(dir, ledgerDir), func(_ string, size int64) { u.Ledger += size })
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return u, err
	}
	u.Total += u.Ledger
	return u, eachFile(fsys, dir, func(_ string, size int64) { u.Total += size })
}

func eachFile(fsys vfs.FS, dir string, f func(name string, size int64)) error {
	names, err := fsys.List(dir)
	if err != nil {
		return err
	}
	for _, name := range names {
		info, err := fsys.Stat(fsys.PathJoin(dir, name))
		if errors.Is(err, fs.ErrNotExist) {
			continue // the store removes files as it likes
		}
		if err != nil {
			return err
		}
		if !info.IsDir() {
			f(filepath.Base(name), info.Size())
		}
	}
	return nil
}

// Compacted says what compacting a state gave, in bytes on disk.
type Compacted struct {
	Before int64 `json:"before"`
	After  int64 `json:"after"`
}

// Compact rewrites a state so that it takes no more room than it needs. A state
// of an older format is brought up to this one. It can be stopped by ctx, and
// leaves the state whole then.
func Compact(ctx context.Context, dir, version string) (Compacted, error) {
	id, err := Peek(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Compacted{}, fmt.Errorf("state folder %s: %w", dir, ErrNoState)
	}
	if err != nil {
		return Compacted{}, err
	}
	before, err := filesOf(vfs.Default, dir)
	if err != nil {
		return Compacted{}, err
	}
	f, err := Open(Options{Dir: dir, Crawl: id.Crawl, Version: version})
	if err != nil {
		return Compacted{}, err
	}
	err = f.store.run(func() error {
		err := f.store.db.Compact(ctx, []byte{0}, []byte{0xff}, false)
		if ctx.Err() != nil {
			return nil // the store is as good as before
		}
		return err
	})
	if err = errors.Join(err, ctx.Err()); err != nil {
		return Compacted{}, errors.Join(fmt.Errorf("compacting: %w", err), f.Close())
	}
	if err := f.Close(); err != nil {
		return Compacted{}, err
	}
	// What the store kept for its next log goes when it is opened.
	after, err := filesOf(vfs.Default, dir)
	return Compacted{before.Total, after.Total}, err
}
