package ledger

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
)

// ErrClosed means that the ledger was closed.
var ErrClosed = errors.New("ledger: closed")

// maxHashes bounds the memory of bodies already written; beyond it some are
// written again.
const maxHashes = 1 << 16

// Opened tells what Open found.
type Opened struct {
	// Segment is the file that is appended to.
	Segment string
	// Resumed says that a ledger was there.
	Resumed bool
	// Cut is the number of octets of a torn frame that were cut off.
	Cut int64
}

// Ledger appends to a folder of segments. It is safe for concurrent use.
type Ledger struct {
	// Opened does not change.
	Opened Opened

	dir   string
	run   RunInfo
	limit int64 // of a segment
	fsync func(*os.File) error
	enc   *zstd.Encoder

	mu     sync.Mutex // guards all below
	file   *os.File
	number int
	size   int64
	chain  uint32
	codec  codec
	held   map[[16]byte]struct{} // bodies in the ledger
	buf    []byte
	failed error // the ledger can no longer be written
}

// Open makes the folder if need be, checks the last segment, cuts a torn frame
// off its end, and begins the account of a process. What else is wrong with
// that segment is a *CorruptError, and nothing is changed; earlier segments are
// checked by Read and Audit.
func Open(dir string, run RunInfo) (*Ledger, error) {
	return open(dir, run, segmentSize, (*os.File).Sync)
}

func open(dir string, run RunInfo, limit int64, fsync func(*os.File) error) (*Ledger, error) {
	if run.Started.IsZero() {
		return nil, errors.New("ledger: run info without the time it started")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	enc, err := newEncoder()
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	l := &Ledger{dir: dir, run: run, limit: limit, fsync: fsync, enc: enc, held: make(map[[16]byte]struct{})}
	// A base of whole microseconds that keeps its monotonic reading.
	l.codec.base = run.Started.Add(-time.Duration(run.Started.Nanosecond()) % Precision)
	numbers, err := segments(dir)
	if err == nil {
		err = cutOff(dir)
	}
	if err == nil {
		err = l.reopen()
	}
	if err != nil {
		return nil, err
	}
	if len(numbers) == 0 {
		err = l.create(1, false)
	} else {
		err = l.resume(numbers[len(numbers)-1])
	}
	if err != nil {
		if l.file != nil {
			_ = l.file.Close() // the first error says more
		}
		return nil, err
	}
	l.Opened.Segment = l.file.Name()
	return l, nil
}

// resume goes on in the last segment.
func (l *Ledger) resume(n int) error {
	dec, err := newDecoder()
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	defer dec.Close()
	file := segmentFile(l.dir, n)
	t, err := inspect(file, n, dec)
	if err != nil {
		return err
	}
	l.Opened = Opened{Resumed: true, Cut: t.torn}
	for _, h := range t.hashes {
		l.held[h] = struct{}{}
	}
	if l.file, err = os.OpenFile(file, os.O_RDWR, 0o600); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if t.torn > 0 {
		if err := l.file.Truncate(t.size); err != nil {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	l.number, l.size, l.chain = n, t.size, t.chain
	if l.run.Anew {
		clear(l.held) // what it relies on stands in its own files
	}
	if t.frames > 0 && (l.size >= l.limit || l.run.Anew) {
		return l.rotate(false)
	}
	if err := l.introduce(false); err != nil {
		return err
	}
	return l.sync()
}

// create begins segment n.
func (l *Ledger) create(n int, continued bool) error {
	f, err := os.OpenFile(segmentFile(l.dir, n), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	l.file, l.number, l.size, l.chain = f, n, 0, uint32(n)
	if err := l.introduce(continued); err != nil {
		return err
	}
	if err := l.sync(); err != nil {
		return err
	}
	if err := l.syncDir(); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// syncDir makes the names of the segments durable.
func (l *Ledger) syncDir() error {
	d, err := os.Open(l.dir)
	if err != nil {
		return err
	}
	return errors.Join(l.fsync(d), d.Close())
}

// introduce writes a run frame, and the signature where the segment is empty.
func (l *Ledger) introduce(continued bool) error {
	payload, err := encodeRun(l.run, l.codec.base, continued)
	if err != nil {
		return err
	}
	var buf []byte
	if l.size == 0 {
		buf = append(buf, signature...)
	}
	kind, payload := pack(l.enc, frameRun, payload)
	buf, chain := appendFrame(buf, kind, payload, l.chain)
	l.codec.table.clear()
	return l.write(buf, chain)
}

// rotate ends the segment and begins the next.
func (l *Ledger) rotate(continued bool) error {
	if err := l.sync(); err != nil {
		return err
	}
	old := l.file
	if err := l.create(l.number+1, continued); err != nil {
		l.failed = err
		return errors.Join(err, old.Close())
	}
	if err := old.Close(); err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// write adds whole frames, or nothing.
func (l *Ledger) write(buf []byte, chain uint32) error {
	if _, err := l.file.WriteAt(buf, l.size); err != nil {
		l.codec.table.clear() // the names in buf were not written
		clear(l.held)
		if undo := l.file.Truncate(l.size); undo != nil {
			l.failed = fmt.Errorf("ledger: %w", undo)
		}
		return fmt.Errorf("ledger: %w", err)
	}
	l.size += int64(len(buf))
	l.chain = chain
	return nil
}

// Append writes versions of robots.txt and then entries. They survive the end
// of the process at once, and a power failure after Sync. When it fails, with a
// full disk say, nothing of the call is in the ledger and it may be repeated.
// A body of robots.txt that the ledger holds already is not written again.
func (l *Ledger) Append(entries []Entry, versions []RobotsVersion) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return l.failed
	}
	if len(entries)+len(versions) == 0 {
		return nil
	}
	if l.size >= l.limit {
		if err := l.rotate(true); err != nil {
			return err
		}
	}
	buf, chain := l.appendVersions(l.buf[:0], l.chain, versions)
	buf, chain = l.appendEntries(buf, chain, entries)
	if cap(buf) <= 4<<20 {
		l.buf = buf
	}
	return l.write(buf, chain)
}

func (l *Ledger) appendVersions(buf []byte, chain uint32, versions []RobotsVersion) ([]byte, uint32) {
	var payload []byte
	for i, rv := range versions {
		v := version{RobotsVersion: rv}
		if v.Body != nil || v.Hash == [16]byte{} {
			v.Hash = hashOf(v.Body)
			v.held = l.first(v.Hash)
		}
		payload = l.codec.encodeVersion(payload, &v)
		if len(payload) >= robotsFill || i == len(versions)-1 {
			kind, out := pack(l.enc, frameRobots, payload)
			buf, chain = appendFrame(buf, kind, out, chain)
			payload = payload[:0]
		}
	}
	return buf, chain
}

// first reports whether a body is to be written, as it will be.
func (l *Ledger) first(hash [16]byte) bool {
	if _, held := l.held[hash]; held {
		return false
	}
	if len(l.held) >= maxHashes {
		clear(l.held)
	}
	l.held[hash] = struct{}{}
	return true
}

func (l *Ledger) appendEntries(buf []byte, chain uint32, entries []Entry) ([]byte, uint32) {
	for len(entries) > 0 {
		n, size := 0, 0
		ready := make([]Entry, 0, min(len(entries), maxEntries))
		for n < len(entries) && n < maxEntries && size < frameFill {
			e := entries[n]
			e.tidy()
			size += len(e.URL) + len(e.Reason)
			ready = append(ready, e)
			n++
		}
		kind, out := pack(l.enc, frameEntries, l.codec.encode(nil, ready))
		buf, chain = appendFrame(buf, kind, out, chain)
		entries = entries[n:]
	}
	return buf, chain
}

// tidy bounds an entry and drops what does not belong to it.
func (e *Entry) tidy() {
	e.URL = withoutCredentials(e.URL)
	e.URL = e.URL[:min(len(e.URL), maxURL)]
	e.Host = e.Host[:min(len(e.Host), maxString)]
	if e.Withheld {
		e.End, e.Answered, e.Booked, e.Failed = time.Time{}, time.Time{}, time.Time{}, false
		return
	}
	if e.End.IsZero() {
		e.End = e.Start
	}
	if e.Booked.IsZero() {
		e.Booked = e.End
	}
}

// Sync makes durable what was appended.
func (l *Ledger) Sync() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failed != nil {
		return l.failed
	}
	return l.sync()
}

func (l *Ledger) sync() error {
	if err := l.fsync(l.file); err != nil {
		// What the system forgot after this error is not known.
		l.failed = fmt.Errorf("ledger: %w", err)
		return l.failed
	}
	return nil
}

// Close syncs and closes. Calls after it fail with ErrClosed.
func (l *Ledger) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if errors.Is(l.failed, ErrClosed) {
		return nil
	}
	err := l.failed
	if err == nil {
		err = l.sync()
	}
	if err == nil {
		err = l.conclude()
	}
	l.failed = ErrClosed
	return errors.Join(err, l.file.Close(), l.enc.Close())
}
