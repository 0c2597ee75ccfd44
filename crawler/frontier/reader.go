package frontier

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Reader reads a state that no process has open. It holds the state's lock,
// and changes nothing. It is for one goroutine.
type Reader struct {
	folder *folder
	store  *store
	counts counts
	newest link
	// temporary: the folder goes with the reader.
	temporary bool
	// Cut says what of the end or the middle of the store is missing, if
	// something is: the rest can be read all the same.
	Cut error
}

// OpenReader opens a state for reading. Errors: [ErrNoState], and those
// of Open.
func OpenReader(dir string) (*Reader, error) {
	folder, err := holdFolder(vfs.Default, dir)
	if err != nil {
		return nil, err
	}
	r, err := folder.read()
	if err != nil {
		return nil, errors.Join(err, folder.release())
	}
	return r, nil
}

// holdFolder locks a folder that is or was a state.
func holdFolder(fsys vfs.FS, dir string) (*folder, error) {
	f := &folder{fs: fsys, dir: dir}
	for _, name := range []string{identityFile, storeDir, discardFile} {
		if _, err := f.fs.Stat(f.path(name)); err == nil {
			return f, f.takeLock()
		}
	}
	return nil, fmt.Errorf("state folder %s: %w", dir, ErrNoState)
}

func (f *folder) read() (*Reader, error) {
	id, err := readIdentity(f.fs, f.path(identityFile))
	switch {
	case err != nil:
		return nil, fmt.Errorf("state folder %s: %w", f.dir, err)
	case id.Format > format:
		return nil, newerFormat(f.dir, id)
	}
	f.id = id
	return f.readStore()
}

// readStore opens the store whatever the identity says of it.
func (f *folder) readStore() (*Reader, error) {
	s, err := openStore(Options{FS: f.fs, Dir: f.dir, readOnly: true}.withDefaults(), f.path(storeDir))
	if err != nil {
		return nil, err
	}
	r := &Reader{folder: f, store: s}
	rows := f.id.rows()
	if rows == 0 {
		rows = format // the STATE file is damaged; others are rare
	}
	if r.counts, err = s.counts(rows); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if r.newest, r.Cut = s.checkChain(r.counts.commit); r.Cut == nil {
		r.Cut = f.checkEnding(r.counts.commit)
	}
	return r, nil
}

// Close frees the state.
func (r *Reader) Close() error {
	err := errors.Join(r.store.close(), r.folder.release())
	if r.temporary {
		err = errors.Join(err, os.RemoveAll(r.folder.dir))
	}
	return err
}

// Identity says whose state it is.
func (r *Reader) Identity() Identity { return r.folder.id }

// Get returns a value that a batch has Put, or nil.
func (r *Reader) Get(key string) ([]byte, error) { return r.store.get(valueKey(key)) }

// LastCommit is the number of commits and the time of the last one, zero where
// that was made by a format that did not note it.
func (r *Reader) LastCommit() (n uint64, at time.Time) { return r.counts.commit, timeOf(r.newest.at) }

// Lookup says where a URL stands.
func (r *Reader) Lookup(host string, key urls.Key) (crawler.Standing, error) {
	standing := crawler.Standing{State: "unknown"}
	for id := hashHost(host); ; id++ {
		rec, err := r.store.host(id)
		if err != nil || rec == nil {
			return standing, err
		}
		if rec.name != host {
			continue
		}
		row, err := r.store.get(stateKey(id, key))
		if err != nil || row == nil {
			return standing, err
		}
		v, err := decodeVerdict(row)
		if err != nil {
			return standing, r.store.broken(fmt.Errorf("state of a URL of %s: %w", host, err))
		}
		v.export(&standing)
		return standing, nil
	}
}
