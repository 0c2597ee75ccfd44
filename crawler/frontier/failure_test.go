package frontier

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"github.com/amblecrawl/amble/crawler"
)

// watchdog ends a test that hangs. It decides nothing else.
const watchdog = 30 * time.Second

// failing is a disk on which every write fails from the given one on.
type failing struct{ left atomic.Int64 }

func (d *failing) String() string { return "no space" }

func (d *failing) MaybeError(op errorfs.Op) error {
	if op.Kind == errorfs.OpFileClose || op.Kind.ReadOrWrite() == errorfs.OpIsRead {
		return nil
	}
	if d.left.Add(-1) < 0 {
		return syscall.ENOSPC
	}
	return nil
}

// within fails the test when f does not return.
func within(t *testing.T, what string, f func()) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	select {
	case <-done:
	case <-time.After(watchdog):
		t.Fatalf("%s hangs", what)
	}
}

// TestFullDisk lets the disk run full at each of many writes: an error that
// says so comes out, nothing panics or hangs, and what was committed is there
// once there is space again.
func TestFullDisk(t *testing.T) {
	for _, writes := range []int64{0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 70, 89, 120, 144, 180, 233, 300, 377, 450, 610} {
		t.Run(fmt.Sprint(writes), func(t *testing.T) {
			t.Parallel()
			mem := vfs.NewCrashableMem()
			d := &failing{}
			d.left.Store(1 << 40)
			o := Options{Dir: "/s", Crawl: "shop", FS: errorfs.Wrap(mem, d), MemTable: 64 << 10}
			f, err := Open(o)
			if err != nil {
				t.Fatal(err)
			}
			d.left.Store(writes)
			committed := 0
			within(t, "the frontier", func() {
				committed, err = fill(f, 2000)
			})
			if !errors.Is(err, crawler.ErrStop) || !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "/s") {
				t.Fatalf("a full disk gave %v", err)
			}
			within(t, "Lease", func() {
				if _, err := f.Lease(context.Background(), 1); !errors.Is(err, crawler.ErrStop) {
					t.Errorf("Lease after a failure gave %v", err)
				}
			})
			within(t, "Close", func() {
				if err := f.Close(); !errors.Is(err, crawler.ErrStop) {
					t.Errorf("Close after a failure gave %v", err)
				}
			})
			o.FS = mem.CrashClone(vfs.CrashCloneCfg{})
			f, err = Open(o)
			if err != nil {
				t.Fatal(err)
			}
			got, err := f.Get("n")
			if err != nil || committed > 0 && string(got) < fmt.Sprintf("%08d", committed) {
				t.Errorf("batch %d was committed, the state ends at %q, %v", committed, got, err)
			}
			if err := f.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// fill commits batches until an error, leasing and settling as it goes.
func fill(f *Frontier, batches int) (committed int, err error) {
	var b crawler.Batch
	for i := 1; i <= batches; i++ {
		for j := range 20 {
			r, err := parse(fmt.Sprintf("https://h%d.example/%s/%d", i*20+j, strings.Repeat("x", 200), j))
			if err != nil {
				return committed, err
			}
			b.Found = append(b.Found, r)
		}
		b.Put = map[string][]byte{"n": fmt.Appendf(nil, "%08d", i)}
		if _, err := f.Commit(context.Background(), &b); err != nil {
			return committed, err
		}
		committed = i
		b = crawler.Batch{}
		ls, err := f.Lease(context.Background(), 10)
		if err != nil {
			return committed, err
		}
		for _, l := range ls {
			b.Outcomes = append(b.Outcomes, crawler.Outcome{Lease: l.ID, Key: l.Key, Host: l.Host(), Class: crawler.ClassFetched})
		}
	}
	return committed, errors.New("the disk never ran full")
}

// TestFullDiskAtOpen lets the disk be full at each write of making a state.
func TestFullDiskAtOpen(t *testing.T) {
	for writes := int64(0); ; writes++ {
		d := &failing{}
		d.left.Store(writes)
		var f *Frontier
		var err error
		within(t, "Open", func() {
			f, err = Open(Options{Dir: "/s", Crawl: "shop", FS: errorfs.Wrap(vfs.NewMem(), d)})
		})
		if err == nil {
			d.left.Store(1 << 40)
			if err := f.Close(); err != nil {
				t.Error(err)
			}
			if writes < 10 {
				t.Errorf("a state was made with %d writes", writes)
			}
			return
		}
		if !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), "/s") {
			t.Errorf("full at write %d: %v", writes, err)
		}
	}
}

// TestFullTmpfs is TestFullDisk on a real small disk, where one can be had.
func TestFullTmpfs(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "size=6m"); err != nil {
		t.Skipf("no tmpfs of its own: %v", err)
	}
	defer func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) }()
	f, err := Open(Options{Dir: dir, Crawl: "shop", MemTable: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	within(t, "the frontier", func() { _, err = fill(f, 5000) })
	if !errors.Is(err, crawler.ErrStop) || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a full disk gave %v", err)
	}
	within(t, "Close", func() { _ = f.Close() })
	t.Log(err)
}
