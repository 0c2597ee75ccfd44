//go:build unix

package crawl

import (
	"math"
	"syscall"
)

// openFiles is how many files this process may have open, 0 without a limit
// that is known.
func openFiles() int {
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil || uint64(limit.Cur) > math.MaxInt32 {
		return 0
	}
	return int(limit.Cur)
}
