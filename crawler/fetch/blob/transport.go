package blob

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
	"github.com/amblecrawl/amble/crawler/download"
)

// Connection is one bucket.
type Connection struct {
	Name    string
	Options bucket.Options
	Timeout time.Duration // of a listing, and of a silence in an object's body
}

// Transport answers the requests of the scheme blob. It is safe for concurrent use.
type Transport struct {
	buckets  map[string]bucket.Bucket
	timeouts map[string]time.Duration
}

// New opens the buckets; no service is asked before the first request. Errors name the
// connection and hold no credentials.
func New(ctx context.Context, connections []Connection) (*Transport, error) {
	t := &Transport{buckets: map[string]bucket.Bucket{}, timeouts: map[string]time.Duration{}}
	for _, c := range connections {
		b, err := bucket.Open(ctx, c.Options)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("connections.%s: %w", c.Name, err), t.Close())
		}
		t.buckets[c.Name], t.timeouts[c.Name] = b, c.Timeout
	}
	return t, nil
}

// Bucket gives an open bucket to whom the destination is one, nil where there is none.
func (t *Transport) Bucket(connection string) bucket.Bucket { return t.buckets[connection] }

// Close frees the buckets. Requests must have ended.
func (t *Transport) Close() error {
	var errs []error
	for _, b := range t.buckets {
		errs = append(errs, b.Close())
	}
	return errors.Join(errs...)
}

// Timeout bounds an exchange with a connection.
func (t *Transport) Timeout(connection string) time.Duration {
	if d := t.timeouts[connection]; d > 0 {
		return d
	}
	return time.Second // it fails at once
}

// RoundTrip answers one request.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	b := t.buckets[req.URL.Host]
	if b == nil {
		return nil, refused(fmt.Errorf("the config has no connection %s", req.URL.Host))
	}
	listing, isListing, err := download.ReadListing(req.URL)
	if err != nil {
		return nil, refused(err)
	}
	if isListing {
		return list(req, b, listing)
	}
	key, ok := download.KeyIn(req.URL)
	if !ok {
		return nil, refused(errors.New("the URL names no object"))
	}
	return object(req, b, key)
}

func refused(err error) error { return &crawler.FetchError{Class: crawler.ClassNetwork, Err: err} }

func list(req *http.Request, b bucket.Bucket, l *download.Listing) (*http.Response, error) {
	page, err := b.List(req.Context(), bucket.ListOptions{Prefix: l.Prefix, After: l.After})
	if err != nil {
		return explain(req, err)
	}
	body, err := l.Answer(page)
	if err != nil {
		return nil, refused(err)
	}
	h := http.Header{"Content-Type": {download.ListingType}}
	return response(req, http.StatusOK, h, io.NopCloser(bytes.NewReader(body)), int64(len(body))), nil
}

func object(req *http.Request, b bucket.Bucket, key string) (*http.Response, error) {
	o, partial, err := readRange(req.Header)
	if err != nil {
		return nil, refused(err)
	}
	got, err := b.Open(req.Context(), key, o)
	if err != nil {
		return explain(req, err)
	}
	h := http.Header{"Accept-Ranges": {"bytes"}}
	set := func(name, v string) {
		if v != "" {
			h.Set(name, v)
		}
	}
	set("Content-Type", got.ContentType)
	set("ETag", got.ETag)
	if !got.Modified.IsZero() {
		set("Last-Modified", got.Modified.UTC().Format(http.TimeFormat))
	}
	for name, sum := range got.Checksums {
		set(fields[name], base64.StdEncoding.EncodeToString(sum))
	}
	status := http.StatusOK
	if partial {
		status = http.StatusPartialContent
		h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", got.Offset, got.Offset+got.Length-1, got.Size))
	}
	return response(req, status, h, got.Body, got.Length), nil
}

// fields hold checksums of whole objects.
var fields = map[string]string{
	bucket.MD5: "Content-MD5", bucket.SHA1: "X-Amz-Checksum-Sha1", bucket.SHA256: "X-Amz-Checksum-Sha256",
	bucket.CRC32: "X-Amz-Checksum-Crc32", bucket.CRC32C: "X-Amz-Checksum-Crc32c", bucket.CRC64: "X-Amz-Checksum-Crc64nvme",
}

// readRange reads "bytes=first-last", the only form that our own requests have.
func readRange(h http.Header) (o bucket.ReadOptions, partial bool, err error) {
	text := h.Get("Range")
	if text == "" {
		return o, false, nil
	}
	var first, last int64
	if n, _ := fmt.Sscanf(text, "bytes=%d-%d", &first, &last); n == 2 && last >= first {
		o.Length = last - first + 1
	} else if n != 1 || text != "bytes="+strconv.FormatInt(first, 10)+"-" {
		return o, false, fmt.Errorf("the range %.100q is not known", text)
	}
	o.Offset, o.IfMatch = first, h.Get("If-Range")
	return o, true, nil
}

// explain passes a failure on: as an answer where its status says to wait.
func explain(req *http.Request, err error) (*http.Response, error) {
	var e *bucket.Error
	if !errors.As(err, &e) {
		return nil, refused(err)
	}
	switch {
	case errors.Is(err, bucket.ErrChanged):
		return response(req, http.StatusPreconditionFailed, nil, http.NoBody, 0), nil
	case errors.Is(err, bucket.ErrRange):
		return response(req, http.StatusRequestedRangeNotSatisfiable, nil, http.NoBody, 0), nil
	case errors.Is(err, bucket.ErrNotListing): // such as a page about maintenance
		return nil, &crawler.FetchError{Class: crawler.ClassProtocol, Temporary: true, Err: err}
	case e.Status == http.StatusTooManyRequests, e.Status >= http.StatusInternalServerError:
		text := err.Error()
		h := http.Header{}
		for _, name := range []string{"Retry-After", "Date"} {
			if v := e.Header.Get(name); v != "" {
				h.Set(name, v)
			}
		}
		return response(req, e.Status, h, io.NopCloser(bytes.NewReader([]byte(text))), int64(len(text))), nil
	case e.Status != 0, errors.Is(err, bucket.ErrNotFound), errors.Is(err, bucket.ErrDenied):
		return nil, &crawler.FetchError{Class: crawler.ClassHTTP4xx, Err: err}
	}
	return nil, e.Err // of the network, which the client knows to read
}

func response(req *http.Request, status int, h http.Header, body io.ReadCloser, length int64) *http.Response {
	if h == nil {
		h = http.Header{}
	}
	return &http.Response{
		Status: strconv.Itoa(status) + " " + http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, ContentLength: length, Body: body, Request: req,
	}
}
