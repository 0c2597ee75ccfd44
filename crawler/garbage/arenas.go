//go:build cgo && linux

package garbage

/*
#include <malloc.h>

// bound sets how many arenas there may be and from which size on an allocation is a
// mapping of its own, which is gone with it.
static void bound(int arenas, int mapped) {
#ifdef __GLIBC__
	mallopt(M_ARENA_MAX, arenas);
	mallopt(M_MMAP_THRESHOLD, mapped);
#endif
}
*/
import "C"

import "os"

const (
	// arenas are enough for the stores of states, which take blocks and tables from the
	// C library, seldom. By default there are eight for each processor, and each keeps
	// what was given back to it: 75 MB became 137 in an hour of small crawls.
	arenas = 2
	// mapped is less than a store's table in memory and more than its blocks, in bytes.
	mapped = 256 << 10
)

// Whoever has set it in the environment knows better.
func init() {
	if os.Getenv("MALLOC_ARENA_MAX") == "" {
		C.bound(arenas, mapped)
	}
}
