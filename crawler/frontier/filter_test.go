package frontier

import (
	"encoding/binary"
	"testing"

	"github.com/zeebo/xxh3"
	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

func numberedKey(n int) urls.Key {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], uint64(n))
	return xxh3.Hash128(b[:]).Bytes()
}

// emptyFilter is that of a new state.
func emptyFilter(t testing.TB, size int) *seenFilter {
	t.Helper()
	s := newSeenFilter(size)
	s.old.Store(&keyBloom{blocks: make([]bloomBlock, 1)})
	return s
}

// What was added is never taken for new, however little room there is.
func TestFilterForgetsNothing(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := emptyFilter(t, rapid.IntRange(0, 600_000).Draw(rt, "size"))
		keys := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) (fp urls.Key) {
			copy(fp[:], rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(rt, "key"))
			return fp
		}), 0, 50).Draw(rt, "keys")
		for i := range keys {
			s.add(&keys[i])
		}
		for n := range rapid.IntRange(0, 300_000).Draw(rt, "others") {
			fp := numberedKey(n)
			s.add(&fp)
		}
		for i := range keys {
			if s.isNew(&keys[i]) {
				rt.Fatalf("%v was added", keys[i])
			}
		}
	})
}

// Nearly all that is new is told to be, as long as there is room, and memory
// stays in its bound.
func TestFilterTellsWhatIsNew(t *testing.T) {
	const size, n = 1 << 20, 500_000
	s := emptyFilter(t, size)
	for i := range n {
		fp := numberedKey(i)
		s.add(&fp)
	}
	taken := 0
	for _, l := range s.layers {
		taken += len(l.blocks) * blockBytes
	}
	if taken > size || s.left < 0 {
		t.Errorf("%d layers of %d bytes, %d are left", len(s.layers), taken, s.left)
	}
	doubtful := 0
	for i := range n {
		fp := numberedKey(n + i)
		if !s.isNew(&fp) {
			doubtful++
		}
	}
	if doubtful > n/50 {
		t.Errorf("%d of %d new URLs are to be looked up", doubtful, n)
	}
}

// A state that is opened again knows its URLs, before and after the filter has
// read them, and tells new ones without a look-up afterwards.
func TestFilterReadsTheState(t *testing.T) {
	const n = 3000
	for name, o := range map[string]Options{
		"at once":           {},
		"in the background": {readAtOnce: 1},
		"no room":           {SeenFilter: 1},
	} {
		t.Run(name, func(t *testing.T) {
			o.Dir = t.TempDir()
			f := mustOpen(t, o)
			seedPages(t, f, 10, n)
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			f = mustOpen(t, o)
			again := pageBatches(t, 10, n)
			known := func(when string) {
				t.Helper()
				for i := range again {
					if r := mustCommit(t, f, &again[i]); r.Added != 0 || r.Duplicates != len(again[i].Found) {
						t.Fatalf("%s: %+v", when, r)
					}
				}
			}
			known("just opened")
			<-f.filter.done
			f.seen = newSeenCache(1)
			known("when the filter has read all")
			if told := f.filter.old.Load() != nil; told == (name == "no room") {
				t.Fatalf("the filter holds the old URLs: %t", told)
			}
			doubtful := 0
			for i := n; i < 2*n; i++ {
				fp := numberedRequest(t, hostName(0), i).Key
				if !f.filter.isNew(&fp) {
					doubtful++
				}
			}
			if few := doubtful < n/50; few == (name == "no room") {
				t.Errorf("%d of %d new URLs are to be looked up", doubtful, n)
			}
		})
	}
}

// A frontier that is closed at once does not wait for the filter, nor leave it
// at work.
func TestFilterEndsWithTheFrontier(t *testing.T) {
	o := Options{Dir: t.TempDir(), readAtOnce: 1}
	f := mustOpen(t, o)
	seedPages(t, f, 10, 5000)
	for range 5 {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		f = mustOpen(t, o)
		mustCommit(t, f, &crawler.Batch{Found: []crawler.Request{numberedRequest(t, hostName(1), 9999)}})
	}
	if s := f.Stats(); s.Seen != 5001 {
		t.Errorf("%+v", s)
	}
}

func BenchmarkFilter(b *testing.B) {
	s := emptyFilter(b, DefaultSeenFilter)
	for i := range 10_000_000 {
		fp := numberedKey(i)
		s.add(&fp)
	}
	n := 10_000_000
	for b.Loop() {
		fp := numberedKey(n)
		if s.isNew(&fp) {
			s.add(&fp)
		}
		n++
	}
}
