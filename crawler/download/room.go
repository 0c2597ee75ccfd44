package download

import (
	"fmt"

	"github.com/amblecrawl/amble/crawler"
)

// room is what is kept free on the disk for a body that is under way.
type room struct {
	store *Store
	left  int64
}

// reserve makes sure that there is room.
func (s *Store) reserve(n int64) (*room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if free, ok := space(s.Dir); ok && free-s.reserved-n < s.MinFree {
		has, wanted := apart(max(free-s.reserved, 0), n+s.MinFree)
		return nil, fmt.Errorf("%w: %s has %s free, and %s are wanted, with what downloads.min_free keeps: make room and run again",
			crawler.ErrStop, s.Dir, has, wanted)
	}
	s.reserved += n
	return &room{s, n}, nil
}

// apart writes two sizes in the largest unit in which they differ.
func apart(less, more int64) (string, string) {
	for _, unit := range []struct {
		shift uint
		name  string
	}{{30, "GiB"}, {20, "MiB"}, {10, "KiB"}} {
		if a, b := less>>unit.shift, (more+1<<unit.shift-1)>>unit.shift; (a > 0 || less == 0 && more>>unit.shift > 0) && a < b {
			return fmt.Sprintf("%d %s", a, unit.name), fmt.Sprintf("%d %s", b, unit.name)
		}
	}
	return fmt.Sprintf("%d bytes", less), fmt.Sprintf("%d bytes", more)
}

// use gives back what was written.
func (r *room) use(n int64) {
	n = min(n, r.left)
	r.left -= n
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	r.store.reserved -= n
}

// end gives back the rest.
func (r *room) end() { r.use(r.left) }
