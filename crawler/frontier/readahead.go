package frontier

import (
	"bytes"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/amblecrawl/amble/crawler/urls"
)

// readAhead holds rows of known pages that the run has not come to. A run that begins
// comes to nearly all of them, in an order that says nothing of where they stand in
// the store: looked up one by one, they cost more than the rest of a page that has
// not changed. Read in their own order they cost a tenth of that. What finds no room
// is looked up, and so is what has been written since.
type readAhead struct {
	mu   sync.Mutex
	rows map[urls.Key]rowsAhead
}

// rowsAhead are the two rows of a page; a row that is not here is nil.
type rowsAhead struct{ known, contents []byte }

// maxAhead bounds the contents of one page; those of larger ones take no room from
// many others.
const maxAhead = 32 << 10

// fill reads rows until they take size bytes. The pages that these are of are as good
// as drawn by lot, since their keys are hashes.
func (a *readAhead) fill(s *store, size int) error {
	if err := s.err(); err != nil {
		return err
	}
	contents, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte{contentsRow}, UpperBound: []byte{contentsRow + 1}})
	if err != nil {
		return s.broken(err)
	}
	defer func() { _ = contents.Close() }() // its errors are asked for
	a.rows = map[urls.Key]rowsAhead{}
	keep := func(row []byte) []byte { // each by itself, so that memory shrinks as the run goes on
		size -= len(row)
		return bytes.Clone(row)
	}
	more := contents.First()
	return s.scan([]byte{knownRow}, []byte{knownRow + 1}, func(k, v []byte) (bool, error) {
		if len(k) != 1+fpLen {
			return false, errCorrupt
		}
		page := rowsAhead{known: keep(v)}
		for more && bytes.Compare(contents.Key()[1:], k[1:]) < 0 {
			more = contents.Next()
		}
		if more && bytes.Equal(contents.Key()[1:], k[1:]) && len(contents.Value()) <= maxAhead {
			page.contents = keep(contents.Value())
		}
		a.rows[urls.Key(k[1:])] = page
		size -= 3 * fpLen // about what the map takes
		return size > 0, contents.Error()
	})
}

// known is the small row of a page.
func (a *readAhead) known(key urls.Key) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.rows[key].known
}

// take gives the large row of a page and lets go of both: a visit asks for it last,
// and once.
func (a *readAhead) take(key urls.Key) []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	row := a.rows[key].contents
	delete(a.rows, key)
	return row
}

// drop lets go of what a batch writes anew.
func (a *readAhead) drop(key urls.Key) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.rows, key)
}
