package frontier

import (
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"
)

// startAfresh empties a store that was opened, but for the values to keep, in
// one write: a process that dies on the way leaves the old run or the new one.
// A damaged store is given up as a whole.
func (f *folder) startAfresh(o Options, s *store, err error) (*store, error) {
	if errors.Is(err, ErrDamaged) {
		if err := f.discard(o); err != nil {
			return nil, err
		}
		return openStore(o, f.path(storeDir))
	}
	if err != nil {
		return nil, err
	}
	// What is to be kept may lie in a damaged table, over which the new run would
	// stumble later.
	if err := f.checkInUse(s); err != nil {
		return f.startAfresh(o, nil, errors.Join(fmt.Errorf("%w: %w", ErrDamaged, err), s.close()))
	}
	if err = f.remove(closedFile); err == nil { // it tells of the old run
		err = s.forget(o.kept())
	}
	if err == nil && o.Spent != nil {
		err = s.sweep(o.Spent)
	}
	if err != nil {
		_ = s.close() // the first error says more
		return nil, fmt.Errorf("state folder %s: %w", f.dir, err)
	}
	return s, nil
}

// forget removes every row but those that begin with one of the prefixes, which
// come in order.
func (s *store) forget(keep [][]byte) error {
	b := s.db.NewBatch()
	from := []byte{0}
	for _, kept := range keep {
		if string(kept) > string(from) {
			if err := b.DeleteRange(from, kept, nil); err != nil {
				return s.broken(err)
			}
		}
		from = after(kept)
	}
	if err := b.DeleteRange(from, []byte{0xff}, nil); err != nil {
		return s.broken(err)
	}
	return s.apply(b, pebble.Sync)
}

// sweepStep bounds one write of sweep.
const sweepStep = 4096

// sweep removes the values that are spent. They are of no use, so that it does no harm
// to die on the way.
func (s *store) sweep(spent func(name string, value []byte) bool) error {
	for from, more := []byte{valueRow}, true; more; {
		more = false
		b := s.db.NewBatch()
		n := 0
		err := s.scan(from, []byte{valueRow + 1}, func(k, v []byte) (bool, error) {
			if n++; n > sweepStep {
				from, more = slices.Clone(k), true
				return false, nil
			}
			if !spent(string(k[1:]), v) {
				return true, nil
			}
			return true, b.Delete(k, nil)
		})
		if err != nil {
			_ = b.Close() // the first error says more
			return s.broken(err)
		}
		if err := s.apply(b, pebble.Sync); err != nil {
			return err
		}
	}
	return nil
}

// after is the first key beyond all that begin with prefix, whose last octet is
// not the highest.
func after(prefix []byte) []byte {
	next := slices.Clone(prefix)
	next[len(next)-1]++
	return next
}
