package fetch

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/amblecrawl/amble/crawler"
)

const (
	acceptEncoding = "gzip, deflate, br, zstd"
	// maxEncodings bounds how deep encodings may be stacked.
	maxEncodings = 3
)

// decode removes content encodings (RFC 9110 section 8.4) and bounds what
// comes out, so that a small body cannot become a large one in memory.
type decode struct{ next http.RoundTripper }

func (t decode) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil || resp.Body == nil || resp.Body == http.NoBody {
		return resp, err
	}
	x := exchangeOf(req)
	if x.receives(resp) {
		return resp, nil
	}
	names, err := encodings(resp.Header)
	if err == nil && len(names) == 0 && !x.truncate && resp.ContentLength > x.maxBody {
		err = tooLarge() // said in advance: nothing is read
	}
	if err != nil {
		resp.Body.Close()
		x.status, x.header = resp.StatusCode, resp.Header // for its Retry-After
		return nil, err
	}
	body := &decodedBody{wire: resp.Body}
	body.r = resp.Body
	for i := len(names) - 1; i >= 0; i-- {
		if i < len(names)-1 {
			// What lies between two encodings is bounded as the wire is.
			body.r = &bounded{r: body.r, left: x.maxBody + x.maxBody/8 + wireSlack}
		}
		d := &decoder{name: names[i], src: body.r}
		body.stages = append(body.stages, d)
		body.r = d
	}
	body.r = &bounded{r: body.r, left: x.maxBody, truncate: x.truncate}
	resp.Body = body
	return resp, nil
}

// encodings lists the body's encodings in the order they were applied.
func encodings(h http.Header) ([]string, error) {
	values := h["Content-Encoding"]
	if len(values) == 0 {
		return nil, nil
	}
	var names []string
	for token := range strings.SplitSeq(strings.Join(values, ","), ",") {
		name := strings.ToLower(strings.TrimSpace(token))
		switch name {
		case "", "identity":
			continue
		case "x-gzip":
			name = "gzip"
		case "gzip", "deflate", "br", "zstd":
		default:
			return nil, decodeError(fmt.Errorf("unknown content encoding %q", name))
		}
		names = append(names, name)
	}
	if len(names) > maxEncodings {
		return nil, decodeError(fmt.Errorf("%d content encodings", len(names)))
	}
	return names, nil
}

func decodeError(err error) error {
	return &crawler.FetchError{Class: crawler.ClassDecode, Err: err}
}

// decodedBody reads through the stages and closes what lies below them.
type decodedBody struct {
	r      io.Reader
	stages []*decoder
	wire   io.ReadCloser
}

func (b *decodedBody) Read(p []byte) (int, error) {
	n, err := b.r.Read(p)
	if err == io.EOF && len(b.stages) > 0 {
		// Encoded data says itself where it ends. Reading on to the end of
		// the message keeps the connection usable; its failing changes nothing.
		var rest [64]byte
		_, _ = b.wire.Read(rest[:])
	}
	return n, err
}

func (b *decodedBody) Close() error {
	for _, d := range b.stages {
		d.release()
	}
	return b.wire.Close()
}

// decoder is one encoding of a body. It is made on the first read, for a body
// without a byte is an empty body whatever its encoding.
type decoder struct {
	name string
	src  io.Reader
	r    pooled
	err  error // sticky
	// below is what ended the source before its end. Some decoders report that
	// as data cut short.
	below error
}

// source is what the decoder reads.
type source struct{ d *decoder }

func (s source) Read(p []byte) (int, error) {
	n, err := s.d.src.Read(p)
	if err != nil && err != io.EOF {
		s.d.below = err
	}
	return n, err
}

// fault is err, or what caused it further down.
func (d *decoder) fault(err error) error {
	if d.below != nil && err != io.EOF {
		err = d.below
	}
	return stageError(d.name, err)
}

func (d *decoder) Read(p []byte) (int, error) {
	if d.err != nil {
		return 0, d.err
	}
	if d.r == nil {
		if d.r, d.err = open(d.name, source{d}); d.err != nil {
			d.err = d.fault(d.err)
			return 0, d.err
		}
	}
	n, err := d.r.Read(p)
	if err != nil {
		d.err = d.fault(err)
	}
	return n, d.err
}

// release gives the decoder back for the next body.
func (d *decoder) release() {
	if d.r == nil {
		return
	}
	d.r.release(d.err == io.EOF)
	d.r = nil
	if d.err == nil {
		d.err = http.ErrBodyReadAfterClose
	}
}

// stageError tells a broken encoding from an encoding cut short, and from a
// failure of what lies below.
func stageError(name string, err error) error {
	var below *crawler.FetchError
	var received wireError
	switch {
	case err == io.EOF || errors.As(err, &below) || errors.As(err, &received):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return &crawler.FetchError{Class: crawler.ClassTruncated, Temporary: true, Err: fmt.Errorf("%s: %w", name, err)}
	}
	return decodeError(fmt.Errorf("%s: %w", name, err))
}

// bounded passes on at most left bytes. The byte after them is an error, or
// the end when the body is to be cut.
type bounded struct {
	r        io.Reader
	left     int64
	truncate bool
}

func (b *bounded) Read(p []byte) (int, error) {
	if b.truncate && b.left == 0 {
		return 0, io.EOF
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.r.Read(p)
	if int64(n) <= b.left {
		b.left -= int64(n)
		return n, err
	}
	n, b.left = int(b.left), 0
	if b.truncate {
		return n, io.EOF
	}
	return n, tooLarge()
}
