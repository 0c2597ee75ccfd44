package download

import (
	"os"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"
)

// whole is a file system that can be synced as a whole.
type whole struct {
	dir    *os.File // opened before anything is written: it is told of all that fails since
	device uint64
}

// wholes are the file systems of which it is known that syncfs reports what could
// not be written (since Linux 5.8), and that they write what they are asked to.
var wholes = []int64{unix.EXT4_SUPER_MAGIC, unix.XFS_SUPER_MAGIC, unix.BTRFS_SUPER_MAGIC}

// openWhole opens the file system of a folder, nil where it has to be synced file by
// file.
func openWhole(root *os.Root) *whole {
	if !kernelAtLeast(5, 8) {
		return nil
	}
	dir, err := root.Open(".")
	if err != nil {
		return nil
	}
	var s unix.Statfs_t
	info, err := dir.Stat()
	if err == nil {
		err = unix.Fstatfs(int(dir.Fd()), &s)
	}
	if err != nil || !slices.Contains(wholes, int64(s.Type)) {
		_ = dir.Close()
		return nil
	}
	return &whole{dir, deviceOf(info)}
}

func kernelAtLeast(major, minor int) bool {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return false
	}
	return atLeast(unix.ByteSliceToString(u.Release[:]), major, minor)
}

// sync makes everything durable that was written to the file system.
func (w *whole) sync() error { return unix.Syncfs(int(w.dir.Fd())) }

// holds reports whether a folder is on the file system.
func (w *whole) holds(dir os.FileInfo) bool { return deviceOf(dir) == w.device }

func (w *whole) close() { _ = w.dir.Close() }

func deviceOf(info os.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Dev)
	}
	return 0
}
