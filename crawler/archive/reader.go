package archive

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"os"

	"github.com/klauspost/compress/zstd"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// maxPlain bounds an exchange in memory: the largest body that a config may allow, and
// its header.
const maxPlain = 1<<30 + 1<<20

// Reader gives the exchanges of an archive. It is safe for concurrent use.
type Reader struct {
	opt   sealing
	path  string
	file  *os.File
	z     *zstd.Decoder
	known map[key]span
	lost  map[key]bool // those that are damaged
	found survey
}

type span struct{ at, size int64 }

// Open reads a file through, to learn where its exchanges are and whether they are whole:
// 32 bytes of memory for each. What is damaged is left out, and told by Damaged.
func Open(path string, o Options) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &Reader{path: path, file: f, known: map[key]span{}, lost: map[key]bool{}}
	r.found, err = look(f, func(k key, at, size int64) {
		r.known[k] = span{at, size}
		delete(r.lost, k)
	}, func(k key) {
		delete(r.known, k) // an earlier attempt does not stand for it
		r.lost[k] = true
	})
	r.opt = sealing{o, r.found.mark}
	if err == nil {
		r.z, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxPlain))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return r, nil
}

// Len counts the exchanges, and Torn the bytes of one that was not written to its end.
func (r *Reader) Len() int    { return len(r.known) }
func (r *Reader) Torn() int64 { return r.found.torn }

// Damaged are the places, in bytes, from which on a file holds no exchange but what is
// left of one or several. They are given as not recorded.
func (r *Reader) Damaged() []int64 { return r.found.damaged }

// Close ends reading.
func (r *Reader) Close() error {
	r.z.Close()
	return r.file.Close()
}

// read gives an exchange; nil when there is none.
func (r *Reader) read(k key) (*exchange, []byte, error) {
	s, ok := r.known[k]
	if !ok {
		return nil, nil, nil
	}
	data := make([]byte, frameHead+s.size)
	if _, err := r.file.ReadAt(data, s.at); err != nil {
		return nil, nil, err
	}
	content := data[frameHead:]
	if binary.LittleEndian.Uint32(data[4:]) != checksum(key(data[8:frameHead]), content) || key(data[8:frameHead]) != k {
		return nil, nil, fmt.Errorf("%w: %s at byte %d", ErrDamaged, r.path, s.at)
	}
	return open(r.z, content)
}

// Fetcher makes a fetcher that gives what is in the archive, and nothing else.
func (r *Reader) Fetcher() crawler.Fetcher { return &replayer{r} }

type replayer struct{ reader *Reader }

var errNoFiles = errors.New("archives hold no files")

var errLost = errors.New("what the archive holds of it is damaged")

var errNotRecorded = errors.New("the archive does not hold it")

// Fetch implements crawler.Fetcher.
func (f *replayer) Fetch(ctx context.Context, u urls.URL, opt crawler.FetchOptions) (*crawler.Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := f.reader
	if opt.Receive != nil {
		return nil, stored(crawler.ClassNotRecorded, errNoFiles)
	}
	k := keyOf(opt.Method, r.opt.seal(u.Fetch()), r.opt.seal(opt.Body))
	x, body, err := r.read(k)
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: the archive: %w", crawler.ErrStop, err)
	case x == nil && r.lost[k]:
		return nil, stored(crawler.ClassNotRecorded, errLost)
	case x == nil:
		return nil, stored(crawler.ClassNotRecorded, errNotRecorded)
	case x.Error != nil:
		return nil, stored(x.Error.Class, errors.New(r.opt.unseal(x.Error.Text)))
	}
	if r.opt.Unseal != nil {
		body = []byte(r.opt.unseal(string(body)))
	}
	if opt.MaxBody > 0 && int64(len(body)) > opt.MaxBody {
		if !opt.Truncate {
			return nil, stored(crawler.ClassTooLarge, errors.New("the body is larger than the config allows by now"))
		}
		body = body[:opt.MaxBody]
	}
	if opt.Admit != nil {
		arrived := crawler.Arrived{MediaType: x.MediaType, Size: int64(len(body)), Elements: int64(crawler.ElementsOf(x.MediaType)(body))}
		if err := opt.Admit(ctx, arrived); err != nil {
			return nil, err
		}
	}
	resp := &crawler.Response{
		Status: x.Status, Header: http.Header{}, MediaType: x.MediaType, Charset: x.Charset, Body: body,
		Wire: x.Wire, FetchedAt: x.FetchedAt, Stored: "the archive",
	}
	for name, values := range x.Header {
		for _, v := range values {
			resp.Header[name] = append(resp.Header[name], r.opt.unseal(v))
		}
	}
	if x.Status == http.StatusTooManyRequests || x.Status == http.StatusServiceUnavailable {
		resp.Header.Set("Retry-After", "1") // nobody is there who would have to be left alone
	}
	if x.Location != "" {
		if resp.Location, err = urls.Parse(r.opt.unseal(x.Location)); err != nil {
			return nil, fmt.Errorf("%w: the archive: %w: %w", crawler.ErrStop, ErrDamaged, err)
		}
	}
	return resp, nil
}

// stored is a failure that was not met now.
func stored(class crawler.Class, err error) error {
	return &crawler.FetchError{Class: class, Err: fmt.Errorf("%w: %w", crawler.ErrStored, err)}
}
