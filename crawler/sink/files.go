package sink

import (
	"bytes"
	"container/list"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"

	"github.com/amblecrawl/amble/crawler"
)

// Bounds of one sink.
const (
	maxOpen    = 64       // files open at once
	maxFiles   = 4096     // files in all
	bufferSize = 64 << 10 // bytes buffered for a file before they are written
)

// files are the files of one sink: which record type goes where, which of them
// are open, and the position that makes them exactly-once.
type files struct {
	disk   disk
	format string // the sink's ID, kept in positions
	path   string // the template
	run    crawler.RunInfo

	byKey  map[string]*file
	byType map[string]*file
	byFold map[string]string   // a key for each name that some file systems take for the same
	used   list.List           // of *file, open ones, the most recently used first
	nailed map[string]struct{} // folders whose names are durable
	err    error               // the first failure, or that it is closed; nothing is written after it
}

var (
	errNotOpen = errors.New("the sink is not open")
	errOpen    = errors.New("the sink is open already")
)

// position is what Flush returns, as JSON.
type position struct {
	Sink  string           `json:"sink"`
	Files map[string]int64 `json:"files"` // sizes by path below the template's root
}

// openFiles opens and cuts the files of all announced record types and of the
// position. Nothing is changed on disk, save for new empty files, before all of
// them have been opened.
func openFiles(d disk, format, path string, run crawler.RunInfo, committed []byte) (_ *files, err error) {
	s := &files{
		disk: d, format: format, path: path, run: run,
		byKey: map[string]*file{}, byType: map[string]*file{}, byFold: map[string]string{}, nailed: map[string]struct{}{},
	}
	if d == nil {
		s.disk = realDisk{fenceOf(path)}
	}
	defer func() {
		if err != nil {
			_ = s.close()
		}
	}()
	sizes, err := s.decode(committed)
	if err != nil {
		return nil, err
	}
	for _, key := range slices.Sorted(maps.Keys(sizes)) {
		full := key
		if key != stdoutPath {
			full = filepath.Join(root(path), filepath.FromSlash(key))
		}
		if err := s.resume(key, full, sizes[key]); err != nil {
			return nil, err
		}
	}
	for _, t := range run.Types {
		if _, err := s.add(t.Name); err != nil {
			return nil, err
		}
	}
	for key, f := range s.byKey {
		if err := s.use(f); err != nil {
			return nil, err
		}
		if err := f.cut(sizes[key]); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *files) decode(committed []byte) (map[string]int64, error) {
	if len(committed) == 0 {
		return nil, nil
	}
	var p position
	dec := json.NewDecoder(bytes.NewReader(committed))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return nil, fmt.Errorf("%w: the position of the %s output cannot be read: %w", crawler.ErrForeignState, s.format, err)
	}
	if p.Sink != s.format {
		return nil, fmt.Errorf("%w: the run began with a %s output where the config has %s now: put the outputs back in their order, or start over with --fresh",
			crawler.ErrForeignState, p.Sink, s.format)
	}
	for key, size := range p.Files {
		if size < 0 || key != stdoutPath && !filepath.IsLocal(filepath.FromSlash(key)) {
			return nil, fmt.Errorf("%w: the position of the %s output names %q with %d bytes", crawler.ErrForeignState, s.format, key, size)
		}
	}
	return p.Files, nil
}

// resume takes over a file with committed records, which must be there whole.
func (s *files) resume(key, path string, size int64) error {
	f := &file{key: key, path: path, disk: s.disk}
	if err := s.insert(f, size > 0); err != nil {
		if size > 0 && errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s is missing, and the run has committed %d bytes of records to it: put it back, or start over with --fresh",
				crawler.ErrStop, path, size)
		}
		return err
	}
	if f.stream || size == 0 {
		return nil
	}
	if f.written < size {
		return fmt.Errorf("%w: %s has %d bytes, and the run has committed %d: put the whole file back, or start over with --fresh",
			crawler.ErrStop, path, f.written, size)
	}
	// Committed records end with a line; where one does not end, the file is
	// not the run's and cutting it would do harm.
	last := make([]byte, 1)
	if _, err := f.handle.ReadAt(last, size-1); err != nil {
		return f.stop("read", err)
	}
	if last[0] != '\n' {
		return fmt.Errorf("%w: %s is not the file that the run wrote (no record ends at byte %d): put that one back, or start over with --fresh",
			crawler.ErrStop, path, size)
	}
	return nil
}

// add finds or opens the file of a record type; a new one keeps its content.
func (s *files) add(recordType string) (*file, error) {
	path, key, err := s.placeOf(cleanName(recordType))
	if other, taken := s.byFold[fold(key)]; err == nil && taken && other != key && s.byKey[key] == nil {
		path, key, err = s.placeOf(checked(cleanName(recordType), recordType))
	}
	if err != nil {
		return nil, err
	}
	f := s.byKey[key]
	if f == nil {
		f = &file{key: key, path: path, disk: s.disk}
		if err := s.insert(f, false); err != nil {
			return nil, err
		}
	}
	s.byType[recordType] = f
	return f, nil
}

// placeOf is the path and the key of the file for a name in place of {type}.
func (s *files) placeOf(name string) (path, key string, err error) {
	if s.path == stdoutPath {
		return stdoutPath, stdoutPath, nil
	}
	path = filepath.Clean(expand(s.path, s.run, name))
	rel, err := filepath.Rel(root(s.path), path)
	if err != nil {
		return "", "", fmt.Errorf("%w: %s: %w", crawler.ErrStop, path, err)
	}
	return path, filepath.ToSlash(rel), nil
}

// of gives the open file that records of a type go to. It is called before
// each record, so that the buffers stay within their bound.
func (s *files) of(ctx context.Context, recordType string) (f *file, err error) {
	f = s.byType[recordType]
	if f == nil {
		known := len(s.byKey)
		if f, err = s.add(recordType); err == nil && len(s.byKey) > known {
			err = f.cut(0)
		}
	}
	if err == nil {
		err = s.use(f)
	}
	if err == nil && len(f.buf) >= bufferSize {
		err = f.spill(ctx)
	}
	return f, err
}

// ready reports why nothing can be written, if so.
func (s *files) ready() error {
	if s == nil {
		return errNotOpen
	}
	return s.err
}

// fail keeps the first failure: after a failed write or sync nobody knows what
// the file holds, and a second sync could report a success that is none.
func (s *files) fail(err error) error {
	if err != nil && s.err == nil {
		s.err = err
	}
	return err
}

func (s *files) insert(f *file, mustExist bool) error {
	if len(s.byKey) >= maxFiles {
		return fmt.Errorf("%w: more than %d files for one output: use a path without {type}", crawler.ErrStop, maxFiles)
	}
	if err := s.makeRoom(); err != nil {
		return err
	}
	if err := f.open(mustExist); err != nil {
		return err
	}
	if !mustExist && !f.stream {
		if err := s.nail(f.path); err != nil {
			f.release()
			return errors.Join(f.stop("open", err), f.closeHandle())
		}
	}
	f.place = s.used.PushFront(f)
	s.byKey[f.key] = f
	if like := fold(f.key); s.byFold[like] == "" {
		s.byFold[like] = f.key
	}
	return nil
}

// use makes an open file the most recently used, opening it again if need be.
func (s *files) use(f *file) error {
	if f.place != nil {
		s.used.MoveToFront(f.place)
		return nil
	}
	if err := s.makeRoom(); err != nil {
		return err
	}
	if err := f.reopen(); err != nil {
		_ = f.closeHandle()
		return err
	}
	f.place = s.used.PushFront(f)
	return nil
}

// makeRoom closes the file that was used longest ago when too many are open. It
// is made durable first, since a closed file can no longer tell of its errors.
func (s *files) makeRoom() error {
	if s.used.Len() < maxOpen {
		return nil
	}
	f := s.used.Back().Value.(*file)
	if err := f.sync(context.Background()); err != nil {
		return err
	}
	s.used.Remove(f.place)
	f.place, f.buf = nil, nil
	if err := f.closeHandle(); err != nil {
		return f.stop("close", err)
	}
	return nil
}

// flush makes everything durable and tells the position.
func (s *files) flush(ctx context.Context) ([]byte, error) {
	if err := s.ready(); err != nil {
		return nil, err
	}
	for e := s.used.Front(); e != nil; e = e.Next() {
		if err := e.Value.(*file).sync(ctx); err != nil {
			return nil, s.fail(err)
		}
	}
	// Also what got nothing new must still be there: a run that ends has all its
	// records, or says which file somebody took away.
	for _, f := range s.byKey {
		if !f.stream {
			if err := f.unchanged(); err != nil {
				return nil, s.fail(err)
			}
		}
	}
	p := position{Sink: s.format, Files: make(map[string]int64, len(s.byKey))}
	for key, f := range s.byKey {
		p.Files[key] = 0
		if !f.stream {
			p.Files[key] = f.synced
		}
	}
	return json.Marshal(p)
}

// places lists the files, sorted.
func (s *files) places() []string {
	if s == nil {
		return nil
	}
	var paths []string
	for _, f := range s.byKey {
		if f.path == stdoutPath {
			paths = append(paths, "standard output")
			continue
		}
		paths = append(paths, f.path)
	}
	slices.Sort(paths)
	return paths
}

// close gives the files back. What was not flushed is not committed either: it
// is cut off, so that every file ends with a whole record.
func (s *files) close() error {
	if s == nil || s.err == errNotOpen {
		return nil
	}
	var failures []error
	for _, f := range s.byKey {
		if f.handle != nil && !f.stream && f.written > f.synced && f.unchanged() == nil {
			if err := f.handle.Truncate(f.synced); err != nil {
				failures = append(failures, f.stop("cut back", err))
			}
		}
		if err := f.closeHandle(); err != nil {
			failures = append(failures, f.stop("close", err))
		}
		f.release()
	}
	s.used.Init()
	s.err = errNotOpen
	return errors.Join(failures...)
}
