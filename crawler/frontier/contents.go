package frontier

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"

	"github.com/klauspost/compress/s2"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// contentsVersion begins the contents of known pages. One that is another is of
// another program.
const contentsVersion = 2

// Parts of contents begin with how they are packed.
const (
	packedPlain = 1 + iota
	packedS2    // https://github.com/klauspost/compress, block format
)

// maxContents bounds a part of contents as it is unpacked. The engine keeps less.
const maxContents = 64 << 20

// encodeContents gives the row and the size of what is packed in it. The keys of the
// links come first, so that links which the run has seen need not be unpacked, and
// the links last. Most begin with the host of the page.
func encodeContents(page *crawler.Request, c *crawler.Contents) (row []byte, size int64) {
	host := page.Host()
	row = append(make([]byte, 0, 4096), contentsVersion)
	row = binary.AppendUvarint(row, uint64(len(c.Links)))
	links := appendText(nil, host)
	for i := range c.Links {
		link := c.Links[i]
		row = append(row, link.Key[:]...)
		link.Referrer = urls.Key{} // the page itself
		links = append(links, link.Priority)
		links = binary.AppendUvarint(links, uint64(max(int(link.Depth)-int(page.Depth), 0)))
		links = appendText(links, string(encodeRequest(host, &link)))
	}
	given := appendRecords(nil, c.Records)
	given = appendRecords(given, c.Rejects)
	given = appendTexts(given, c.Matched)
	size = int64(len(row) + len(given) + len(links))
	row = appendText(row, string(pack(given)))
	return append(row, pack(links)...), size
}

func pack(b []byte) []byte {
	if packed := s2.Encode(nil, b); len(packed) < len(b) {
		return append([]byte{packedS2}, packed...)
	}
	return append([]byte{packedPlain}, b...)
}

// unpacked is a part of contents as it was before it was packed.
type unpacked struct {
	b    []byte
	pool *[]byte // nil where b is of the row
}

// unpackBuffers spare each page two large allocations.
var unpackBuffers = sync.Pool{New: func() any { return new([]byte) }}

// maxUnpackBuffer bounds what an idle buffer holds.
const maxUnpackBuffer = 1 << 20

// free gives the buffer back; nothing may refer to it any more.
func (u *unpacked) free() {
	if u.pool != nil && cap(u.b) <= maxUnpackBuffer {
		*u.pool = u.b
		unpackBuffers.Put(u.pool)
	}
	u.b, u.pool = nil, nil
}

func unpack(part []byte) (unpacked, error) {
	if len(part) == 0 {
		return unpacked{}, errCorrupt
	}
	b := part[1:]
	switch part[0] {
	case packedPlain:
		return unpacked{b: b}, nil
	case packedS2:
		n, err := s2.DecodedLen(b)
		if err != nil || n > maxContents {
			return unpacked{}, errCorrupt
		}
		buffer := unpackBuffers.Get().(*[]byte)
		if b, err = s2.Decode((*buffer)[:cap(*buffer)], b); err != nil {
			return unpacked{}, fmt.Errorf("%w: %w", errCorrupt, err)
		}
		return unpacked{b: b, pool: buffer}, nil
	}
	return unpacked{}, errCorrupt
}

// decodeContents reads contents with the links that are wanted; seen tells of keys,
// for UnseenLinks, which are to be left out.
func decodeContents(row []byte, links crawler.Links, seen func(keys []byte) []bool) (*crawler.Contents, error) {
	c, err := readContents(row, links, seen)
	if err != nil {
		return nil, fmt.Errorf("the contents of a known page: %w", err)
	}
	return c, nil
}

func readContents(row []byte, links crawler.Links, seen func(keys []byte) []bool) (*crawler.Contents, error) {
	r := reader{b: row}
	if r.byte() != contentsVersion {
		return nil, errCorrupt
	}
	keys := r.take(r.count() * fpLen)
	given, err := unpack(r.bytes())
	if r.bad || err != nil {
		return nil, errors.Join(r.err(), err)
	}
	inner := reader{b: given.b}
	c := &crawler.Contents{Records: inner.records(), Rejects: inner.records(), Matched: inner.texts()}
	given.free() // all of it was copied
	if err := inner.err(); err != nil || links == crawler.NoLinks {
		return c, err
	}
	var leave []bool
	if links == crawler.UnseenLinks {
		leave = seen(keys)
	}
	for _, left := range leave {
		if left {
			c.Seen++
		}
	}
	if c.Seen > 0 && c.Seen*fpLen == len(keys) {
		return c, nil
	}
	packed, err := unpack(r.b)
	if err != nil {
		return nil, err
	}
	defer packed.free()
	c.Links, err = readLinks(packed.b, keys, leave, c.Seen)
	return c, err
}

// readLinks reads those that are not left out, as so many are.
func readLinks(b, keys []byte, leave []bool, left int) ([]crawler.Request, error) {
	r := reader{b: b}
	host := r.text()
	links := make([]crawler.Request, 0, min(len(keys)/fpLen-left, 1024))
	for i := range len(keys) / fpLen {
		priority := r.byte()
		depth := uint16(min(r.uvarint(), 1<<16-1))
		row := r.bytes()
		if r.bad {
			return nil, errCorrupt
		}
		if leave != nil && leave[i] {
			continue
		}
		order := makeOrder(priority, depth, 0, urls.Key(keys[i*fpLen:]))
		q, err := decodeRequest(host, &order, row)
		if err != nil {
			return nil, err
		}
		links = append(links, q)
	}
	return links, nil
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

// Contents implements crawler.Past.
func (f *Frontier) Contents(key urls.Key, links crawler.Links) (c *crawler.Contents, err error) {
	if err := f.lookable(); err != nil {
		return nil, err
	}
	if row := f.ahead.take(key); row != nil {
		if c, err = decodeContents(row, links, f.seen.hasAll); err != nil {
			return nil, f.store.broken(err)
		}
		return c, nil
	}
	err = f.store.read(contentsKey(key), func(v []byte) (err error) {
		c, err = decodeContents(v, links, f.seen.hasAll)
		return err
	})
	if err == nil && c == nil {
		err = f.store.broken(fmt.Errorf("a known page without contents: %w", errCorrupt))
	}
	return c, err
}

// Seen implements crawler.Past.
func (f *Frontier) Seen(key urls.Key) bool { return f.seen.has(key) }
