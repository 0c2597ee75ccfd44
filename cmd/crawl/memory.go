package crawl

import (
	"math"

	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/garbage"
)

const (
	// usualMemory is that of pages in flight where nobody has said.
	usualMemory = 128 << 20
	// leastMemory is what they get under whatever limit.
	leastMemory = 8 << 20
)

// PageMemory is what the pages in flight may take, in bytes: first while they
// arrive, then while they are read until they are committed. Under a limit of
// the process's memory (GOMEMLIMIT) half of it is left to everything else.
func PageMemory(cfg *config.Config) (arriving, read int64) {
	all := int64(cfg.Fetch.Memory)
	if all == 0 {
		all = usualMemory
		if limit := garbage.Given(); limit < math.MaxInt64 {
			all = max(limit/2, leastMemory)
		}
	}
	return all / 4, all - all/4
}
