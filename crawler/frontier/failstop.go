package frontier

import (
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// stopFS is the file system as the store sees it. Pebble answers a failed write
// of its log with a panic that unlocks what is not locked, which no recover
// survives. So a failed write never comes back to it: the failure is reported
// and the goroutine stops there, for the life of the process. That is bounded
// by Pebble's few goroutines and one writer, and the run ends anyway.
//
// While the store is being opened errors pass, for Pebble handles those.
type stopFS struct {
	vfs.FS
	stop *stopper
}

type stopper struct {
	armed atomic.Bool
	fail  func(error)

	once sync.Once
	// stopped is closed when a goroutine has stopped: Pebble cannot be closed any
	// more, for that one may hold a lock.
	stopped chan struct{}
}

// check passes an error on, or does not return.
func (s *stopper) check(err error) error {
	if err == nil || !s.armed.Load() || errors.Is(err, os.ErrNotExist) {
		return err
	}
	s.fail(err)
	s.once.Do(func() { close(s.stopped) })
	select {}
}

func (f stopFS) file(file vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, f.stop.check(err)
	}
	return stopFile{file, f.stop}, nil
}

// Create makes the names in the folder durable before a marker that points to
// one of them appears. Pebble syncs both at once, and a file system may keep
// the later name only.
func (f stopFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(f.PathBase(name), "marker.") {
		if err := syncDir(f.FS, f.PathDir(name)); err != nil {
			return nil, f.stop.check(err)
		}
	}
	return f.file(f.FS.Create(name, category))
}

func (f stopFS) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	return f.file(f.FS.OpenReadWrite(name, category, opts...))
}

func (f stopFS) OpenDir(name string) (vfs.File, error) { return f.file(f.FS.OpenDir(name)) }

func (f stopFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	return f.file(f.FS.ReuseForWrite(oldname, newname, category))
}

func (f stopFS) Rename(oldname, newname string) error {
	return f.stop.check(f.FS.Rename(oldname, newname))
}

func (f stopFS) Link(oldname, newname string) error {
	return f.stop.check(f.FS.Link(oldname, newname))
}

func (f stopFS) Unwrap() vfs.FS { return f.FS }

// stopFile is a file written through a stopFS. Preallocation is only advice.
type stopFile struct {
	vfs.File
	stop *stopper
}

func (f stopFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	return n, f.stop.check(err)
}

func (f stopFile) WriteAt(p []byte, at int64) (int, error) {
	n, err := f.File.WriteAt(p, at)
	return n, f.stop.check(err)
}

func (f stopFile) Sync() error     { return f.stop.check(f.File.Sync()) }
func (f stopFile) SyncData() error { return f.stop.check(f.File.SyncData()) }
func (f stopFile) Close() error    { return f.stop.check(f.File.Close()) }

func (f stopFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	return full, f.stop.check(err)
}
