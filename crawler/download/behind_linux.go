package download

import (
	"os"

	"golang.org/x/sys/unix"
)

// dropBehind asks the system to forget the pages of [from, to) of a file. What is not
// on the disk yet stays, and so do pages that are only in part of it.
func dropBehind(f *os.File, from, to int64) {
	_ = unix.Fadvise(int(f.Fd()), from, to-from, unix.FADV_DONTNEED) // it is advice
}
