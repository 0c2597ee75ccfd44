package download

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"syscall"

	"github.com/amblecrawl/amble/crawler"
)

// kept is a file that waits for its commit, or the end of one that failed.
type kept struct {
	id    string
	end   string // endKept, or the class of a failure
	parts bool   // it was fetched in parts: the end is noted
	name  string
	sum   string
	url   string
	about manifest
	data
	// state tells that there is one beside the data, and that the data is synced.
	state bool
	// placed tells that it needs no renaming: it is in its place, or elsewhere.
	placed bool
	// elsewhere tells that it went to a bucket, or is kept under another's name.
	elsewhere bool
}

// Keep implements crawler.Files: all files are synced, then renamed, then their
// folders are synced.
func (s *Store) Keep(ctx context.Context, files []crawler.KeptFile, put map[string][]byte) ([]error, error) {
	all := make([]*kept, len(files))
	for i := range files {
		all[i] = files[i].(*kept)
	}
	if err := s.syncAll(ctx, all); err != nil {
		return nil, err
	}
	s.pending = true
	if err := s.writeJournal(all, put); err != nil {
		return nil, err
	}
	var lost []error
	dirs := map[string]bool{}
	for i, k := range all {
		err := s.place(k, dirs)
		if errors.Is(err, crawler.ErrStop) {
			return nil, err
		}
		if err != nil {
			if lost == nil {
				lost = make([]error, len(all))
			}
			lost[i] = err
			continue
		}
		if err := s.note(k, put); err != nil {
			return nil, err
		}
	}
	s.mu.Lock()
	for dir := range s.unsynced {
		dirs[dir] = true
	}
	clear(s.unsynced)
	s.mu.Unlock()
	return lost, s.syncDirs(dirs)
}

// place renames a file.
func (s *Store) place(k *kept, dirs map[string]bool) error {
	if k.end != endKept || k.placed || k.elsewhere {
		return nil
	}
	dir := path.Dir(k.name)
	if !dirs[dir] {
		if err := s.folders.check(dir); err != nil {
			return placing(k.name, err)
		}
	}
	if err := s.move(k.at, k.name); err != nil {
		return errors.Join(placing(k.name, err), s.drop(k.at))
	}
	k.placed = true
	dirs[dir] = true
	return nil
}

// placing tells a name that cannot be from a disk that fails.
func placing(name string, err error) error {
	for _, e := range []error{syscall.ENOTDIR, syscall.EISDIR, syscall.EEXIST, syscall.ENOTEMPTY, syscall.ENAMETOOLONG, syscall.EINVAL, syscall.ELOOP, fs.ErrInvalid} {
		if errors.Is(err, e) {
			return noPlace("there is no place for it at %s: %w", name, cause(err))
		}
	}
	for _, e := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, syscall.EIO, syscall.EMFILE, syscall.ENFILE, fs.ErrNotExist} {
		if errors.Is(err, e) {
			return broken("placing", err)
		}
	}
	return noPlace("there is no place for it at %s: %w", name, cause(err)) // such as a link that leads out
}

func cause(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	}
	return err
}

func (s *Store) note(k *kept, put map[string][]byte) error {
	if k.parts || k.state || k.end != endKept {
		put[keyEnd+k.id] = []byte(k.end)
	}
	if k.end != endKept {
		return nil
	}
	if k.name != "" {
		put[keyName+s.fold(k.name)] = []byte(k.id)
	}
	if !s.Dedup || k.sum == "" {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.contents[k.sum]; ok && c.URL == k.url {
		text, err := json.Marshal(c)
		if err != nil {
			return broken("noting", err)
		}
		put[keySum+k.sum] = text
	}
	return nil
}

// Committed implements crawler.Files.
func (s *Store) Committed(files []crawler.KeptFile) {
	s.pending = false
	for _, f := range files {
		k := f.(*kept)
		s.arrivals.forget(k.id)
		s.mu.Lock()
		delete(s.placed, k.id)
		delete(s.ends, k.id)
		if k.name != "" {
			delete(s.names, s.fold(k.name))
		}
		if c, ok := s.contents[k.sum]; ok && c.URL == k.url {
			delete(s.contents, k.sum)
		}
		s.mu.Unlock()
		if k.end == endKept && (k.state || k.elsewhere) {
			if err := s.partials.remove(k.id); err != nil {
				s.Log.Warn("what is left of a download could not be removed", "err", err)
			}
		}
	}
}
