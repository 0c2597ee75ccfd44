package download

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// answer is what a response says of the file and of the part it holds.
type answer struct {
	at, length, size int64 // length and size are -1 where they are unknown
	etag             string
	lastModified     string // as a validator, "" where it is none
	modified         time.Time
	mediaType        string
	ranges           bool
	checks           checks
}

func protocolError(format string, args ...any) error {
	return &crawler.FetchError{Class: crawler.ClassProtocol, Err: fmt.Errorf(format, args...)}
}

// readAnswer reads the header of a 200 or 206.
func readAnswer(status int, h http.Header, length int64, object bool) (answer, error) {
	a := answer{length: length, size: length, mediaType: bounded(h.Get("Content-Type"), 200), checks: stated(h, status == http.StatusOK, object)}
	if etag := h.Get("ETag"); !strings.HasPrefix(etag, "W/") && len(etag) <= maxValidator {
		a.etag = etag
	}
	if modified, err := http.ParseTime(h.Get("Last-Modified")); err == nil {
		a.modified = modified
		// A date is a strong validator where it is well before the answer (RFC 9110
		// section 8.8.2.2).
		if sent, err := http.ParseTime(h.Get("Date")); err == nil && sent.Sub(modified) >= time.Minute {
			a.lastModified = h.Get("Last-Modified")
		}
	}
	if status == http.StatusOK {
		a.ranges = strings.Contains(strings.ToLower(h.Get("Accept-Ranges")), "bytes")
		return a, nil
	}
	var last int64
	text := h.Get("Content-Range")
	if n, err := fmt.Sscanf(text, "bytes %d-%d/%d", &a.at, &last, &a.size); n != 3 || err != nil || a.at < 0 || last < a.at || a.size <= last {
		return a, protocolError("the answer is a part, of which it says %.100q", text)
	}
	a.length, a.ranges = last-a.at+1, true
	if length >= 0 && length != a.length {
		return a, protocolError("the part is of %d bytes, and Content-Range says %.100q", length, text)
	}
	return a, nil
}

func bounded(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// validator holds parts of one version together, "" where nothing does.
func (a *answer) validator() string {
	if a.etag != "" {
		return a.etag
	}
	return a.lastModified
}

// answer is what a state remembers of the first one.
func (h *head) answer() answer {
	a := answer{size: h.Size, etag: h.ETag, mediaType: h.Type, checks: h.Checks}
	a.modified, _ = http.ParseTime(h.Modified)
	return a
}

// Receive implements crawler.Transfer.
func (t *transfer) Receive(status int, header http.Header, length int64, body io.Reader) error {
	t.got = result{}
	a, err := readAnswer(status, header, length, t.isObject())
	if err != nil {
		return err
	}
	if a.modified.IsZero() {
		a.modified = t.about.modified
	}
	t.got.answer = a
	switch {
	case status == http.StatusPartialContent && (t.length < 0 || a.at != t.at):
		return protocolError("bytes from %d on were not asked for", a.at)
	case t.state != nil && t.length >= 0 && !t.continues(&a, status):
		t.got.changed = true
		return nil
	case t.state == nil && t.about.etag != "" && a.etag != "" && a.etag != t.about.etag && a.at+a.length < a.size:
		t.got.changed = true // since it was listed; the whole of a newer one will do
		return nil
	case t.state != nil && t.length >= 0:
		return t.goOn(&a, body)
	}
	return t.fresh(a, body)
}

// continues reports whether an answer is of the version that was begun.
func (t *transfer) continues(a *answer, status int) bool {
	h := t.state
	return status == http.StatusPartialContent && (h.Size < 0 || a.size == h.Size) && (h.ETag == "" || a.etag == "" || a.etag == h.ETag)
}

// goOn receives more of what was begun.
func (t *transfer) goOn(a *answer, body io.Reader) error {
	p, err := t.partials.acquire(t.id)
	if err != nil {
		return err
	}
	if p == nil || p.about().Generation != t.about.generation {
		if p != nil {
			p.release()
		}
		t.got.changed = true
		return nil
	}
	defer p.release()
	want := a.length
	if t.length > 0 {
		want = min(want, t.length)
	}
	room, err := t.reserve(want)
	if err != nil {
		return err
	}
	defer room.end()
	return t.receivePart(p, int(t.about.part), t.at, want, nil, body, room)
}

// fresh receives a file from its beginning.
func (t *transfer) fresh(a answer, body io.Reader) error {
	if t.MaxSize > 0 && a.size > t.MaxSize {
		return tooLarge(a.size, t.MaxSize)
	}
	room, err := t.reserve(max(a.size, 0))
	if err != nil {
		return err
	}
	defer room.end()
	h := head{
		Generation: t.about.generation, Size: a.size, Parts: 1, ETag: a.etag, Type: a.mediaType,
		Ranges: a.ranges && a.validator() != "", Checks: a.checks,
	}
	if !a.modified.IsZero() {
		h.Modified = a.modified.UTC().Format(http.TimeFormat)
	}
	if a.etag == "" && a.lastModified != "" {
		h.Modified = a.lastModified
	}
	inParts := h.Ranges && t.parted(a.size, a.validator())
	if a.length < a.size && !inParts {
		return protocolError("a part came where all was asked for")
	}
	if !inParts && (!h.Ranges || a.size >= 0 && a.size < worthState) && t.about.generation == 0 {
		return t.receiveSmall(a, body, room)
	}
	want := a.size
	if inParts {
		h.Part = partSize(a.size, t.PartSize)
		h.Parts = int((a.size-1)/h.Part + 1)
		want = min(h.Part, a.length)
		if t.length > 0 && h.Part != t.length {
			return protocolError("the object is of %d bytes, and was listed with %d", a.size, t.about.size)
		}
	}
	p, err := t.partials.create(t.id, h)
	if err != nil {
		return err
	}
	defer p.release()
	t.state = &h
	var sums summing
	if h.Parts == 1 {
		sums = t.summing(t.checks(&h))
	}
	return t.receivePart(p, 0, 0, want, sums, body, room)
}

// receivePart writes a part from where it stands; want is -1 where its end is unknown.
func (t *transfer) receivePart(p *partial, part int, at, want int64, sums summing, body io.Reader, room *room) error {
	begin, length := p.about().spanOf(part)
	w := &writing{file: p.file, room: room, at: at, sums: sums, most: t.MaxSize, noted: at, note: func(end int64) error { return p.advance(part, uint64(end-begin)) }}
	err := w.copy(body, want)
	if err == nil || !errors.Is(err, crawler.ErrStop) {
		err = errors.Join(err, w.tell())
	}
	if err != nil {
		return err
	}
	if length < 0 {
		length = w.at
		if err := p.sized(length); err != nil {
			return err
		}
	}
	if w.at == begin+length {
		if err := p.complete(part, length); err != nil {
			return err
		}
	}
	t.got.sums, t.got.size = sums, w.at
	return nil
}

func (h head) spanOf(part int) (at, length int64) { return h.span(part) }

// receiveSmall writes a file of which no state is kept.
func (t *transfer) receiveSmall(a answer, body io.Reader, room *room) error {
	if t.state != nil {
		if err := t.partials.remove(t.id); err != nil {
			return err
		}
		t.state = nil
	}
	at, err := t.spotOf()
	if err != nil {
		return err
	}
	f, err := t.make(at)
	if err != nil {
		return err
	}
	sums := t.summing(t.checksOf(a.checks))
	w := &writing{file: f, room: room, sums: sums, most: t.MaxSize}
	if err := w.copy(body, a.size); err != nil {
		_ = errors.Join(f.Close(), t.drop(at)) // the next attempt begins anew
		return err
	}
	t.got.small, t.got.sums, t.got.size = &a, sums, w.at
	t.got.data = &data{at: at, file: t.hold(f)}
	return nil
}

// writing is a body on its way to a file.
type writing struct {
	file *os.File
	at   int64
	sums summing
	most int64 // 0: no bound
	room *room

	note  func(end int64) error // notes how far it has come
	noted int64
}

const bufferSize = 128 << 10

var buffers = sync.Pool{New: func() any { b := make([]byte, bufferSize); return &b }}

// copy writes want bytes, or all where want is -1. What has come before an error is
// written too.
func (w *writing) copy(body io.Reader, want int64) error {
	pooled := buffers.Get().(*[]byte)
	defer buffers.Put(pooled)
	for want != 0 {
		buf := *pooled
		if want > 0 && want < int64(len(buf)) {
			buf = buf[:want]
		}
		n, err := io.ReadFull(body, buf)
		if n > 0 {
			if failed := w.write(buf[:n]); failed != nil {
				return failed
			}
		}
		if want > 0 {
			want -= int64(n)
		}
		switch {
		case err == nil:
		case (err == io.EOF || err == io.ErrUnexpectedEOF) && want < 0:
			return nil
		case err == io.EOF || err == io.ErrUnexpectedEOF:
			return &crawler.FetchError{Class: crawler.ClassTruncated, Temporary: true, Err: fmt.Errorf("%d bytes are missing at the end", want)}
		default:
			return err
		}
	}
	return nil
}

func (w *writing) write(b []byte) error {
	if w.most > 0 && w.at+int64(len(b)) > w.most {
		return tooLarge(w.at+int64(len(b)), w.most)
	}
	if _, err := w.file.WriteAt(b, w.at); err != nil {
		return broken("writing", err)
	}
	w.room.use(int64(len(b)))
	if w.sums != nil {
		w.sums.Write(b)
	}
	if w.at += int64(len(b)); w.at-w.noted >= atRisk {
		return w.tell()
	}
	return nil
}

func (w *writing) tell() error {
	if w.note == nil || w.at == w.noted {
		return nil
	}
	w.noted = w.at
	return w.note(w.at)
}
