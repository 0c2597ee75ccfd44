package frontier

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// What is known of a page over runs stands in two rows, so that a visit that finds
// it unchanged writes the small one alone.

func knownKey(fp urls.Key) []byte    { return append([]byte{knownRow}, fp[:]...) }
func contentsKey(fp urls.Key) []byte { return append([]byte{contentsRow}, fp[:]...) }

// knownVersion begins the rows of pages. One that is another is of a later program.
const knownVersion = 1

// Flags of a known page.
const (
	knownSeed = 1 << iota
	knownWhole
)

func encodeKnown(k *crawler.Known) []byte {
	var flags byte
	if k.Seed {
		flags |= knownSeed
	}
	if k.Whole {
		flags |= knownWhole
	}
	b := append(make([]byte, 0, 256), knownVersion, flags, k.Request.Priority, k.Doubts)
	b = binary.AppendUvarint(b, uint64(k.Request.Depth))
	b = appendText(b, string(k.Class))
	b = appendText(b, k.ETag)
	b = appendText(b, k.LastModified)
	b = append(b, k.Hash[:]...)
	for _, n := range []uint64{k.Print, k.Rules, k.Stated, k.Headers, k.Given} {
		b = binary.LittleEndian.AppendUint64(b, n)
	}
	for _, n := range []int64{
		int64(k.Words), instant(k.FirstSeen), instant(k.Changed), instant(k.Visited), instant(k.Fetched),
		k.Visits, k.Changes, int64(k.Watched), k.OutOfScope, k.Size,
	} {
		b = binary.AppendUvarint(b, uint64(max(n, 0)))
	}
	return append(b, encodeRequest("", &k.Request)...)
}

func decodeKnown(fp urls.Key, row []byte) (*crawler.Known, error) {
	r := reader{b: row}
	if r.byte() != knownVersion {
		return nil, fmt.Errorf("a known page: %w", errCorrupt)
	}
	flags := r.byte()
	priority := r.byte()
	k := &crawler.Known{Seed: flags&knownSeed != 0, Whole: flags&knownWhole != 0, Doubts: r.byte()}
	depth := uint16(min(r.uvarint(), 1<<16-1))
	k.Class = crawler.Class(r.text())
	k.ETag, k.LastModified = r.text(), r.text()
	copy(k.Hash[:], r.take(len(k.Hash)))
	for _, n := range []*uint64{&k.Print, &k.Rules, &k.Stated, &k.Headers, &k.Given} {
		*n = binary.LittleEndian.Uint64(r.take(8))
	}
	k.Words = int(r.number())
	k.FirstSeen, k.Changed, k.Visited, k.Fetched = r.time(), r.time(), r.time(), r.time()
	k.Visits, k.Changes = r.number(), r.number()
	k.Watched, k.OutOfScope, k.Size = r.duration(), r.number(), r.number()
	if err := r.err(); err != nil {
		return nil, fmt.Errorf("a known page: %w", err)
	}
	order := makeOrder(priority, depth, 0, fp)
	var err error
	k.Request, err = decodeRequest("", &order, r.b)
	return k, err
}

// Recall implements crawler.Past.
func (f *Frontier) Recall(key urls.Key) (*crawler.Known, error) {
	if err := f.lookable(); err != nil {
		return nil, err
	}
	row := f.ahead.known(key)
	if row == nil {
		return f.store.recall(key)
	}
	k, err := decodeKnown(key, row)
	if err != nil {
		return nil, f.store.broken(err)
	}
	return k, nil
}

// lookable is the error of a frontier that cannot be read. Reading itself needs no
// lock: the store has its own.
func (f *Frontier) lookable() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.usable()
}

func (s *store) recall(key urls.Key) (k *crawler.Known, err error) {
	err = s.read(knownKey(key), func(v []byte) (err error) {
		k, err = decodeKnown(key, v)
		return err
	})
	return k, err
}

// EachKnown implements crawler.Past.
func (f *Frontier) EachKnown(after urls.Key, each func(*crawler.Known) (bool, error)) error {
	if err := f.lookable(); err != nil {
		return err
	}
	return f.store.eachKnown(after, each)
}

func (s *store) eachKnown(after urls.Key, each func(*crawler.Known) (bool, error)) error {
	from := []byte{knownRow}
	if after != (urls.Key{}) {
		from = append(knownKey(after), 0)
	}
	return s.scan(from, []byte{knownRow + 1}, func(k, v []byte) (bool, error) {
		if len(k) != 1+fpLen {
			return false, errCorrupt
		}
		known, err := decodeKnown(urls.Key(k[1:]), v)
		if err != nil {
			return false, err
		}
		return each(known)
	})
}

// planKnown writes what the batch says of known pages.
func (c *commit) planKnown() error {
	for i := range c.src.Known {
		k := &c.src.Known[i]
		c.f.ahead.drop(k.Request.Key)
		var err error
		if k.Contents != nil {
			var row []byte
			row, k.Size = encodeContents(&k.Request, k.Contents)
			err = c.batch.Set(contentsKey(k.Request.Key), row, nil)
		}
		if err = errors.Join(err, c.batch.Set(knownKey(k.Request.Key), encodeKnown(k), nil)); err != nil {
			return err
		}
	}
	for _, key := range c.src.Forget {
		c.f.ahead.drop(key)
		if err := errors.Join(c.batch.Delete(knownKey(key), nil), c.batch.Delete(contentsKey(key), nil)); err != nil {
			return err
		}
	}
	return nil
}

// kept are the prefixes of rows that outlive a fresh start, in their order.
func (o *Options) kept() [][]byte {
	var prefixes [][]byte
	for _, name := range o.Keep {
		prefixes = append(prefixes, valueKey(name))
	}
	if o.KeepKnown {
		prefixes = append(prefixes, []byte{knownRow}, []byte{contentsRow})
	}
	slices.SortFunc(prefixes, slices.Compare)
	return slices.CompactFunc(prefixes, slices.Equal)
}

// Recall implements crawler.Past.
func (s *Snapshot) Recall(key urls.Key) (*crawler.Known, error) { return s.f.Recall(key) }

// EachKnown calls f with the known pages, as crawler.Past has it.
func (s *Snapshot) EachKnown(after urls.Key, f func(*crawler.Known) (bool, error)) error {
	return s.f.EachKnown(after, f)
}

// EachKnown calls f with the known pages, as crawler.Past has it.
func (r *Reader) EachKnown(after urls.Key, f func(*crawler.Known) (bool, error)) error {
	return r.store.eachKnown(after, f)
}
