//go:build linux || darwin || freebsd

package download

import "golang.org/x/sys/unix"

// space is how many bytes are free in a folder; ok is false where that cannot be told.
func space(dir string) (free int64, ok bool) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, false
	}
	return int64(s.Bavail) * int64(s.Bsize), true
}
