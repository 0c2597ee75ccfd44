package download

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/zeebo/xxh3"
)

// A small file waits for its batch in the folder that it goes to, under a name of
// amble's: file systems keep the files of a folder together where they are made, and
// renaming within a folder is the cheapest. One whose place is not known before its
// content is, and one that goes to a bucket, waits among the partial files. Which
// folders such files are in is noted, so that what a kill leaves is found.

// spot is where the data of a file waits, below the destination.
type spot struct{ dir, name string }

func (s spot) path() string { return path.Join(s.dir, s.name) }

const foldersName = "folders"

func (s *Store) foldersPath() string { return path.Join(s.partials.dir, foldersName) }

// waitingName is the name of data that waits in its own folder. Crawls that share a
// destination have names of their own.
func (s *Store) waitingName(id string) string {
	return fmt.Sprintf("%s%08x-%s%s", ownPrefix, uint32(xxh3.HashString(s.Crawl)), id, dataSuffix)
}

func (s *Store) isWaiting(name string) bool {
	return len(name) == len(s.waitingName(""))+idLength &&
		strings.HasPrefix(name, strings.TrimSuffix(s.waitingName(""), dataSuffix)) && strings.HasSuffix(name, dataSuffix)
}

// idWaiting is the file's of which isWaiting holds.
func (s *Store) idWaiting(name string) string {
	return strings.TrimSuffix(name, dataSuffix)[len(name)-len(dataSuffix)-idLength:]
}

func (s *Store) partialSpot(id string) spot { return spot{s.partials.dir, s.partials.dataName(id)} }

// spotOf is where a small file is to wait.
func (t *transfer) spotOf() (spot, error) {
	if t.early == "" || t.To != nil || t.Dedup {
		return t.partialSpot(t.id), nil
	}
	at := t.waitingSpot(t.early, t.id)
	if err := t.makeDir(t.early); err != nil {
		return spot{}, err
	}
	return at, t.noteFolder(at.dir)
}

// noteFolder notes that files wait in a folder, once. A machine that stops may forget
// it, and then a file of amble's stays there; nothing else hangs on it.
func (s *Store) noteFolder(dir string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.noted[dir] {
		return nil
	}
	line, err := json.Marshal(dir)
	if err != nil {
		return broken("noting the folder of", err)
	}
	if s.notes == nil {
		if s.notes, err = s.root.OpenFile(s.foldersPath(), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600); err != nil {
			return broken("noting the folder of", err)
		}
	}
	if _, err := s.notes.Write(append(line, '\n')); err != nil {
		return broken("noting the folder of", err)
	}
	if len(s.noted) >= maxDirs {
		clear(s.noted)
	}
	s.noted[dir] = true
	return nil
}

// make makes the file of a spot, empty. A folder of people's that does not let it is a
// place that cannot be had, and the failure of that file alone.
func (s *Store) make(at spot) (f *os.File, err error) {
	err = s.folders.in(at.dir, func(root *os.Root) error {
		f, err = root.OpenFile(at.name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o644)
		return err
	})
	switch {
	case err == nil:
		return f, nil
	case at.dir != s.partials.dir:
		return nil, placing(at.dir, err)
	}
	return nil, broken("making", err)
}

// drop takes away data that waits.
func (s *Store) drop(at spot) error {
	err := s.folders.in(at.dir, func(root *os.Root) error { return root.Remove(at.name) })
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return broken("removing", err)
	}
	return nil
}

// waits reports whether the data of a file is where it waits for its place.
func (s *Store) waits(name, id string) bool {
	for _, at := range []spot{s.partialSpot(id), {path.Dir(name), s.waitingName(id)}} {
		if _, err := s.root.Lstat(at.path()); err == nil {
			return true
		}
	}
	return false
}

// sweepFolders removes what a kill has left in the folders that were noted, but for what
// can be used.
func (s *Store) sweepFolders() error {
	data, err := s.root.ReadFile(s.foldersPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	swept := map[string]bool{}
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var dir string
		if json.Unmarshal(lines.Bytes(), &dir) != nil || !fs.ValidPath(dir) || swept[dir] {
			continue // such as a line that was not written to its end
		}
		swept[dir] = true
		if err := s.sweepFolder(dir); err != nil {
			return err
		}
	}
	if s.arrivals.any() {
		return nil
	}
	return s.root.Remove(s.foldersPath())
}

func (s *Store) sweepFolder(dir string) error {
	return ignoring(fs.ErrNotExist, s.folders.in(dir, func(root *os.Root) error {
		d, err := root.Open(".")
		if err != nil {
			return err
		}
		names, err := d.Readdirnames(-1)
		err = errors.Join(err, d.Close())
		for _, name := range names {
			if s.isWaiting(name) && !s.arrivals.has(s.idWaiting(name)) {
				err = errors.Join(err, ignoring(fs.ErrNotExist, root.Remove(name)))
			}
		}
		return err
	}))
}

func ignoring(what, err error) error {
	if errors.Is(err, what) {
		return nil
	}
	return err
}

// look is Lstat by way of the open folders. That there is no such folder is
// fs.ErrNotExist.
func (s *Store) look(name string) (info fs.FileInfo, err error) {
	err = s.folders.in(path.Dir(name), func(root *os.Root) error {
		info, err = root.Lstat(path.Base(name))
		return err
	})
	return info, err
}

// move gives data that waits its name.
func (s *Store) move(at spot, name string) error {
	if at.dir != path.Dir(name) {
		return s.root.Rename(at.path(), name)
	}
	return s.folders.in(at.dir, func(root *os.Root) error { return root.Rename(at.name, path.Base(name)) })
}
