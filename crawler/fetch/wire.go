package fetch

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

var (
	errTooLarge = errors.New("the body is larger than fetch.max_body allows")
	errStalled  = errors.New("the body stalled")
	errReplay   = errors.New("the connection broke before the response began")
)

// wireSlack is what a body may take on the wire beyond its decoded bound:
// framing of the encodings, or a body that encoding made longer. Without it a
// server could send forever what decodes to nothing.
const wireSlack = 64 << 10

// wire watches a body as it is received: counts it, bounds it, and ends the
// exchange when no byte comes for the idle time. It refuses what no final answer
// has for a status (RFC 9110 section 15).
type wire struct {
	next http.RoundTripper
}

func (t wire) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode < http.StatusOK {
		// After 101 the body is the bare connection, which knows no deadline.
		resp.Body.Close()
		return nil, &crawler.FetchError{Class: crawler.ClassProtocol, Err: fmt.Errorf("status %d, which is no answer", resp.StatusCode)}
	}
	if resp.Body == nil || resp.Body == http.NoBody {
		return resp, nil
	}
	x := exchangeOf(req)
	b := &wireBody{ReadCloser: resp.Body, x: x, idle: x.idle}
	if b.limit = x.maxBody + x.maxBody/8 + wireSlack; x.receives(resp) {
		b.limit = math.MaxInt64
	}
	resp.Body = b
	return resp, nil
}

type wireBody struct {
	io.ReadCloser
	x     *exchange
	idle  time.Duration
	limit int64
	timer *time.Timer
}

func (b *wireBody) Read(p []byte) (int, error) {
	if b.timer == nil {
		b.timer = time.AfterFunc(b.idle, func() {
			b.x.stalled.Store(true)
			b.x.stop()
		})
	} else {
		b.timer.Reset(b.idle)
	}
	n, err := b.ReadCloser.Read(p)
	b.timer.Stop()
	b.x.wire += int64(n)
	switch {
	case err == io.ErrUnexpectedEOF || err != nil && says(err, "unexpected EOF reading trailer"):
		// Told apart here from a decoder's complaint of the same name.
		err = &crawler.FetchError{Class: crawler.ClassTruncated, Temporary: true, Err: err}
	case err != nil && err != io.EOF:
		err = wireError{err}
	case err == nil && b.x.wire > b.limit:
		err = tooLarge()
	}
	return n, err
}

// wireError marks a failure to receive, which a decoder above passes on.
type wireError struct{ error }

func (e wireError) Unwrap() error { return e.error }

func (b *wireBody) Close() error {
	if b.timer != nil {
		b.timer.Stop()
	}
	return b.ReadCloser.Close()
}

func tooLarge() error {
	return &crawler.FetchError{Class: crawler.ClassTooLarge, Err: errTooLarge}
}
