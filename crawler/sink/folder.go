package sink

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// create makes a file with the folders above it.
func create(d disk, path string) (handle, error) {
	if err := makeFolder(d, filepath.Dir(path)); err != nil {
		return nil, err
	}
	return d.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
}

// makeFolder makes a folder and those above it, where they are missing, and
// makes each name durable before anything is put into the folder. So a folder
// that holds something is known to survive a power cut, and one that is empty
// may have been left by a process that died before it came to that.
func makeFolder(d disk, dir string) error {
	if empty, err := d.Empty(dir); err == nil && !empty {
		return nil
	}
	up := filepath.Dir(dir)
	if up == dir {
		return nil
	}
	if err := makeFolder(d, up); err != nil {
		return err
	}
	if err := d.Mkdir(dir, 0o755); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.SyncFolder(up)
}

// nail makes the name of a file durable that holds nothing committed: the
// process that made it may have died before it did so.
func (s *files) nail(path string) error {
	dir := filepath.Dir(path)
	if _, done := s.nailed[dir]; done {
		return nil
	}
	s.nailed[dir] = struct{}{}
	return s.disk.SyncFolder(dir)
}
