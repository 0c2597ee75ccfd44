package cmd

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/fixtures/shelf"
)

// A disk that is full, or would be, stops the run with one line, and with room made the
// same command goes on to all files.
func TestDownloadsToAFullDisk(t *testing.T) {
	for name, minFree := range map[string]string{"full": "0B", "nearly": "1MiB"} {
		t.Run(name, func(t *testing.T) {
			s, endpoint := shelfServer(t, nil)
			for i := range 6 {
				s.Put(fmt.Sprintf("%d", i), shelf.Bytes(noise(byte(i), 1<<20), shelved))
			}
			dir := downloadsIn(t, endpoint, "seeds: [{bucket: shelf}]\ndownloads: {to: files, name: \"{path}\", min_free: "+minFree+"}\n")
			grow := mountSmall(t, filepath.Join(dir, "files"), "size=3m")
			t.Setenv("SHELF_SECRET", "hunter2hunter2")
			stderr := runToCode(t, exit.Failed, filepath.Join(dir, "crawl.yaml"))
			if !strings.Contains(stderr, "no space left on device") && !strings.Contains(stderr, "make room") {
				t.Errorf("it does not tell of the full disk:\n%s", stderr)
			}
			grow()
			runToCode(t, exit.OK, filepath.Join(dir, "crawl.yaml"))
			m := manifestOf(t, dir)
			for i := range 6 {
				if r := m[fmt.Sprint(i)]; r["sha256"] != sha(noise(byte(i), 1<<20)) {
					t.Errorf("%d: %v", i, r)
				}
			}
		})
	}
}

// A file of any size takes the memory of a small one.
func TestLargeDownload(t *testing.T) {
	t.Parallel()
	const size = 1 << 30
	s, endpoint := shelfServer(t, nil)
	s.Put("large", shelf.Zeros(size, shelved))
	dir := downloadsIn(t, endpoint, "seeds: [{bucket: shelf}]\ndownloads: {to: files, name: \"{path}\", min_free: 0B}\n")
	cmd := exec.CommandContext(t.Context(), "amble", "run", "crawl.yaml")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), shelfSecret...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	most := watchMemory(cmd.Process.Pid, func(d time.Duration) bool {
		select {
		case <-ended:
			return false
		case <-time.After(d):
			return true
		}
	})
	err := cmd.Wait()
	close(ended)
	if err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	peak := <-most
	t.Logf("%d MiB at most", peak>>20)
	if info, err := os.Stat(filepath.Join(dir, "files/large")); err != nil || info.Size() != size || peak > size/3 {
		t.Errorf("%v, %d MiB at most", err, peak>>20)
	}
	if requests, _ := s.Asked(); requests != 16 {
		t.Errorf("it came by %d requests", requests)
	}
}
