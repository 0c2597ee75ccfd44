package archive

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
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
	torn  int64 // bytes at the end that are no frame
}

type span struct{ at, size int64 }

// Open reads where the exchanges of a file are: 32 bytes of memory for each.
func Open(path string, o Options) (*Reader, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	r := &Reader{path: path, file: f, known: map[key]span{}}
	mark, end, err := scan(f, func(k key, at, size int64) { r.known[k] = span{at, size} })
	r.opt = sealing{o, mark}
	if err == nil {
		r.z, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxPlain))
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	if info, err := f.Stat(); err == nil {
		r.torn = info.Size() - end
	}
	return r, nil
}

// Len counts the exchanges, and Torn the bytes of one that was not written to its end.
func (r *Reader) Len() int    { return len(r.known) }
func (r *Reader) Torn() int64 { return r.torn }

// Close ends reading.
func (r *Reader) Close() error {
	r.z.Close()
	return r.file.Close()
}

// scan goes through the heads of frames, and gives the file's mark and where the last
// whole frame ends.
func scan(f *os.File, found func(k key, at, size int64)) (mark string, end int64, err error) {
	info, err := f.Stat()
	if err != nil {
		return "", 0, err
	}
	var name [fileHead]byte
	if _, err := f.ReadAt(name[:], 0); err != nil || string(name[:len(magic)]) != magic || name[fileHead-1] != '\n' {
		return "", 0, fmt.Errorf("%w: it does not begin as an archive does", ErrDamaged)
	}
	mark = string(name[len(magic) : fileHead-1])
	at := int64(fileHead)
	var head [frameHead]byte
	for {
		_, err := f.ReadAt(head[:], at)
		size := int64(binary.LittleEndian.Uint32(head[:]))
		switch {
		case errors.Is(err, io.EOF), err == nil && at+frameHead+size > info.Size():
			return mark, at, nil
		case err != nil:
			return "", 0, err
		}
		found(key(head[8:]), at, size)
		at += frameHead + size
	}
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
	x, body, err := r.read(keyOf(opt.Method, r.opt.seal(u.Fetch()), r.opt.seal(opt.Body)))
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: the archive: %w", crawler.ErrStop, err)
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
