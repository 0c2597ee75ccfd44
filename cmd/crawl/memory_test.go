package crawl

import (
	"math"
	"runtime/debug"
	"testing"

	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/garbage"
)

// TestTuningIsNoLimitOfPages: what the collector is told for one crawl is not what
// the next one of a daemon takes for the process's limit.
func TestTuningIsNoLimitOfPages(t *testing.T) {
	if debug.SetMemoryLimit(-1) != math.MaxInt64 {
		t.Skip("the test runs under a limit of memory")
	}
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	defer garbage.Tune(8 << 20)()
	if a, r := PageMemory(&config.Config{}); a+r != usualMemory {
		t.Errorf("pages may take %d bytes, want %d", a+r, usualMemory)
	}
}
