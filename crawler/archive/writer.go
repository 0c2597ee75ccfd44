package archive

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Options are how an archive hides what it must not hold.
type Options struct {
	// Seal hides values in a text, and Unseal puts those of this process there, by a
	// mark that nobody who writes pages can know; nil hides nothing.
	Seal, Unseal func(text, mark string) string
}

// sealing is how one file hides.
type sealing struct {
	Options
	mark string
}

func (s sealing) seal(text string) string {
	if s.Seal == nil {
		return text
	}
	return s.Seal(text, s.mark)
}

func (s sealing) unseal(text string) string {
	if s.Unseal == nil {
		return text
	}
	return s.Unseal(text, s.mark)
}

// Writer keeps the exchanges of a run. It is safe for concurrent use.
type Writer struct {
	opt sealing
	z   *zstd.Encoder

	mu     sync.Mutex
	file   *os.File
	failed error
}

// Create makes a file, for its owner alone, in the place of an archive that is there.
// Another file is left as it is.
func Create(path string, o Options) (*Writer, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := empty(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	var random [markSize / 2]byte
	_, _ = rand.Read(random[:]) // never fails
	mark := hex.EncodeToString(random[:])
	if _, err := f.WriteString(magic + mark + "\n"); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return newWriter(f, sealing{o, mark})
}

// empty clears a file that holds nothing or an archive.
func empty(f *os.File) error {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	head := make([]byte, len(magic))
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !strings.HasPrefix(magic, string(head[:n])) { // the beginning of one is what a crash leaves
		return errors.New("the file is no archive and is not replaced; name another one, or remove it")
	}
	return errors.Join(f.Chmod(0o600), f.Truncate(0))
}

// Append goes on with a file, or makes it. What a crash has left of a last frame is
// cut off.
func Append(path string, o Options) (*Writer, error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0o600)
	if errors.Is(err, os.ErrNotExist) {
		return Create(path, o)
	}
	if err != nil {
		return nil, err
	}
	found, err := look(f, func(key, int64, int64) {}, func(key) {})
	if err == nil && found.torn > 0 {
		err = f.Truncate(found.end)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekEnd)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return newWriter(f, sealing{o, found.mark})
}

func newWriter(f *os.File, o sealing) (*Writer, error) {
	z, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Writer{opt: o, z: z, file: f}, nil
}

// Close ends the file.
func (w *Writer) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return errors.Join(w.file.Sync(), w.file.Close(), w.z.Close())
}

// Fetcher makes a fetcher whose exchanges are kept.
func (w *Writer) Fetcher(next crawler.Fetcher) crawler.Fetcher { return &recorder{w, next} }

type recorder struct {
	writer *Writer
	next   crawler.Fetcher
}

// Fetch implements crawler.Fetcher. It asks without conditions: that something is as
// it was says nothing to who has nothing.
func (r *recorder) Fetch(ctx context.Context, u urls.URL, opt crawler.FetchOptions) (*crawler.Response, error) {
	if opt.Receive != nil { // a file, of whatever length
		return r.next.Fetch(ctx, u, opt)
	}
	opt.Header = unconditional(opt.Header)
	resp, err := r.next.Fetch(ctx, u, opt)
	var fe *crawler.FetchError
	switch {
	case err == nil && len(resp.Header[crawler.HeaderLoggedOut]) > 0: // it is not the page
		return resp, nil
	case err == nil:
		err = r.writer.put(u, &opt, resp, nil)
	case errors.As(err, &fe) && !errors.Is(err, crawler.ErrNotSent) && !errors.Is(err, crawler.ErrStop):
		if failed := r.writer.put(u, &opt, nil, fe); failed != nil {
			return nil, failed
		}
		return nil, err
	}
	if err != nil {
		return nil, err
	}
	return resp, nil
}

func unconditional(h http.Header) http.Header {
	if h.Get("If-None-Match") == "" && h.Get("If-Modified-Since") == "" {
		return h
	}
	h = maps.Clone(h)
	h.Del("If-None-Match")
	h.Del("If-Modified-Since")
	return h
}

// put appends an exchange. Its error ends the run: an archive with holes is none.
func (w *Writer) put(u urls.URL, opt *crawler.FetchOptions, resp *crawler.Response, fe *crawler.FetchError) error {
	url := w.opt.seal(u.Fetch())
	x := &exchange{Method: opt.Method, URL: u.Redacted()}
	x.URL = w.opt.seal(x.URL)
	var body []byte
	if fe != nil {
		x.Error = &failure{Class: fe.Class, Text: w.opt.seal(fe.Err.Error())}
	} else {
		x.Status, x.MediaType, x.Charset, x.Wire, x.FetchedAt = resp.Status, resp.MediaType, resp.Charset, resp.Wire, resp.FetchedAt.UTC()
		x.Header = w.kept(resp.Header)
		if !resp.Location.IsZero() {
			x.Location = w.opt.seal(resp.Location.String())
		}
		body = resp.Body
		if w.opt.Seal != nil {
			body = []byte(w.opt.seal(string(body)))
		}
	}
	data, err := frame(w.z, keyOf(opt.Method, url, w.opt.seal(opt.Body)), x, body)
	if err != nil {
		return fmt.Errorf("%w: the archive: %w", crawler.ErrStop, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.failed == nil {
		_, w.failed = w.file.Write(data)
	}
	if w.failed != nil {
		return fmt.Errorf("%w: the archive: %w", crawler.ErrStop, w.failed)
	}
	return nil
}

// secret are the fields of answers that say who asked.
var secret = map[string]bool{"Set-Cookie": true, "Set-Cookie2": true, "Authorization": true, "Authentication-Info": true, "Proxy-Authentication-Info": true}

func (w *Writer) kept(h http.Header) http.Header {
	out := make(http.Header, len(h))
	for name, values := range h {
		if secret[http.CanonicalHeaderKey(name)] || strings.HasPrefix(name, ":") {
			continue
		}
		for _, v := range values {
			out[name] = append(out[name], w.opt.seal(v))
		}
	}
	return out
}
