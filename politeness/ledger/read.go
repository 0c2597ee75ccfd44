package ledger

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"time"

	"github.com/klauspost/compress/zstd"
)

// Read yields the entries of a ledger in the order in which they were
// appended, checking every frame. Entries that are put away meanwhile are left out. It ends with an error that wraps ErrTorn when
// the last frame is incomplete, and with a *CorruptError where a file is
// damaged.
func Read(dir string) iter.Seq2[Entry, error] {
	return read(dir, func(RunInfo) bool { return true })
}

// ReadRun yields the entries of one run, as Read does.
func ReadRun(dir, run string) iter.Seq2[Entry, error] {
	return read(dir, func(info RunInfo) bool { return info.Run == run })
}

func read(dir string, wanted func(RunInfo) bool) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		want := false
		for f, err := range passing(dir) {
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if f.run != nil {
				want = wanted(f.run.Run)
			}
			if !want {
				continue
			}
			for _, e := range f.entries {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}

// passing is scan, but goes on behind what is put away meanwhile.
func passing(dir string) iter.Seq2[frame, error] {
	return func(yield func(frame, error) bool) {
		for again, last := true, 0; again; {
			again = false
			numbers, err := segments(dir)
			if err != nil {
				yield(frame{}, err)
				return
			}
			for len(numbers) > 1 && numbers[0] <= last {
				numbers = numbers[1:]
			}
			for f, err := range scanFrom(dir, numbers) {
				if again = errors.Is(err, errMoved); again {
					break
				}
				last = max(last, f.segment)
				if !yield(f, err) {
					return
				}
			}
		}
	}
}

// place is where a frame stands, and the checksum that it goes on from.
type place struct {
	segment int
	offset  int64
	chain   uint32
}

// frame is one frame, decoded: one of the three.
type frame struct {
	place
	run      *runFrame
	versions []version
	entries  []Entry // hold until the next frame
}

// scan yields the frames of a ledger.
func scan(dir string) iter.Seq2[frame, error] {
	return func(yield func(frame, error) bool) {
		numbers, err := segments(dir)
		if err != nil {
			yield(frame{}, err)
			return
		}
		scanFrom(dir, numbers)(yield)
	}
}

// openSegment opens one to be read; its error is errMoved where it was put away after
// it was listed.
func openSegment(dir string, n int) (*os.File, error) {
	in, err := os.Open(segmentFile(dir, n))
	if errors.Is(err, fs.ErrNotExist) && moved(dir, n) {
		return nil, errMoved
	}
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return in, nil
}

func scanSegment(dir string, n int, dec *zstd.Decoder, yield func(frame, error) bool) (more bool, err error) {
	file := segmentFile(dir, n)
	in, err := openSegment(dir, n)
	if err != nil {
		return false, err
	}
	defer func() { _ = in.Close() }() // only read from
	r, err := newFrameReader(file, n, in, dec)
	if err != nil {
		return false, err
	}
	var d decoder
	for {
		at := place{n, r.offset, r.chain}
		kind, payload, err := r.next()
		if errors.Is(err, io.EOF) {
			return true, nil
		} else if err != nil {
			return false, err
		}
		f, err := d.decode(kind, payload)
		if err != nil {
			return false, &CorruptError{File: file, Offset: at.offset, Detail: err.Error()}
		}
		f.place = at
		if !yield(f, nil) {
			return false, nil
		}
	}
}

// decoder reads the frames of one segment in order.
type decoder struct {
	codec   codec
	begun   bool
	entries []Entry
}

func (d *decoder) decode(kind byte, payload []byte) (f frame, err error) {
	switch {
	case kind == frameRun:
		run, err := decodeRun(payload)
		if err != nil {
			return f, err
		}
		f.run, d.begun = &run, true
		d.codec.base, d.codec.format = time.UnixMicro(run.Base).UTC(), run.Format
		d.codec.table.clear()
	case !d.begun:
		return f, errFormat
	case kind == frameRobots:
		f.versions, err = d.codec.decodeVersions(payload)
	default:
		clear(d.entries)
		d.entries, err = d.codec.decode(payload, d.entries[:0])
		f.entries = d.entries
	}
	return f, err
}

// body reads a robots.txt back from the frame that holds it; nil when it does
// not.
func body(dir string, at place, hash [16]byte, dec *zstd.Decoder) ([]byte, error) {
	file := segmentFile(dir, at.segment)
	in, err := openSegment(dir, at.segment)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }() // only read from
	if _, err := in.Seek(at.offset, io.SeekStart); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	r := &frameReader{file: file, in: bufio.NewReader(in), dec: dec, offset: at.offset, chain: at.chain}
	_, payload, err := r.next()
	if err != nil {
		return nil, err
	}
	text, err := bodyOf(payload, hash)
	if err != nil {
		return nil, r.corrupt(err.Error())
	}
	return text, nil
}
