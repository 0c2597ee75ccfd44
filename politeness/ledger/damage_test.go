package ledger

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// written is a small segment with frames of every kind, and where each ends.
func written(t testing.TB) (data []byte, ends []int64) {
	t.Helper()
	dir := t.TempDir()
	l := openTest(t, dir, testRun())
	ends = append(ends, l.size)
	for i := range 2 {
		appendTest(t, l, []Entry{sample(2 * i), sample(2*i + 1)}, RobotsVersion{Origin: "https://a.example", FetchedAt: noon, Body: []byte{byte(i)}})
		ends = append(ends, l.size)
	}
	closeTest(t, l)
	data, err := os.ReadFile(l.Opened.Segment)
	if err != nil {
		t.Fatal(err)
	}
	return data, ends
}

func put(t testing.TB, dir string, data []byte) string {
	t.Helper()
	file := segmentFile(dir, 1)
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	crashed(t, dir)
	return file
}

// A file that ends anywhere gives all whole frames, and Open goes on behind
// them.
func TestTornAtEveryOctet(t *testing.T) {
	data, ends := written(t)
	dir := t.TempDir()
	for size := range len(data) + 1 {
		for _, zeros := range []int{0, 40} { // a file may have grown before its content arrived
			file := put(t, dir, append(append([]byte{}, data[:size]...), make([]byte, zeros)...))
			whole := -1
			for i, end := range ends {
				if int64(size) >= end {
					whole = i
				}
			}
			got, err := readAll(dir)
			if len(got) != max(2*whole, 0) {
				t.Fatalf("%d octets: %d entries, want those of %d batches", size, len(got), whole)
			}
			if err != nil && !errors.Is(err, ErrTorn) {
				if zeros > 0 {
					continue // a frame that is whole and wrong is not torn
				}
				t.Fatalf("%d octets: %v", size, err)
			}
			l, err := open(dir, testRun(), segmentSize, quickly)
			if err != nil {
				t.Fatalf("%d octets and %d zeros: %v", size, zeros, err)
			}
			appendTest(t, l, []Entry{sample(99)})
			closeTest(t, l)
			info, err := os.Stat(file)
			if err != nil || info.Size() != l.size || l.Opened.Cut < 0 || l.Opened.Cut > int64(size+zeros) {
				t.Fatalf("%d octets: cut %d, %v", size, l.Opened.Cut, err)
			}
			got, err = readAll(dir)
			if err != nil || len(got) != max(2*whole, 0)+1 || got[len(got)-1].URL != sample(99).URL {
				t.Fatalf("%d octets, resumed: %d entries, %v", size, len(got), err)
			}
		}
	}
}

// crashed makes a ledger that was closed one that was not.
func crashed(t testing.TB, dir string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, endFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
}

// What is cut off a ledger that was closed is missed, wherever it is cut: no crash
// does that.
func TestCutOffAfterItWasClosed(t *testing.T) {
	data, ends := written(t)
	for _, size := range append([]int64{1, int64(len(data)) - 1, int64(len(data)) - 20}, ends[:len(ends)-1]...) {
		dir := t.TempDir()
		l := openTest(t, dir, testRun())
		for i := range 3 {
			appendTest(t, l, []Entry{sample(i), sample(i + 1)})
		}
		closeTest(t, l)
		if err := os.Truncate(l.Opened.Segment, min(size, l.size-1)); err != nil {
			t.Fatal(err)
		}
		var corrupt *CorruptError
		if _, err := readAll(dir); !errors.As(err, &corrupt) || !strings.Contains(err.Error(), "are missing, and no crash took them") {
			t.Errorf("cut to %d: %v", size, err)
		}
		if _, err := Audit(t.Context(), dir, Rules{}); !errors.As(err, &corrupt) {
			t.Errorf("cut to %d, audited: %v", size, err)
		}
		if err := Sound(dir); !errors.As(err, &corrupt) {
			t.Errorf("cut to %d, it is sound: %v", size, err)
		}
		if _, err := Open(dir, testRun()); !errors.As(err, &corrupt) {
			t.Errorf("cut to %d, opened: %v", size, err)
		}
		crashed(t, dir)
		if _, err := readAll(dir); err != nil && !errors.Is(err, ErrTorn) {
			t.Errorf("cut to %d by a crash: %v", size, err)
		}
	}
}

// An ending from before a crash keeps nobody from reading; one that is damaged is told.
func TestEndings(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir, testRun())
	appendTest(t, l, []Entry{sample(1)})
	closeTest(t, l)
	before, err := os.ReadFile(filepath.Join(dir, endFile))
	if err != nil {
		t.Fatal(err)
	}
	l = openTest(t, dir, testRun())
	if _, err := os.Stat(filepath.Join(dir, endFile)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("while it is open: %v", err)
	}
	appendTest(t, l, []Entry{sample(2)})
	closeTest(t, l)
	put := func(text []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, endFile), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put(before)
	if got, err := readAll(dir); err != nil || len(got) != 2 {
		t.Errorf("%d entries, %v", len(got), err)
	}
	for at := range before {
		flipped := bytes.Clone(before)
		flipped[at] ^= 1
		put(flipped)
		if _, err := readAll(dir); !errors.As(err, new(*CorruptError)) {
			t.Errorf("with %q: %v", flipped, err)
		}
	}
}

// What is cut off is gone, though what follows is shorter.
func TestTornFrameIsCutOff(t *testing.T) {
	dir := t.TempDir()
	l := openTest(t, dir, testRun())
	whole := l.size
	var batch []Entry
	for i := range 1000 {
		batch = append(batch, sample(i))
	}
	appendTest(t, l, batch)
	closeTest(t, l)
	if err := os.Truncate(l.Opened.Segment, l.size-3); err != nil {
		t.Fatal(err)
	}
	crashed(t, dir)
	again := openTest(t, dir, testRun())
	if want := (Opened{Segment: l.Opened.Segment, Resumed: true, Cut: l.size - 3 - whole}); again.Opened != want {
		t.Errorf("opened %+v, want %+v", again.Opened, want)
	}
	closeTest(t, again)
	if got, err := readAll(dir); err != nil || len(got) != 0 {
		t.Errorf("%d entries, %v", len(got), err)
	}
}

// An octet that flipped anywhere is reported with its frame, and nothing behind
// it is believed.
func TestFlippedOctetIsFound(t *testing.T) {
	data, _ := written(t)
	dir := t.TempDir()
	for at := range data {
		bad := append([]byte{}, data...)
		bad[at] ^= 1 << (at % 8)
		file := put(t, dir, bad)
		_, err := readAll(dir)
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || corrupt.File != file || corrupt.Offset > int64(at) {
			t.Fatalf("octet %d: %v", at, err)
		}
		if _, err := Open(dir, testRun()); !errors.As(err, new(*CorruptError)) {
			t.Fatalf("octet %d: opened: %v", at, err)
		}
		report, err := Audit(context.Background(), dir, Rules{})
		if !errors.As(err, new(*CorruptError)) || report == nil {
			t.Fatalf("octet %d: audited: %v", at, err)
		}
		if now, err := os.ReadFile(file); err != nil || string(now) != string(bad) {
			t.Fatalf("octet %d: the file was changed", at)
		}
	}
}

// Whatever octet of whatever segment becomes whatever other one: it is reported,
// and what is read before it is what was written.
func TestAnyChangedOctetIsFound(t *testing.T) {
	dir := t.TempDir()
	for range 3 {
		l, err := open(dir, testRun(), 700, quickly)
		if err != nil {
			t.Fatal(err)
		}
		for i := range 9 {
			appendTest(t, l, []Entry{sample(3 * i), sample(3*i + 1)}, RobotsVersion{Origin: "https://a.example", FetchedAt: noon, Body: []byte{byte(i)}})
		}
		closeTest(t, l)
	}
	want, err := readAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	numbers, err := segments(dir)
	if err != nil || len(numbers) < 3 {
		t.Fatal(numbers, err)
	}
	rapid.Check(t, func(t *rapid.T) {
		file := segmentFile(dir, rapid.SampledFrom(numbers).Draw(t, "segment"))
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		bad := bytes.Clone(data)
		at := rapid.IntRange(0, len(bad)-1).Draw(t, "octet")
		bad[at] += byte(rapid.IntRange(1, 255).Draw(t, "change"))
		if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = os.WriteFile(file, data, 0o600) }() // a failure shows in the next round
		got, err := readAll(dir)
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) && !errors.Is(err, ErrTorn) {
			t.Fatalf("octet %d of %s: %v", at, file, err)
		}
		if corrupt != nil && (corrupt.File != file || corrupt.Offset > int64(at)) {
			t.Errorf("octet %d of %s is reported as %v", at, file, err)
		}
		if len(got) >= len(want) {
			t.Errorf("octet %d of %s: all was read", at, file)
		}
		for i := range got {
			if got[i] != want[i] {
				t.Fatalf("octet %d of %s: entry %d is %+v", at, file, i, got[i])
			}
		}
	})
}

func TestFramesHaveOneOrder(t *testing.T) {
	data, ends := written(t)
	dir := t.TempDir()
	without := append(append([]byte{}, data[:ends[0]]...), data[ends[1]:]...)
	twice := append(append([]byte{}, data[:ends[1]]...), data[ends[0]:]...)
	for name, bad := range map[string][]byte{"removed": without, "repeated": twice} {
		put(t, dir, bad)
		if _, err := readAll(dir); !errors.As(err, new(*CorruptError)) {
			t.Errorf("a frame was %s: %v", name, err)
		}
	}
	put(t, dir, data)
	if err := os.Rename(segmentFile(dir, 1), segmentFile(dir, 2)); err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(dir); !errors.As(err, new(*CorruptError)) {
		t.Errorf("a segment was renamed: %v", err)
	}
}

func TestSegmentsFollowEachOther(t *testing.T) {
	dir := t.TempDir()
	l, err := open(dir, testRun(), 300, quickly)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		appendTest(t, l, []Entry{sample(i)})
	}
	closeTest(t, l)
	numbers, err := segments(dir)
	if err != nil || len(numbers) < 4 {
		t.Fatalf("%v %v", numbers, err)
	}
	report, err := Audit(context.Background(), dir, Rules{})
	if err != nil || report.Processes != 1 || report.Requests != 20 {
		t.Errorf("%+v %v", report, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	middle := segmentFile(dir, 2)
	data, err := os.ReadFile(middle)
	if err != nil {
		t.Fatal(err)
	}
	// Torn where another segment follows is no crash.
	if err := os.Truncate(middle, int64(len(data)-3)); err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(dir); !errors.As(err, new(*CorruptError)) {
		t.Error(err)
	}
	if err := os.Remove(middle); err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(dir); !errors.As(err, new(*CorruptError)) {
		t.Error(err)
	}
	if _, err := Open(dir, testRun()); !errors.As(err, new(*CorruptError)) {
		t.Error(err)
	}
	// Old segments may have been put away.
	if err := os.Remove(segmentFile(dir, 1)); err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(dir); err != nil {
		t.Error(err)
	}
}

func TestNoLedger(t *testing.T) {
	if _, err := Audit(context.Background(), t.TempDir(), Rules{}); !errors.Is(err, ErrNone) {
		t.Error(err)
	}
	if _, err := Audit(context.Background(), filepath.Join(t.TempDir(), "x"), Rules{}); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	dir := t.TempDir()
	closeTest(t, openTest(t, dir, testRun()))
	if _, err := Audit(ctx, dir, Rules{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// segment builds a file of frames with right checksums.
func segment(payloads ...[]byte) []byte {
	run, err := encodeRun(testRun(), noon, false)
	if err != nil {
		panic(err)
	}
	out, chain := appendFrame([]byte(signature), frameRun, run, 1)
	for _, p := range payloads {
		if len(p) > 0 {
			out, chain = appendFrame(out, p[0], p[1:], chain)
		}
	}
	return out
}

func FuzzRead(f *testing.F) {
	data, ends := written(f)
	f.Add(data)
	f.Add(data[:ends[1]+5])
	dec, err := newDecoder()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := newFrameReader("x", 1, bytes.NewReader(data), dec)
		var d decoder
		for err == nil {
			var kind byte
			var payload []byte
			if kind, payload, err = r.next(); err == nil {
				_, err = d.decode(kind, payload)
			}
			if r.offset > int64(len(data)) {
				t.Fatalf("%d of %d octets are good", r.offset, len(data))
			}
		}
		if !errors.Is(err, io.EOF) && !errors.Is(err, ErrTorn) && !errors.Is(err, errFormat) && !errors.As(err, new(*CorruptError)) {
			t.Fatal(err)
		}
	})
}

// Frames whose checksums are right may hold anything.
func FuzzFrames(f *testing.F) {
	var c codec
	c.table.clear()
	c.base = noon
	f.Add(byte(frameEntries), c.encode(nil, []Entry{sample(1), sample(2)}), byte(frameEntries), c.encode(nil, []Entry{sample(3)}))
	v := version{RobotsVersion: RobotsVersion{Origin: "https://a.example", FetchedAt: noon, Body: []byte("x"), Hash: hashOf([]byte("x"))}, held: true}
	f.Add(byte(frameRobots), c.encodeVersion(nil, &v), byte(frameRun), []byte(`{"format":1,"precision_ns":1000}`))
	f.Fuzz(func(t *testing.T, k1 byte, p1 []byte, k2 byte, p2 []byte) {
		dir := t.TempDir()
		put(t, dir, segment(append([]byte{k1}, p1...), append([]byte{k2}, p2...)))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		report, err := Audit(context.Background(), dir, Rules{})
		runtime.ReadMemStats(&after)
		if used := after.TotalAlloc - before.TotalAlloc; used > 200<<20 {
			t.Errorf("%d octets took %d MiB", len(p1)+len(p2), used>>20)
		}
		if report == nil {
			if err == nil {
				t.Error("neither report nor error")
			}
			return
		}
		var out countWriter
		if err := report.WriteText(&out); err != nil {
			t.Error(err)
		}
		for _, h := range report.Hosts {
			if err := report.WriteHTML(&out, h.Host); err != nil {
				t.Error(err)
			}
		}
	})
}

type countWriter int

func (w *countWriter) Write(p []byte) (int, error) {
	*w += countWriter(len(p))
	return len(p), nil
}

// A frame that unpacks to more than a reader takes is refused.
func TestUnpackingIsBounded(t *testing.T) {
	enc, err := newEncoder()
	if err != nil {
		t.Fatal(err)
	}
	bomb := enc.EncodeAll(make([]byte, 64<<20), nil)
	dir := t.TempDir()
	put(t, dir, segment(append([]byte{frameEntries | packed}, bomb...)))
	if _, err := readAll(dir); !errors.As(err, new(*CorruptError)) {
		t.Errorf("%d octets that unpack to 64 MiB: %v", len(bomb), err)
	}
}

func TestGapsAreCounted(t *testing.T) {
	var g gaps
	for range 3 {
		g.add(time.Second)
	}
	if g.least() != time.Second || g.median() != time.Second {
		t.Errorf("least %v, median %v", g.least(), g.median())
	}
	var spread gaps
	for i := 1; i <= 1001; i++ {
		spread.add(time.Duration(i) * time.Millisecond)
	}
	if m := spread.median(); m > 501*time.Millisecond || m < 485*time.Millisecond || spread.least() != time.Millisecond {
		t.Errorf("least %v, median %v of 1ms to 1001ms", spread.least(), m)
	}
	spread.add(-time.Hour)
	spread.add(1 << 62)
	if len(spread.steps) > 400 {
		t.Errorf("%d steps", len(spread.steps))
	}
}
