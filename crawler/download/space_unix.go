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

// mayOpen is how many files this process may have open.
func mayOpen() int64 {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 0
	}
	return int64(min(uint64(limit.Cur), 1<<20))
}
