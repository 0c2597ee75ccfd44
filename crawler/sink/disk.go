package sink

import (
	"errors"
	"io"
	"os"
	"runtime"
	"syscall"
	"time"
)

// disk is the file system as the sinks use it. Tests put one below them that
// forgets what was not synced, as a power cut does.
type disk interface {
	Stat(path string) (os.FileInfo, error)
	OpenFile(path string, flag int, perm os.FileMode) (handle, error)
	Mkdir(path string, perm os.FileMode) error
	// Empty tells whether nothing is in a folder. One that may not be read
	// counts as holding something.
	Empty(path string) (bool, error)
	// SyncFolder makes the names in a folder durable.
	SyncFolder(path string) error
}

// handle is an open file of a disk.
type handle interface {
	io.ReaderAt
	io.Writer
	io.WriterAt
	io.Closer
	Stat() (os.FileInfo, error)
	Truncate(size int64) error
	Sync() error
	SetWriteDeadline(t time.Time) error
}

// realDisk is the system's. What it does below its folder stays there.
type realDisk struct{ folder fence }

func (d realDisk) Stat(path string) (info os.FileInfo, err error) {
	err = d.folder.do(path, func(in place, name string) (err error) {
		info, err = in.Stat(name)
		return err
	})
	return info, err
}

func (d realDisk) OpenFile(path string, flag int, perm os.FileMode) (handle, error) {
	f, err := d.open(path, flag, perm)
	if err != nil {
		return nil, err // not a nil *os.File in an interface
	}
	return f, nil
}

func (d realDisk) open(path string, flag int, perm os.FileMode) (f *os.File, err error) {
	err = d.folder.do(path, func(in place, name string) (err error) {
		f, err = in.OpenFile(name, flag, perm)
		return err
	})
	return f, err
}

func (d realDisk) Mkdir(path string, perm os.FileMode) error {
	return d.folder.do(path, func(in place, name string) error { return in.Mkdir(name, perm) })
}

func (d realDisk) Empty(path string) (bool, error) {
	dir, err := d.open(path, os.O_RDONLY, 0)
	if errors.Is(err, os.ErrPermission) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	defer func() { _ = dir.Close() }()
	switch _, err = dir.Readdirnames(1); {
	case errors.Is(err, io.EOF):
		return true, nil
	case err != nil:
		return false, err
	}
	return false, nil
}

func (d realDisk) SyncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be opened for syncing there
	}
	dir, err := d.open(path, os.O_RDONLY, 0)
	if errors.Is(err, os.ErrPermission) {
		return nil // writable but not readable: nothing can be synced, and files still can be made
	}
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	err = dir.Sync()
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil // a file system that has no such thing
	}
	return err
}
