package frontier

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// Pebble sums up its blocks and its log, so that a changed octet shows. It takes
// a lost end of its log or manifest for the work of a crash, and a log that is
// gone for one that never was. Therefore commits are numbered, and the newest of
// them leave a row each: a gap in the numbers shows that something in the middle
// is lost, and the number in the CLOSED file that an end is.

// chainLen is how many commits leave a row. It is more than a log holds, which
// is what can be lost at once.
const chainLen = 1 << 14

// chainKey is the place of commit n.
func chainKey(n uint64) []byte {
	return binary.BigEndian.AppendUint16([]byte{chainRow}, uint16(n%chainLen))
}

// link is a c row.
type link struct {
	n  uint64
	at int64 // when it was committed
}

func (l link) encode() []byte {
	return binary.AppendUvarint(binary.AppendUvarint(nil, l.n), uint64(l.at))
}

func decodeLink(row []byte) (link, error) {
	r := reader{b: row}
	l := link{n: r.uvarint(), at: int64(r.uvarint())}
	return l, r.err()
}

// addLink numbers the commit of a batch.
func addLink(b *pebble.Batch, n uint64, now int64) error {
	return b.Set(chainKey(n), link{n, now}.encode(), nil)
}

// checkChain finds out whether commits before the last are missing, and returns
// the last.
func (s *store) checkChain(last uint64) (newest link, err error) {
	want := last - min(last, chainLen) // the number before the first that must be there
	found, beyond := uint64(0), false
	err = s.scan([]byte{chainRow}, []byte{chainRow + 1}, func(_, v []byte) (bool, error) {
		l, err := decodeLink(v)
		if err != nil {
			return false, err
		}
		beyond = beyond || l.n > last
		if l.n > want {
			found++
		}
		if l.n > newest.n {
			newest = l
		}
		return true, nil
	})
	if err == nil && beyond {
		err = fmt.Errorf("%w: commit %d is there, and the counts end at %d: a file of the store was lost, cut or replaced",
			ErrDamaged, newest.n, last)
	}
	if err == nil && found != last-want {
		err = fmt.Errorf("%w: %d of the last %d commits are missing: a file of the store was lost, cut or replaced",
			ErrDamaged, last-want-found, last-want)
	}
	return newest, err
}

// ending is the CLOSED file.
type ending struct {
	Commit uint64    `json:"commit"`
	At     time.Time `json:"at"`
}

// checkEnding compares the store with what it was when it was closed last, if
// that was in order. A damaged note of it says nothing.
func (f *folder) checkEnding(last uint64) error {
	e, ok, err := f.ending()
	switch {
	case errors.Is(err, ErrDamaged) || err == nil && !ok:
		return nil
	case err != nil:
		return err
	case e.Commit != last:
		return fmt.Errorf("%w: it was closed after commit %d, and the store ends at %d: a file of it was lost, cut or replaced",
			ErrDamaged, e.Commit, last)
	}
	return nil
}

// ending reads the CLOSED file; ok is false without one.
func (f *folder) ending() (e ending, ok bool, err error) {
	b, err := readFile(f.fs, f.path(closedFile))
	if errors.Is(err, fs.ErrNotExist) {
		return e, false, nil
	}
	if err != nil {
		return e, false, err
	}
	text, sum := unseal(b)
	if sum != goodSum || json.Unmarshal(text, &e) != nil {
		return e, false, fmt.Errorf("%w: its %s file is damaged", ErrDamaged, closedFile)
	}
	return e, true, nil
}

// end notes the last commit of a store that was closed in order.
func (f *folder) end(last uint64, now time.Time) error {
	b, err := seal(ending{Commit: last, At: now.UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	return f.write(closedFile, b)
}
