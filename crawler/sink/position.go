package sink

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
)

// CheckPosition compares the files on disk with what a run has committed to
// them, and changes nothing. A finding names the file.
func (j *JSONL) CheckPosition(position []byte) error { return checkFiles("jsonl", j.Path, position) }

// CheckPosition is as that of [JSONL].
func (c *CSV) CheckPosition(position []byte) error { return checkFiles("csv", c.Path, position) }

func checkFiles(format, path string, committed []byte) error {
	sizes, err := (&files{format: format}).decode(committed)
	if err != nil {
		return err
	}
	var wrong []error
	for _, key := range slices.Sorted(maps.Keys(sizes)) {
		if size := sizes[key]; key != stdoutPath && size > 0 {
			wrong = append(wrong, checkFile(realDisk{fenceOf(path)}, filepath.Join(root(path), filepath.FromSlash(key)), size))
		}
	}
	return errors.Join(wrong...)
}

func checkFile(d disk, path string, size int64) error {
	f, err := d.OpenFile(path, os.O_RDONLY, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s is missing, and the run has committed %d bytes of records to it", path, size)
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read from
	info, err := f.Stat()
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	case !info.Mode().IsRegular():
		return nil // cannot be cut back either
	case info.Size() < size:
		return fmt.Errorf("%s has %d bytes, and the run has committed %d", path, info.Size(), size)
	}
	last := make([]byte, 1)
	if _, err := f.ReadAt(last, size-1); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if last[0] != '\n' {
		return fmt.Errorf("%s is not the file that the run wrote: no record ends at byte %d", path, size)
	}
	return nil
}
