package frontier

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/klauspost/compress/s2"

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

// Contents begin with how they are packed.
const (
	packedPlain = 1 + iota
	packedS2    // https://github.com/klauspost/compress, block format
)

// maxContents bounds contents as they are unpacked. The engine keeps less.
const maxContents = 64 << 20

// encodeContents gives the row and the size of what is packed in it. Most links begin
// with the host of the page.
func encodeContents(page *crawler.Request, c *crawler.Contents) (row []byte, size int64) {
	host := page.Host()
	b := appendText(append(make([]byte, 0, 4096), knownVersion), host)
	b = binary.AppendUvarint(b, uint64(len(c.Links)))
	for i := range c.Links {
		link := c.Links[i]
		link.Referrer = urls.Key{} // the page itself
		b = append(append(b, link.Key[:]...), link.Priority)
		b = binary.AppendUvarint(b, uint64(max(int(link.Depth)-int(page.Depth), 0)))
		b = appendText(b, string(encodeRequest(host, &link)))
	}
	b = appendRecords(b, c.Records)
	b = appendRecords(b, c.Rejects)
	b = appendTexts(b, c.Matched)
	if packed := s2.Encode(nil, b); len(packed) < len(b) {
		return append([]byte{packedS2}, packed...), int64(len(b))
	}
	return append([]byte{packedPlain}, b...), int64(len(b))
}

func decodeContents(row []byte) (*crawler.Contents, error) {
	bad := func(err error) error { return fmt.Errorf("the contents of a known page: %w", err) }
	if len(row) == 0 {
		return nil, bad(errCorrupt)
	}
	b := row[1:]
	switch row[0] {
	case packedPlain:
	case packedS2:
		n, err := s2.DecodedLen(b)
		if err != nil || n > maxContents {
			return nil, bad(errCorrupt)
		}
		if b, err = s2.Decode(nil, b); err != nil {
			return nil, bad(fmt.Errorf("%w: %w", errCorrupt, err))
		}
	default:
		return nil, bad(errCorrupt)
	}
	r := reader{b: b}
	if r.byte() != knownVersion {
		return nil, bad(errCorrupt)
	}
	c := &crawler.Contents{}
	host := r.text()
	n := r.count()
	c.Links = make([]crawler.Request, 0, min(n, 1024))
	for range n {
		var fp urls.Key
		copy(fp[:], r.take(fpLen))
		priority := r.byte()
		depth := uint16(min(r.uvarint(), 1<<16-1))
		order := makeOrder(priority, depth, 0, fp)
		q, err := decodeRequest(host, &order, r.bytes())
		if err != nil {
			return nil, bad(err)
		}
		c.Links = append(c.Links, q)
	}
	c.Records, c.Rejects, c.Matched = r.records(), r.records(), r.texts()
	if err := r.err(); err != nil {
		return nil, bad(err)
	}
	return c, nil
}

func appendRecords(b []byte, records []crawler.Record) []byte {
	b = binary.AppendUvarint(b, uint64(len(records)))
	for i := range records {
		r := &records[i]
		for _, s := range []string{r.Type, r.URL, r.Requested, r.Key, r.Usage} {
			b = appendText(b, s)
		}
		b = binary.AppendUvarint(b, uint64(instant(r.FetchedAt)))
		b = appendFields(b, r.Fields, 0)
	}
	return b
}

func (r *reader) records() []crawler.Record {
	var records []crawler.Record
	for range r.count() {
		records = append(records, crawler.Record{
			Type: r.text(), URL: r.text(), Requested: r.text(), Key: r.text(), Usage: r.text(),
			FetchedAt: r.time(), Fields: r.fields(0),
		})
	}
	return records
}

// Recall implements crawler.Past.
func (f *Frontier) Recall(key urls.Key) (*crawler.Known, error) {
	if err := f.lookable(); err != nil {
		return nil, err
	}
	return f.store.recall(key)
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

// Contents implements crawler.Past.
func (f *Frontier) Contents(key urls.Key) (c *crawler.Contents, err error) {
	if err := f.lookable(); err != nil {
		return nil, err
	}
	err = f.store.read(contentsKey(key), func(v []byte) (err error) {
		c, err = decodeContents(v)
		return err
	})
	if err == nil && c == nil {
		err = f.store.broken(fmt.Errorf("a known page without contents: %w", errCorrupt))
	}
	return c, err
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
