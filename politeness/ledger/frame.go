package ledger

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"

	"github.com/klauspost/compress/zstd"
)

// ErrTorn means that the last frame of a ledger is incomplete, as a crash
// leaves it. All before it was read.
var ErrTorn = errors.New("ledger: torn tail")

// CorruptError means that a file of a ledger is not what was written.
type CorruptError struct {
	File   string
	Offset int64 // of the frame that cannot be read
	Detail string
}

// Error names file and offset.
func (e *CorruptError) Error() string {
	return fmt.Sprintf("ledger: %s is damaged at offset %d: %s", e.File, e.Offset, e.Detail)
}

// A segment is the signature followed by frames. A frame is
//
//	kind (1) | payload length (3) | payload crc32c (4) | header crc32c (4) | payload
//
// in big endian. The header's checksum goes on from that of the frame before,
// the first one from the segment's number; so frames have one order. Since the
// length has a checksum of its own, a frame that ends with the file is known to
// be torn and not to have a damaged length.
const (
	signature  = "amblelg1"
	headerSize = 12
	// maxPayload bounds a payload, packed and unpacked, and so the memory of a
	// reader.
	maxPayload = 1<<24 - 1
)

const (
	frameRun     = 'R'
	frameRobots  = 'B'
	frameEntries = 'E'
	packed       = 0x80 // added to the kind of a frame whose payload is zstd
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// appendFrame adds a frame and returns the checksum that the next goes on from.
func appendFrame(dst []byte, kind byte, payload []byte, chain uint32) ([]byte, uint32) {
	at := len(dst)
	dst = binary.BigEndian.AppendUint32(dst, uint32(kind)<<24|uint32(len(payload)))
	dst = binary.BigEndian.AppendUint32(dst, crc32.Checksum(payload, castagnoli))
	chain = crc32.Update(chain, castagnoli, dst[at:])
	dst = binary.BigEndian.AppendUint32(dst, chain)
	return append(dst, payload...), chain
}

func newEncoder() (*zstd.Encoder, error) {
	return zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderCRC(false),
		zstd.WithWindowSize(1<<20), zstd.WithLowerEncoderMem(true), zstd.WithSingleSegment(true))
}

func newDecoder() (*zstd.Decoder, error) {
	return zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPayload),
		zstd.WithDecoderLowmem(true))
}

// pack compresses a payload where that makes it shorter.
func pack(enc *zstd.Encoder, kind byte, payload []byte) (byte, []byte) {
	if small := enc.EncodeAll(payload, nil); len(small) < len(payload) {
		return kind | packed, small
	}
	return kind, payload
}

// frameReader reads the frames of one segment.
type frameReader struct {
	file   string
	in     *bufio.Reader
	dec    *zstd.Decoder
	offset int64 // behind the last frame that was good
	chain  uint32
	buf    []byte
	raw    []byte
}

// newFrameReader begins segment number n. Its error is ErrTorn or a
// *CorruptError.
func newFrameReader(file string, n int, in io.Reader, dec *zstd.Decoder) (*frameReader, error) {
	r := &frameReader{file: file, in: bufio.NewReaderSize(in, 64<<10), dec: dec, chain: uint32(n)}
	head := make([]byte, len(signature))
	got, err := io.ReadFull(r.in, head)
	switch {
	case err == nil && string(head) == signature:
		r.offset = int64(len(signature))
		return r, nil
	case cut(err) && string(head[:got]) == signature[:got]:
		return r, r.torn()
	case err != nil && !cut(err):
		return r, err
	case zero(head[:got]) && r.restIsZero():
		return r, r.torn()
	}
	return r, r.corrupt("not a ledger of this format")
}

func cut(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

func (r *frameReader) torn() error {
	size := r.offset
	if info, err := os.Stat(r.file); err == nil {
		size = info.Size()
	}
	return fmt.Errorf("%w: %s has %d bytes of one at offset %d", ErrTorn, r.file, size-r.offset, r.offset)
}

func (r *frameReader) corrupt(detail string) error {
	return &CorruptError{File: r.file, Offset: r.offset, Detail: detail}
}

// next returns the next frame; its payload holds until the call after. At the
// end it returns io.EOF, or ErrTorn.
func (r *frameReader) next() (kind byte, payload []byte, err error) {
	var head [headerSize]byte
	n, err := io.ReadFull(r.in, head[:])
	switch {
	case errors.Is(err, io.EOF):
		return 0, nil, io.EOF
	case cut(err):
		if !known(head[0]) && !zero(head[:n]) {
			return 0, nil, r.corrupt("no frame begins here")
		}
		return 0, nil, r.torn()
	case err != nil:
		return 0, nil, fmt.Errorf("%s: %w", r.file, err)
	}
	chain := crc32.Update(r.chain, castagnoli, head[:8])
	if binary.BigEndian.Uint32(head[8:]) != chain || !known(head[0]) {
		if zero(head[:]) && r.restIsZero() {
			return 0, nil, r.torn() // the file had grown, its content had not arrived
		}
		return 0, nil, r.corrupt("wrong checksum of a frame's header")
	}
	size := int(binary.BigEndian.Uint32(head[:]) & maxPayload)
	if r.buf, err = readFull(r.in, r.buf[:0], size); err != nil {
		if cut(err) {
			return 0, nil, r.torn()
		}
		return 0, nil, fmt.Errorf("%s: %w", r.file, err)
	}
	if crc32.Checksum(r.buf, castagnoli) != binary.BigEndian.Uint32(head[4:]) {
		return 0, nil, r.corrupt("wrong checksum of a frame")
	}
	payload = r.buf
	if head[0]&packed != 0 {
		if r.raw, err = r.dec.DecodeAll(r.buf, r.raw[:0]); err != nil {
			return 0, nil, r.corrupt("a frame cannot be unpacked")
		}
		payload = r.raw
	}
	r.offset += headerSize + int64(size)
	r.chain = chain
	return head[0] &^ packed, payload, nil
}

// readFull appends size octets to buf, which grows no faster than they arrive.
func readFull(in io.Reader, buf []byte, size int) ([]byte, error) {
	const step = 256 << 10
	for size > 0 {
		n := min(size, step)
		at := len(buf)
		buf = append(buf, make([]byte, n)...)
		if _, err := io.ReadFull(in, buf[at:]); err != nil {
			return buf, err
		}
		size -= n
	}
	return buf, nil
}

func known(kind byte) bool {
	switch kind &^ packed {
	case frameRun, frameRobots, frameEntries:
		return true
	}
	return false
}

func zero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

func (r *frameReader) restIsZero() bool {
	for {
		c, err := r.in.ReadByte()
		if err != nil {
			return errors.Is(err, io.EOF)
		}
		if c != 0 {
			return false
		}
	}
}
