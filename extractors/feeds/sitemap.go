package feeds

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"golang.org/x/net/html/charset"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// The limits of one sitemap file, from https://www.sitemaps.org/protocol.html.
const (
	MaxURLs  = 50_000
	MaxBytes = 50 << 20 // after decompression
)

var (
	errNotSitemap = errors.New("not a sitemap: neither XML with urlset or sitemapindex nor a list of addresses")
	errTooMany    = errors.New("too many addresses: the rest was left out")
	errTooLong    = errors.New("the file is too long: the rest was left out")
)

// Sitemap is an extractor that emits the addresses of a sitemap as links, and
// those of an index as links of crawler.KindSitemap. It needs no tree and is safe
// for concurrent use.
type Sitemap struct{}

var (
	_ crawler.Extractor  = Sitemap{}
	_ crawler.TreeReader = Sitemap{}
)

// NeedsTree is false: the body is read as a stream.
func (Sitemap) NeedsTree() bool { return false }

// Extract emits the links up to the first fault, which it returns. Addresses
// that are not http(s) URLs are left out and reported once with their number.
func (Sitemap) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	return extract(ctx, p, e, MaxURLs, MaxBytes)
}

// Each calls found with each link of a sitemap as it is read, and keeps none of
// them. It ends as Extract does.
func Each(ctx context.Context, p *crawler.Page, found func(crawler.Link)) error {
	r := &reader{ctx: ctx, base: p.URL, found: found, maxURLs: MaxURLs, maxBytes: MaxBytes}
	return r.read(p)
}

func extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter, maxURLs, maxBytes int) error {
	var links []crawler.Link
	r := &reader{ctx: ctx, base: p.URL, found: func(l crawler.Link) { links = append(links, l) }, maxURLs: maxURLs, maxBytes: maxBytes}
	err := r.read(p)
	distrust(links)
	for _, l := range links {
		e.Link(l)
	}
	if r.bad > 0 {
		e.FieldError("loc", r.firstBad, false, fmt.Errorf("%d entries are no http(s) address, the first of them", r.bad))
	}
	if err != nil {
		return fmt.Errorf("reading the sitemap: %w", err)
	}
	return nil
}

type reader struct {
	ctx   context.Context
	base  urls.URL
	found func(crawler.Link)

	maxURLs, maxBytes int

	pending  pendingEntry
	links    int
	bad      int
	firstBad string
	// detail is told of an address's entry; nil where links alone are wanted.
	detail func(u urls.URL, kind crawler.Kind, entry *element)
}

func (r *reader) read(p *crawler.Page) error {
	var body io.Reader = bytes.NewReader(p.Response.Body)
	if bytes.HasPrefix(p.Response.Body, []byte{0x1f, 0x8b}) {
		z, err := gzip.NewReader(body)
		if err != nil {
			return err
		}
		body = z
	}
	in := bufio.NewReader(&bounded{from: body, left: r.maxBytes, max: r.maxBytes})
	start, err := firstByte(in)
	switch {
	case err == io.EOF:
		return nil // an empty list
	case err != nil:
		return err
	case start == '<':
		return r.readXML(in, p.Response.Charset != "")
	}
	return r.readText(in)
}

// firstByte skips a byte order mark and white space.
func firstByte(in *bufio.Reader) (byte, error) {
	for {
		c, err := in.ReadByte()
		if err != nil {
			return 0, err
		}
		switch c {
		case 0xef, 0xbb, 0xbf, ' ', '\t', '\r', '\n':
			continue
		}
		return c, in.UnreadByte()
	}
}

// readText reads one address a line. A first line that is none says that the
// file is something else.
func (r *reader) readText(in *bufio.Reader) error {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 2*urls.MaxLen)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		if r.links == 0 && !strings.Contains(line, "://") {
			return errNotSitemap
		}
		if err := r.add(line, crawler.KindPage); err != nil {
			return err
		}
	}
	return lines.Err()
}

// readXML reads urlset and sitemapindex by the local names of their elements:
// many sites give a wrong namespace, or none.
func (r *reader) readXML(in io.Reader, decoded bool) error {
	d := xml.NewDecoder(in)
	d.Strict = false
	d.Entity = xml.HTMLEntity
	d.CharsetReader = func(label string, input io.Reader) (io.Reader, error) {
		if decoded { // the declaration is about the bytes before that
			return input, nil
		}
		return charset.NewReaderLabel(label, input)
	}
	s := structure{}
	entry := entryTree{off: r.detail == nil}
	for {
		token, err := d.Token()
		if err != nil {
			if late := r.end(s.kind); late != nil {
				return late
			}
			if err == io.EOF && s.seenRoot && s.depth == 0 {
				return nil
			}
			if err == io.EOF {
				return io.ErrUnexpectedEOF
			}
			return err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if err := s.open(t.Name.Local); err != nil {
				return err
			}
			if err := entry.open(s.depth, t); err != nil {
				return err
			}
		case xml.CharData:
			s.text(t)
			entry.text(t)
		case xml.EndElement:
			if err := r.closed(s.close(), &s); err != nil {
				return err
			}
			if whole := entry.close(); whole != nil {
				r.tell(whole, s.kind)
			}
		}
	}
}

// structure follows where in the document the reader is: an address is a loc in
// an entry in the root, and nowhere else (images and videos have a loc too).
type structure struct {
	kind     crawler.Kind
	seenRoot bool
	depth    int
	entry    bool   // the open element of depth 2 is an entry
	part     string // the open element of depth 3 is this part of it: loc or lastmod
	value    []byte
}

func (s *structure) open(name string) error {
	s.depth++
	switch s.depth {
	case 1:
		switch name {
		case "urlset":
			s.kind = crawler.KindPage
		case "sitemapindex":
			s.kind = crawler.KindSitemap
		default:
			return errNotSitemap
		}
		s.seenRoot = true
	case 2:
		s.entry = s.kind == crawler.KindPage && name == "url" || s.kind == crawler.KindSitemap && name == "sitemap"
	case 3:
		if s.part, s.value = "", s.value[:0]; s.entry && (name == "loc" || name == "lastmod") {
			s.part = name
		}
	}
	return nil
}

func (s *structure) text(t []byte) {
	if s.depth == 3 && s.part != "" && len(s.value) <= 2*urls.MaxLen {
		s.value = append(s.value, t...)
	}
}

// close tells which part of an entry has ended, if one has.
func (s *structure) close() (part string) {
	s.depth--
	if s.depth == 2 {
		part, s.part = s.part, ""
	}
	return part
}

// pendingEntry is an entry that may say more of its address.
type pendingEntry struct {
	open     bool
	loc      string
	modified time.Time
}

// closed takes in a part of an entry, or the end of one.
func (r *reader) closed(part string, s *structure) error {
	value := strings.TrimSpace(string(s.value))
	switch {
	case part == "loc":
		if r.pending.loc != "" { // a second one, as some sites have it
			if err := r.end(s.kind); err != nil {
				return err
			}
		}
		r.pending.open, r.pending.loc = true, value
	case part == "lastmod":
		r.pending.modified = modified(value)
	case s.depth == 1:
		return r.end(s.kind)
	}
	return nil
}

// end emits the address of an entry.
func (r *reader) end(kind crawler.Kind) error {
	p := r.pending
	r.pending = pendingEntry{}
	if !p.open {
		return nil
	}
	return r.addModified(p.loc, kind, p.modified)
}

// add emits one address.
func (r *reader) add(loc string, kind crawler.Kind) error {
	return r.addModified(loc, kind, time.Time{})
}

func (r *reader) addModified(loc string, kind crawler.Kind, at time.Time) error {
	u, err := r.base.Resolve(loc)
	if err != nil || loc == "" || !u.IsHTTP() {
		if r.bad++; r.bad == 1 {
			r.firstBad = loc
		}
		return nil
	}
	if r.links == r.maxURLs {
		return fmt.Errorf("%w (at most %d)", errTooMany, r.maxURLs)
	}
	if r.links++; r.links%1024 == 0 && r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	r.found(crawler.Link{URL: u.WithoutFragment(), Kind: kind, Modified: at})
	return nil
}

// bounded fails once more than max bytes were read.
type bounded struct {
	from io.Reader
	left int
	max  int
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		if n, err := b.from.Read(p[:min(1, len(p))]); n == 0 && err != nil {
			return 0, err
		}
		return 0, fmt.Errorf("%w (at most %d bytes)", errTooLong, b.max)
	}
	n, err := b.from.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
