package sink

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// stdoutPath is the path that stands for standard output.
const stdoutPath = "-"

// file is one destination: what is written, what is durable, what is still in
// memory. The caller appends whole records to buf.
type file struct {
	key  string // its name in positions
	path string
	disk disk

	handle handle // nil while closed to save descriptors
	info   os.FileInfo
	stream bool          // cannot be cut back: a pipe, a device, standard output
	place  *list.Element // in the order of use, nil while closed

	buf     []byte
	written int64 // bytes handed to the system
	synced  int64 // bytes known to be durable
}

// size is the file's length with all that is buffered.
func (f *file) size() int64 { return f.written + int64(len(f.buf)) }

// open opens the file, creating it and its folders, and claims it. Its content
// stays as it is. A file that must be there, because it holds committed
// records, is not created.
func (f *file) open(mustExist bool) error {
	if f.path == stdoutPath {
		f.handle, f.stream = os.Stdout, true
	} else {
		var err error
		if f.handle, err = openPath(f.disk, f.path, mustExist); err != nil {
			return f.stop("open", err)
		}
	}
	info, err := f.handle.Stat()
	if err == nil {
		f.info = info
		f.stream = f.stream || !info.Mode().IsRegular()
		err = f.claim(info)
	}
	if err != nil {
		f.closeHandle()
		return f.stop("open", err)
	}
	if !f.stream {
		f.written, f.synced = info.Size(), info.Size()
	}
	return nil
}

func openPath(d disk, path string, mustExist bool) (handle, error) {
	info, err := d.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, &fs.PathError{Op: "open", Path: path, Err: syscall.EISDIR}
	case err == nil && !info.Mode().IsRegular():
		// Not blocking, or a pipe that nobody reads would hold the run up here.
		return d.OpenFile(path, os.O_WRONLY|syscall.O_NONBLOCK, 0)
	case err == nil || mustExist:
		return d.OpenFile(path, os.O_RDWR, 0)
	}
	return create(d, path)
}

// reopen opens a file again that was closed to save descriptors, and sees to it
// that it is still the one that was closed.
func (f *file) reopen() error {
	handle, err := f.disk.OpenFile(f.path, os.O_RDWR, 0)
	if err != nil {
		return f.stop("open", err)
	}
	f.handle = handle
	return f.unchanged()
}

// cut shortens the file to its committed size.
func (f *file) cut(size int64) error {
	if f.stream {
		return nil
	}
	if f.written != size {
		if err := f.handle.Truncate(size); err != nil {
			return f.stop("cut back", err)
		}
	}
	f.written, f.synced = size, size
	return nil
}

// spill hands the buffer to the system, unless someone else has touched the
// file since the last time.
func (f *file) spill(ctx context.Context) error {
	if len(f.buf) == 0 {
		return nil
	}
	var n int
	var err error
	if f.stream {
		// Ends a write to a pipe that nobody reads; files have no deadlines.
		stop := context.AfterFunc(ctx, func() { _ = f.handle.SetWriteDeadline(time.Unix(1, 0)) })
		n, err = f.handle.Write(f.buf)
		stop()
	} else {
		if err := f.unchanged(); err != nil {
			return err
		}
		n, err = f.handle.WriteAt(f.buf, f.written)
	}
	f.written += int64(n)
	if err != nil {
		// WriteAt does not count what it wrote before it failed, and close has
		// to cut that off.
		if info, statErr := f.handle.Stat(); statErr == nil && !f.stream {
			f.written = info.Size()
		}
		if errors.Is(err, syscall.EPIPE) {
			err = fmt.Errorf("%w: %w", crawler.ErrReaderGone, err)
		}
		return f.stop("write", err)
	}
	f.buf = f.buf[:0]
	if cap(f.buf) > 4*bufferSize {
		f.buf = nil // one huge record must not stay in memory
	}
	return nil
}

// sync makes all that was written durable.
func (f *file) sync(ctx context.Context) error {
	if err := f.spill(ctx); err != nil {
		return err
	}
	if f.stream || f.written == f.synced {
		return nil
	}
	if err := f.handle.Sync(); err != nil {
		return f.stop("write", err)
	}
	f.synced = f.written
	return nil
}

// unchanged reports when the path leads to another file by now, or when someone
// else wrote to it: a position would then promise what is not there.
func (f *file) unchanged() error {
	info, err := f.disk.Stat(f.path)
	switch {
	case err != nil:
		return f.stop("find", err)
	case !os.SameFile(info, f.info):
		return fmt.Errorf("%w: %s was replaced by another file while the run wrote to it: put the first one back, or start over with --fresh",
			crawler.ErrStop, f.path)
	case info.Size() != f.written:
		return fmt.Errorf("%w: %s has %d bytes where the run wrote %d: something else writes to it; stop that and run again to resume",
			crawler.ErrStop, f.path, info.Size(), f.written)
	}
	return nil
}

func (f *file) closeHandle() error {
	if f.handle == nil {
		return nil
	}
	handle := f.handle
	f.handle = nil
	if handle == os.Stdout { // the process's, not the sink's
		return nil
	}
	return handle.Close()
}

// stop wraps a failure with the file and what can be done about it.
func (f *file) stop(action string, err error) error {
	if errors.Is(err, crawler.ErrStop) {
		return err
	}
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		if pathErr.Path == f.path {
			err = pathErr.Err
		}
	}
	return fmt.Errorf("%w: cannot %s %s: %w (%s)", crawler.ErrStop, action, f.path, err, cure(err))
}

func cure(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT), errors.Is(err, syscall.EFBIG):
		return "make room, then run again to resume"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "raise the limit of open files, ulimit -n, then run again to resume"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS):
		return "allow writing there, or choose another path"
	case errors.Is(err, errEscape):
		return "replace the link, or name the place that it leads to in the config"
	case errors.Is(err, syscall.EISDIR):
		return "a folder stands there; choose another path"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return "a file stands where a folder is needed; choose another path"
	case errors.Is(err, syscall.ENXIO):
		return "nothing reads that pipe; start its reader first"
	case errors.Is(err, fs.ErrNotExist):
		return "see that it is there, or choose another path"
	}
	return "mend that or choose another path, then run again"
}
