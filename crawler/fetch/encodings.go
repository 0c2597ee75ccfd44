package fetch

import (
	"bufio"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// zstdWindow is the most history a zstd frame may ask for, as RFC 9659 sets
// it for HTTP. brotli's own format stops at 16 MiB, deflate's at 32 KiB.
const zstdWindow = 8 << 20

// pooled is a decoder on loan.
type pooled interface {
	io.Reader
	// release ends the loan; only a decoder that came cleanly to its end is kept.
	release(clean bool)
}

// loan is a decoder of kind T with the buffered source it reads.
type loan[T io.Reader] struct {
	decoder T
	src     *bufio.Reader
	pool    *sync.Pool
	detach  func(T) // lets go of the source
}

func (l *loan[T]) Read(p []byte) (int, error) { return l.decoder.Read(p) }

func (l *loan[T]) release(clean bool) {
	if clean {
		l.detach(l.decoder)
		l.src.Reset(nil)
		l.pool.Put(l)
	}
}

var gzips, zlibs, flates, brotlis, zstds sync.Pool

// open gives a decoder for the named encoding that reads src. It fails with
// io.EOF when src is empty.
func open(name string, src io.Reader) (pooled, error) {
	switch name {
	case "gzip":
		return lend(&gzips, src,
			func(r *bufio.Reader) (*gzip.Reader, error) { return gzip.NewReader(r) },
			func(z *gzip.Reader, r *bufio.Reader) error { return z.Reset(r) },
			func(*gzip.Reader) {})
	case "br":
		return lend(&brotlis, src,
			func(r *bufio.Reader) (*brotli.Reader, error) { return brotli.NewReader(r), nil },
			func(z *brotli.Reader, r *bufio.Reader) error { return z.Reset(r) },
			func(*brotli.Reader) {})
	case "zstd":
		return lend(&zstds, src,
			func(r *bufio.Reader) (*zstd.Decoder, error) {
				return zstd.NewReader(r, zstd.WithDecoderConcurrency(1),
					zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(zstdWindow))
			},
			func(z *zstd.Decoder, r *bufio.Reader) error { return z.Reset(r) },
			func(z *zstd.Decoder) { _ = z.Reset(nil) })
	}
	return openDeflate(src)
}

// openDeflate takes both readings of "deflate": zlib, as RFC 9110 section
// 8.4.1.2 says, and the bare deflate that many servers send.
func openDeflate(src io.Reader) (pooled, error) {
	r := bufio.NewReader(src)
	head, err := r.Peek(2)
	if len(head) == 0 {
		return nil, err
	}
	if len(head) == 2 && head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		return lend(&zlibs, r,
			func(r *bufio.Reader) (io.ReadCloser, error) { return zlib.NewReader(r) },
			func(z io.ReadCloser, r *bufio.Reader) error { return z.(zlib.Resetter).Reset(r, nil) },
			func(io.ReadCloser) {})
	}
	return lend(&flates, r,
		func(r *bufio.Reader) (io.ReadCloser, error) { return flate.NewReader(r), nil },
		func(z io.ReadCloser, r *bufio.Reader) error { return z.(flate.Resetter).Reset(r, nil) },
		func(io.ReadCloser) {})
}

// lend takes a decoder from the pool or makes one, and points it at src.
func lend[T io.Reader](pool *sync.Pool, src io.Reader, make func(*bufio.Reader) (T, error),
	reset func(T, *bufio.Reader) error, detach func(T),
) (pooled, error) {
	l, reused := pool.Get().(*loan[T])
	if !reused {
		l = &loan[T]{src: bufio.NewReader(src), pool: pool, detach: detach}
	} else {
		l.src.Reset(src)
	}
	if _, err := l.src.Peek(1); err != nil {
		if reused {
			l.release(true)
		}
		return nil, err
	}
	var err error
	if reused {
		err = reset(l.decoder, l.src)
	} else {
		l.decoder, err = make(l.src)
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF // there was a byte
	}
	return l, err
}
