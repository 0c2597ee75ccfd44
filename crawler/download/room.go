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
		return nil, fmt.Errorf("%w: %s has %d MiB free, %d MiB are needed and downloads.min_free keeps %d MiB: make room and run again",
			crawler.ErrStop, s.Dir, max(free-s.reserved, 0)>>20, n>>20, s.MinFree>>20)
	}
	s.reserved += n
	return &room{s, n}, nil
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
