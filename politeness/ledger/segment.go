package ledger

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/klauspost/compress/zstd"
)

const (
	suffix = ".ledger"
	// segmentSize is the size from which a segment is followed by another.
	segmentSize = 64 << 20
)

func segmentFile(dir string, n int) string {
	return filepath.Join(dir, fmt.Sprintf("%06d%s", n, suffix))
}

// segments lists the numbers of the segments of a ledger in order. Between those that
// are there none may be missing.
func segments(dir string) ([]int, error) {
	l, err := list(dir)
	return l.numbers, err
}

// tail is what the end of a segment tells to who goes on writing it.
type tail struct {
	size   int64 // of what is good
	torn   int64 // octets behind that
	chain  uint32
	frames int
	hashes [][16]byte // of the bodies in it
}

// inspect reads a segment to its end, and checks all of it.
func inspect(file string, n int, dec *zstd.Decoder) (tail, error) {
	in, err := os.Open(file)
	if err != nil {
		return tail{}, fmt.Errorf("ledger: %w", err)
	}
	defer func() { _ = in.Close() }() // only read from
	info, err := in.Stat()
	if err != nil {
		return tail{}, fmt.Errorf("ledger: %w", err)
	}
	var t tail
	r, err := newFrameReader(file, n, in, dec)
	var kind byte
	var payload []byte
	var c codec
	for err == nil {
		if kind, payload, err = r.next(); err != nil {
			break
		}
		t.frames++
		if kind == frameRobots && len(t.hashes) < maxHashes {
			versions, err := c.decodeVersions(payload)
			if err != nil {
				return tail{}, r.corrupt(err.Error())
			}
			for _, v := range versions {
				if v.held {
					t.hashes = append(t.hashes, v.Hash)
				}
			}
		}
	}
	if !errors.Is(err, io.EOF) && !errors.Is(err, ErrTorn) {
		return tail{}, err
	}
	t.size, t.chain, t.torn = r.offset, r.chain, info.Size()-r.offset
	return t, nil
}
