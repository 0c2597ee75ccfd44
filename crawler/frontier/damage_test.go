package frontier

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/amblecrawl/amble/crawler"
)

// story is a state with tables and logs, and what its frontier said after each
// commit, by the number of the commit.
type story struct {
	o    Options
	said map[string]crawler.FrontierStats
	last string
}

// tell makes a story. The state is copied to clean as it is after Close, and to
// killed as a process that is killed leaves it.
func tell(t *testing.T) (s story, clean, killed *vfs.MemFS) {
	t.Helper()
	clean = vfs.NewCrashableMem()
	s = story{o: Options{FS: clean, Dir: "/state", Crawl: "shop", MemTable: 64 << 10}, said: map[string]crawler.FrontierStats{}}
	f := mustOpen(t, s.o)
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range 30 {
		s.last = fmt.Sprintf("%08d", n+1)
		b := crawler.Batch{Put: map[string][]byte{"n": []byte(s.last), "robots/" + hostName(n%7): []byte(strings.Repeat("x", 50))}}
		if n > 2 {
			ls, err := f.Lease(t.Context(), 8)
			if err != nil {
				t.Fatal(err)
			}
			for _, l := range ls {
				o := crawler.Outcome{Lease: l.ID, Key: l.Key, Host: l.Host(), Class: crawler.ClassFetched, Status: 200}
				if rng.IntN(5) == 0 {
					o.Disposition, o.Class, o.Status = crawler.Retry, crawler.ClassTimeout, 0
				}
				b.Outcomes = append(b.Outcomes, o)
			}
		}
		for range 30 {
			b.Found = append(b.Found, numberedRequest(t, hostName(rng.IntN(7)), rng.IntN(400)))
		}
		mustCommit(t, f, &b)
		if n%12 == 9 {
			if err := f.store.db.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		s.said[s.last] = settledOnly(f.Stats())
	}
	killed = copied(clean)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return s, clean, killed
}

// settledOnly leaves out what is about leases and times.
func settledOnly(s crawler.FrontierStats) crawler.FrontierStats {
	return crawler.FrontierStats{Seen: s.Seen, Settled: s.Settled, Duplicates: s.Duplicates, Hosts: s.Hosts}
}

// copied is the disk as it is now, also what was not synced.
func copied(disk *vfs.MemFS) *vfs.MemFS {
	return disk.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rand.New(rand.NewPCG(0, 0))})
}

// stateFiles lists the files that say something.
func stateFiles(t *testing.T, disk *vfs.MemFS, dir string) (names []string) {
	t.Helper()
	for _, sub := range []string{dir, dir + "/" + storeDir} {
		list, err := disk.List(sub)
		if err != nil {
			t.Fatal(err)
		}
		slices.Sort(list)
		for _, name := range list {
			if name != lockFile && name != pidFile && name != storeDir {
				names = append(names, sub+"/"+name)
			}
		}
	}
	return names
}

// check looks at a damaged state in both ways: what Check says and what opening
// and draining it does. Whatever happened to it, what is not an error is one of
// the states that were committed.
func (s *story) check(t *testing.T, disk *vfs.MemFS, what string, mustBeLast bool) {
	t.Helper()
	o := s.o
	if strings.Contains(what, ".sst flipped") {
		o.FS, o.Fresh, o.Keep = copied(disk), true, []string{"robots/"}
		if err := startOver(o); err != nil {
			t.Errorf("%s: starting over gave %v", what, err)
		}
	}
	o = s.o
	o.FS = disk
	checked, r, err := check(t.Context(), disk, o.Dir)
	switch {
	case err != nil && !strings.Contains(err.Error(), o.Dir):
		t.Errorf("%s: checking gave %v", what, err)
	case r != nil:
		for _, err := range r.Pending(t.Context()) {
			_ = err // any error will do, no panic
		}
		_ = r.Close()
	}
	var run error
	within(t, what, func() { run = s.drain(o, mustBeLast) })
	if run != nil && !strings.Contains(run.Error(), o.Dir) {
		t.Errorf("%s: running gave %v", what, run)
	}
	if run != nil && err == nil && len(checked.Problems) == 0 {
		t.Errorf("%s: running gave %v, and the check found nothing", what, run)
	}
}

// startOver begins a new run and goes through all that it keeps.
func startOver(o Options) error {
	f, err := Open(o)
	if err != nil {
		return err
	}
	defer f.Close()
	if s := f.Stats(); s.Seen != 0 {
		return fmt.Errorf("it kept %+v", s)
	}
	return f.store.db.Compact(context.Background(), []byte{0}, []byte{0xff}, false)
}

// drain runs a state to its end.
func (s *story) drain(o Options, mustBeLast bool) error {
	f, err := Open(o)
	if err != nil {
		return err
	}
	defer f.Close()
	n, err := f.Get("n")
	if err != nil {
		return err
	}
	said, known := s.said[string(n)]
	if got := settledOnly(f.Stats()); !known || got != said || mustBeLast && string(n) != s.last {
		return fmt.Errorf("after commit %q it says %+v, and %+v was committed", n, got, said)
	}
	want := f.Stats().Queued
	for settled := int64(0); ; {
		ls, err := f.Lease(context.Background(), 100)
		if errors.Is(err, crawler.ErrDrained) {
			if settled != want {
				return fmt.Errorf("%d of %d requests left", settled, want)
			}
			return nil
		}
		if err != nil {
			return err
		}
		var b crawler.Batch
		for _, l := range ls {
			b.Outcomes = append(b.Outcomes, crawler.Outcome{Lease: l.ID, Key: l.Key, Host: l.Host(), Class: crawler.ClassFetched})
		}
		if _, err := f.Commit(context.Background(), &b); err != nil {
			return err
		}
		settled += int64(len(ls))
	}
}

// TestDamage changes, cuts, empties and removes each file of a state, of one
// that was closed and of one whose process was killed.
func TestDamage(t *testing.T) {
	s, clean, killed := tell(t)
	rng := rand.New(rand.NewPCG(3, 4))
	kinds := map[string]func([]byte) []byte{
		"flipped": func(b []byte) []byte { b[rng.IntN(len(b))] ^= 1 << rng.IntN(8); return b },
		"cut":     func(b []byte) []byte { return b[:rng.IntN(len(b))] },
		"emptied": func([]byte) []byte { return nil },
		"removed": nil,
	}
	for state, from := range map[string]*vfs.MemFS{"closed": clean, "killed": killed} {
		s.check(t, copied(from), state+", whole", true)
		for _, name := range stateFiles(t, from, s.o.Dir) {
			for _, kind := range slices.Sorted(maps.Keys(kinds)) {
				times := 1
				if kind == "flipped" {
					times = flips
				}
				for range times {
					disk := copied(from)
					damage(t, disk, name, kinds[kind])
					s.check(t, disk, fmt.Sprintf("%s, %s %s", state, name, kind), state == "closed" && !strings.HasSuffix(name, closedFile))
				}
			}
		}
	}
}

// flips is how many octets of each file TestDamage changes, one at a time.
var flips = 12

func damage(t *testing.T, disk *vfs.MemFS, path string, change func([]byte) []byte) {
	t.Helper()
	b, err := readWhole(disk, path)
	if err != nil {
		t.Fatal(err)
	}
	if change == nil {
		err = disk.Remove(path)
	} else if len(b) > 0 {
		var f vfs.File
		if f, err = disk.Create(path, vfs.WriteCategoryUnspecified); err == nil {
			_, err = f.Write(change(b))
			err = errors.Join(err, f.Sync(), f.Close())
		}
	}
	if err != nil {
		t.Fatal(err)
	}
}

func readWhole(disk vfs.FS, path string) ([]byte, error) {
	f, err := disk.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(f)
	return b, errors.Join(err, f.Close())
}

// TestSmallFiles changes each octet of the files that carry their checksum.
func TestSmallFiles(t *testing.T) {
	o := Options{Dir: t.TempDir(), Crawl: "shop", Version: "1.2.3"}
	_ = mustOpen(t, o).Close()
	f := &folder{fs: vfs.Default, dir: o.Dir}
	for name, read := range map[string]func() error{
		identityFile: func() error { _, err := Peek(o.Dir); return err },
		closedFile:   func() error { _, _, err := f.ending(); return err },
	} {
		path := filepath.Join(o.Dir, name)
		b, err := os.ReadFile(path)
		if err != nil || read() != nil {
			t.Fatal(err, read())
		}
		for i := range b {
			for bit := range 8 {
				b[i] ^= 1 << bit
				write(t, path, string(b))
				if err := read(); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), name) {
					t.Fatalf("%s with octet %d changed (%q) gave %v", name, i, b, err)
				}
				b[i] ^= 1 << bit
			}
		}
		write(t, path, string(b))
	}
}

// TestLostCommits takes single commits out of the middle and the end of a store.
func TestLostCommits(t *testing.T) {
	for name, lose := range map[string]func(*Frontier) error{
		"one in the middle": func(f *Frontier) error { return f.store.db.Delete(chainKey(5), nil) },
		"the counts":        func(f *Frontier) error { return f.store.db.Delete(metaKey("counts"), nil) },
		"newer counts": func(f *Frontier) error {
			c := f.counts
			c.commit = 7
			return f.store.db.Set(metaKey("counts"), c.encode(), nil)
		},
		"none": nil,
	} {
		o := Options{Dir: t.TempDir(), Crawl: "shop"}
		f := mustOpen(t, o)
		for range 10 {
			mustCommit(t, f, &crawler.Batch{})
		}
		if lose != nil {
			if err := lose(f); err != nil {
				t.Fatal(err)
			}
		}
		_ = f.store.close()
		_ = f.folder.release() // as if killed
		f.closed = true
		f, err := Open(o)
		if lose == nil {
			if err != nil || f.Close() != nil {
				t.Errorf("nothing was lost, and opening gave %v", err)
			}
			continue
		}
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "commit") {
			t.Errorf("losing %s gave %v", name, err)
		}
		o.Fresh, o.Keep = true, []string{"debts/"}
		_ = mustOpen(t, o).Close()
	}
}

// TestChainTurns: the rows of commits take turns, and stay as many.
func TestChainTurns(t *testing.T) {
	f := mustOpen(t, Options{Dir: t.TempDir()})
	b := f.store.db.NewBatch()
	const last = 2*chainLen + 10
	for n := uint64(1); n <= last; n++ {
		if err := addLink(b, n, int64(n)); err != nil {
			t.Fatal(err)
		}
	}
	if err := f.store.apply(b, pebble.NoSync); err != nil {
		t.Fatal(err)
	}
	if l, err := f.store.checkChain(last); err != nil || l != (link{last, last}) {
		t.Errorf("%+v, %v", l, err)
	}
	if err := f.store.db.Delete(chainKey(chainLen+11), nil); err != nil {
		t.Fatal(err)
	}
	if _, err := f.store.checkChain(last); !errors.Is(err, ErrDamaged) {
		t.Errorf("the oldest is missing: %v", err)
	}
}
