package crawl

import (
	"testing"

	"github.com/amblecrawl/amble/crawler/config"
)

// TestMaxIdle has connections that are kept, those in use and bodies put aside fit
// below the limit of open files, with half of what is left for others.
func TestMaxIdle(t *testing.T) {
	for _, c := range []struct{ workers, limit, want int }{
		{workers: 64, limit: 0, want: 0},       // no limit: the client's choice
		{workers: 64, limit: 20_000, want: 0},  // plenty
		{workers: 64, limit: 1024, want: 464},  // 64 + (1024 - 32 - 192) / 2
		{workers: 10, limit: 64, want: 11},     // 10 + (64 - 32 - 30) / 2
		{workers: 1, limit: 100, want: 33},     // 1 + (100 - 32 - 3) / 2
		{workers: 300, limit: 1024, want: 346}, // 300 + (1024 - 32 - 900) / 2
		{workers: 64, limit: 100, want: 64},    // FitOpenFiles would have allowed fewer workers
	} {
		cfg := &config.Config{}
		cfg.Fetch.Workers = c.workers
		if got := maxIdle(cfg, c.limit); got != c.want {
			t.Errorf("%d workers, %d files: %d, want %d", c.workers, c.limit, got, c.want)
		}
	}
}
