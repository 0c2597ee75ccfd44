package dashboard

import (
	"strings"
	"testing"
)

// Who looks at a config that has mistakes is told what the crawl goes by meanwhile.
func TestBrokenConfigSaysWhatHolds(t *testing.T) {
	w := newWorld(t, nil)
	const want = "its last good version is used"
	for path, said := range map[string]bool{"/crawls/daily/config": true, "/crawls/books/config": false} {
		if text := w.ask("GET", path).Body.String(); strings.Contains(text, want) != said {
			t.Errorf("%s: says that %s: %v", path, want, !said)
		}
	}
}

func TestMany(t *testing.T) {
	for n, want := range map[int64]string{0: "0 pages", 1: "1 page", 2000: "2,000 pages"} {
		if got := many(n, "page"); got != want {
			t.Errorf("%d: %q", n, got)
		}
	}
}
