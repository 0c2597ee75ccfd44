package frontier

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/amblecrawl/amble/crawler"
)

// interposed calls back before it opens or lists something.
type interposed struct {
	vfs.FS
	before func()
}

func (f interposed) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	f.before()
	return f.FS.Open(name, opts...)
}

func (f interposed) List(dir string) ([]string, error) {
	f.before()
	return f.FS.List(dir)
}

// A snapshot of a state under work is that of one of its commits: all of it and
// nothing of later ones, and never older than what was committed before. The
// work is done at each of the moments at which a snapshot looks at the disk.
func TestSnapshotWhileWorking(t *testing.T) {
	t.Parallel()
	const hosts = 3
	page := func(commit, i int) crawler.Request {
		return req(t, fmt.Sprintf("https://h%d.example/%d", i, commit))
	}
	o := Options{Dir: t.TempDir(), Crawl: "shop", MemTable: 256 << 10, BlockCache: 1 << 20}
	f := mustOpen(t, o)
	last := -1
	work := func() {
		for i := range 10 {
			if i == 3 || i == 8 { // what follows is in a new log, and older ones are used again
				if err := f.store.db.Flush(); err != nil {
					t.Fatal(err)
				}
			}
			last++
			b := &crawler.Batch{Put: map[string][]byte{"n": []byte(strconv.Itoa(last)), "pad": make([]byte, 256)}}
			for i := range hosts {
				b.Found = append(b.Found, page(last, i))
			}
			mustCommit(t, f, b)
		}
	}
	work()
	looks := 0
	// Three rounds, since when tables are merged is not in our hand.
	for at, end := 0, 1; at < 3*end; at++ {
		least := last
		looks = 0
		beside := o
		beside.FS = interposed{vfs.Default, func() {
			if looks++; looks-1 == at%end {
				work()
			}
		}}
		s, err := OpenSnapshot(beside)
		if err != nil {
			t.Fatalf("work at look %d: %v", at, err)
		}
		text, err := s.Get("n")
		if err != nil {
			t.Fatal(err)
		}
		n, _ := strconv.Atoi(string(text))
		if n < least || !s.Busy || s.Stats().Seen != int64(hosts*(n+1)) {
			t.Fatalf("work at look %d: after commit %d the snapshot is of %d and has seen %d URLs", at, least, n, s.Stats().Seen)
		}
		for i := range hosts {
			for commit, want := range map[int]string{0: "queued", n: "queued", n + 1: "unknown"} {
				r := page(commit, i)
				if at, err := s.Lookup(r.Host(), r.Key); err != nil || at.State != want {
					t.Fatalf("snapshot of commit %d: %s is %s, want %s (%v)", n, r.URL, at.State, want, err)
				}
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Get("n"); err == nil {
			t.Fatal("a closed snapshot is read")
		}
		end = max(end, min(looks, 20))
	}
	if looks < 10 {
		t.Errorf("only %d looks at the disk were tried", looks)
	}
}

// A snapshot changes no file, and needs no lock.
func TestSnapshotLeavesNoTrace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := mustOpen(t, Options{Dir: dir})
	mustCommit(t, f, &crawler.Batch{Found: []crawler.Request{req(t, "https://a.example/")}})
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	before := listing(t, dir)
	s, err := OpenSnapshot(Options{Dir: dir, Crawl: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	r := req(t, "https://a.example/")
	if at, err := s.Lookup(r.Host(), r.Key); err != nil || at.State != "queued" || s.Busy {
		t.Errorf("%+v, busy %v, %v", at, s.Busy, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if after := listing(t, dir); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func listing(t *testing.T, dir string) string {
	text := ""
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		text += fmt.Sprintf("%s %d %v\n", path, info.Size(), info.ModTime())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestSnapshotRefuses(t *testing.T) {
	t.Parallel()
	_, err := OpenSnapshot(Options{Dir: filepath.Join(t.TempDir(), "none"), Crawl: "shop"})
	expect(t, err, fs.ErrNotExist)

	dir := t.TempDir()
	f := mustOpen(t, Options{Dir: dir})
	mustCommit(t, f, &crawler.Batch{Found: []crawler.Request{req(t, "https://a.example/")}})
	_, err = OpenSnapshot(Options{Dir: dir, Crawl: "other"})
	expect(t, err, crawler.ErrForeignState, "shop", "other")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	manifests, err := filepath.Glob(filepath.Join(dir, storeDir, "MANIFEST-*"))
	if err != nil || len(manifests) == 0 {
		t.Fatal("no manifest", err)
	}
	for _, m := range manifests {
		if err := os.Remove(m); err != nil {
			t.Fatal(err)
		}
	}
	_, err = OpenSnapshot(Options{Dir: dir, Crawl: "shop"})
	expect(t, err, ErrDamaged)
	if errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a damaged state is taken for none: %v", err)
	}
}
