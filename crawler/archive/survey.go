package archive

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
)

// survey is what a file holds, every frame of it having been read.
type survey struct {
	mark    string
	end     int64   // of the last whole frame
	torn    int64   // octets behind it that are the beginning of a frame, as after a crash
	damaged []int64 // where there is something else than a frame
}

// begun is how the content of each frame begins: the mark of zstd (RFC 8878 section 3.1.1).
var begun = []byte{0x28, 0xb5, 0x2f, 0xfd}

// maxTries bounds the places that are tried behind a damaged frame, each of which may
// have the rest of the file read.
const maxTries = 1000

// look reads a file: found is told of whole frames, and lost of the keys of those that are
// damaged, unless they are damaged themselves.
func look(f *os.File, found func(k key, at, size int64), lost func(k key)) (s survey, err error) {
	info, err := f.Stat()
	if err != nil {
		return s, err
	}
	if s.mark, err = markOf(f); err != nil {
		return s, err
	}
	s.end = int64(fileHead)
	length := info.Size()
	r := bufio.NewReaderSize(nil, 1<<20)
	start := func(at int64) { r.Reset(io.NewSectionReader(f, at, length-at)) }
	start(s.end)
	for at := s.end; at < length; {
		k, size, err := next(r, length-at)
		switch {
		case err == nil:
			found(k, at, size)
			at += frameHead + size
			s.end = at
			continue
		case !errors.Is(err, ErrDamaged):
			return s, err
		}
		behind, err := resume(f, at+1, length)
		if err != nil {
			return s, err
		}
		if behind == length && at+frameHead+size > length {
			s.torn = length - at
			return s, nil
		}
		lost(k)
		s.damaged = append(s.damaged, at)
		at = behind
		start(at)
	}
	return s, nil
}

// next reads a frame of what is left of a file. Its error wraps ErrDamaged where that
// does not begin with one; size is what it says of itself.
func next(r *bufio.Reader, left int64) (k key, size int64, err error) {
	var head [frameHead]byte
	if left < frameHead {
		return k, left, fmt.Errorf("%w: a frame without its head", ErrDamaged)
	}
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return k, 0, err
	}
	k, size = key(head[8:]), int64(binary.LittleEndian.Uint32(head[:]))
	if size > left-frameHead {
		return k, size, fmt.Errorf("%w: a frame without its end", ErrDamaged)
	}
	sum := crc32.New(table)
	_, _ = sum.Write(head[8:]) // never fails
	if _, err := io.CopyN(sum, r, size); err != nil {
		return k, size, err
	}
	if sum.Sum32() != binary.LittleEndian.Uint32(head[4:]) {
		return k, size, fmt.Errorf("%w: a frame whose checksum is another", ErrDamaged)
	}
	return k, size, nil
}

// resume finds the next whole frame, the file's length where there is none.
func resume(f *os.File, from, length int64) (int64, error) {
	const step = 1 << 16
	buf := make([]byte, step+len(begun)-1)
	tries := 0
	for at := from + frameHead; at < length; at += step {
		n, err := f.ReadAt(buf, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		for i := 0; ; i++ {
			skip := bytes.Index(buf[i:n], begun)
			if skip < 0 {
				break
			}
			i += skip
			place := at + int64(i) - frameHead
			_, _, err := next(bufio.NewReader(io.NewSectionReader(f, place, length-place)), length-place)
			switch {
			case err == nil:
				return place, nil
			case !errors.Is(err, ErrDamaged):
				return 0, err
			}
			if tries++; tries == maxTries {
				return length, nil
			}
		}
	}
	return length, nil
}

// markOf reads the beginning of a file.
func markOf(f *os.File) (string, error) {
	var name [fileHead]byte
	if _, err := f.ReadAt(name[:], 0); err != nil || string(name[:len(magic)]) != magic || name[fileHead-1] != '\n' {
		return "", fmt.Errorf("%w: it does not begin as an archive does", ErrDamaged)
	}
	return string(name[len(magic) : fileHead-1]), nil
}
