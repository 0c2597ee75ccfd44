package sink

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// On a disk that fills up the run stops, what was committed stays readable, and
// with room again it goes on.
func TestFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=256k"); err != nil {
		t.Skip("no small disk can be mounted here:", err)
	}
	defer func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	}()
	ballast := filepath.Join(disk, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 128<<10), 0o644); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(disk, "a.jsonl")
	j := &JSONL{Path: path}
	if err := j.Open(ctx, run("book"), nil); err != nil {
		t.Fatal(err)
	}
	big := crawler.Record{Type: "book", Fields: []crawler.Field{{Name: "n", Value: strings.Repeat("x", 20_000)}}}
	var position []byte
	committed := 0
	var err error
	for err == nil {
		if err = j.Write(ctx, []crawler.Record{big}); err != nil {
			break
		}
		var p []byte
		if p, err = j.Flush(ctx); err == nil {
			position, committed = p, committed+1
		}
		if committed > 100 {
			t.Fatal("the disk never fills")
		}
	}
	wantStop(t, err, path, "no space left", "make room, then run again")
	if _, again := j.Flush(ctx); again == nil {
		t.Error("a flush after the failure succeeds")
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if got := strings.Count(content(t, path), "\n"); got != committed || !strings.HasSuffix(content(t, path), "}\n") {
		t.Errorf("%d whole records on the full disk, %d committed", got, committed)
	}

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := j.Open(ctx, run("book"), position); err != nil {
		t.Fatal(err)
	}
	if err := j.Write(ctx, []crawler.Record{big}); err != nil {
		t.Fatal(err)
	}
	if _, err := j.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Error(err)
	}
	if got := strings.Count(content(t, path), "\n"); got != committed+1 {
		t.Errorf("%d records after going on, want %d", got, committed+1)
	}
}
