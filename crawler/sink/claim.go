package sink

import (
	"fmt"
	"os"
	"sync"

	"github.com/amblecrawl/amble/crawler"
)

// claims are the files that the sinks of this process write to. Two sinks on
// one file would overwrite each other, under whatever names they know it.
var claims = struct {
	sync.Mutex
	held map[*file]os.FileInfo
}{held: make(map[*file]os.FileInfo)}

// claim takes the file for f, until release.
func (f *file) claim(info os.FileInfo) error {
	claims.Lock()
	defer claims.Unlock()
	for other, held := range claims.held {
		if other == f || !os.SameFile(held, info) {
			continue
		}
		if other.path == f.path {
			return fmt.Errorf("%w: two outputs write to %s: give each its own path", crawler.ErrStop, f.path)
		}
		return fmt.Errorf("%w: %s and %s are the same file: give each output and record type its own",
			crawler.ErrStop, other.path, f.path)
	}
	claims.held[f] = info
	return nil
}

func (f *file) release() {
	claims.Lock()
	defer claims.Unlock()
	delete(claims.held, f)
}
