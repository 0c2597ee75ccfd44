package cmd

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/fixtures"
)

// fullDiskConfig keeps whole pages, so that the bookshop fills a small disk.
const fullDiskConfig = `
name: full
seeds: ["http://books.example/"]
politeness: {contact: qa@shop.example, delay: 0s, concurrency: 4}
fetch: {allow_private: true, resolve: {books.example: "BOOKS"}}
commit: {pages: 20, interval: 20ms}
extract: {page: {fields: {html: {css: html, as: html}}}}
output: [{jsonl: out/page.jsonl}]
state: state
`

func fullDiskConfigOf(web *fixtures.Web) string {
	return strings.Replace(fullDiskConfig, "BOOKS", web.Resolve()["books.example"], 1)
}

// fullDisks are small disks that fill up at each stage of a run: while opening,
// at the seeds, between pages, and close to the end.
var fullDisks = []struct {
	name, folder string
	sizes        []string
}{
	{"output", "out", []string{"4k", "64k", "256k", "1m"}},
	{"state", "state", []string{"4k", "24k", "64k", "128k"}},
	{"ledger", "state/ledger", []string{"4k", "8k"}},
}

// TestFullDisk fills the disk of the output, of the state and of the ledger, at
// several stages: the run stops with one line and exit status 3, and once there
// is room the same command goes on to the records of an undisturbed run.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	web, err := fixtures.Start(t.Context(), fixtures.Options{Hosts: []string{"books.example"}})
	if err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	settings := fullDiskConfigOf(web)
	calm := t.TempDir()
	write(t, filepath.Join(calm, "full.yaml"), settings)
	runToCode(t, exit.OK, filepath.Join(calm, "full.yaml"))
	want := keysOf(t, filepath.Join(calm, "out/page.jsonl"))

	for _, disk := range fullDisks {
		for _, size := range disk.sizes {
			t.Run(disk.name+" of "+size, func(t *testing.T) {
				dir := t.TempDir()
				config := filepath.Join(dir, "full.yaml")
				write(t, config, settings)
				grow := mountSmall(t, filepath.Join(dir, disk.folder), "size="+size)

				stderr := runToCode(t, exit.Failed, config)
				if !strings.Contains(stderr, "no space left on device") {
					t.Errorf("it does not tell of the full disk:\n%s", stderr)
				}
				stderr = runToCode(t, exit.Failed, config)
				if !strings.Contains(stderr, "(make room, then run again to resume)") {
					t.Errorf("still full, and it does not say what to do:\n%s", stderr)
				}
				grow()
				runToCode(t, exit.OK, config)
				compareCounts(t, "record", keysOf(t, filepath.Join(dir, "out/page.jsonl")), want)
				tell(t, "disk that filled up, twice, and then had room", 1)
			})
		}
	}
}

// TestReadOnlyDisk gives a crawl a disk that cannot be written to, at its start
// and when it is resumed: a clear line, and nothing is lost.
func TestReadOnlyDisk(t *testing.T) {
	t.Parallel()
	web, err := fixtures.Start(t.Context(), fixtures.Options{Hosts: []string{"books.example"}, Latency: 5 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	settings := fullDiskConfigOf(web)
	for _, folder := range []string{"out", "state"} {
		t.Run(folder, func(t *testing.T) {
			dir := t.TempDir()
			disk := filepath.Join(dir, folder)
			config := filepath.Join(dir, "full.yaml")
			write(t, config, settings)
			grow := mountSmall(t, disk, "size=64m")
			protect := func(flags uintptr) {
				t.Helper()
				if err := syscall.Mount("tmpfs", disk, "tmpfs", syscall.MS_REMOUNT|flags, "size=64m"); err != nil {
					t.Fatal(err)
				}
			}
			protect(syscall.MS_RDONLY)
			stderr := runToCode(t, exit.Config, config)
			if !strings.Contains(stderr, "read-only file system (allow writing there, or") {
				t.Errorf("it does not say what to do:\n%s", stderr)
			}
			grow()
			cmd := exec.CommandContext(t.Context(), "amble", "run", config)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if !awaitText(filepath.Join(dir, "out/page.jsonl"), "") {
				t.Fatal("the run writes nothing")
			}
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
			protect(syscall.MS_RDONLY)
			resumed := exit.Failed
			if folder == "state" {
				resumed = exit.Config // nothing was opened yet
			}
			if stderr := runToCode(t, resumed, config); !strings.Contains(stderr, "read-only file system (allow writing there, or") {
				t.Errorf("resumed, it does not say what to do:\n%s", stderr)
			}
			grow()
			runToCode(t, exit.OK, config)
			for key, n := range keysOf(t, filepath.Join(dir, "out/page.jsonl")) {
				if n != 1 {
					t.Errorf("record %s was written %d times", key, n)
				}
			}
			tell(t, "read-only at the start and when resumed", 1)
		})
	}
}

// mountSmall gives dir a small disk of its own, which grow enlarges.
func mountSmall(t *testing.T, dir, size string) (grow func()) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	err := syscall.Mount("tmpfs", dir, "tmpfs", 0, size)
	if errors.Is(err, syscall.EPERM) {
		t.Skip("only root can mount a small disk")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			t.Error(err)
		}
	})
	return func() {
		if err := syscall.Mount("tmpfs", dir, "tmpfs", syscall.MS_REMOUNT, "size=64m"); err != nil {
			t.Fatal(err)
		}
	}
}

// runToCode runs a config, which must exit with that code, and gives stderr.
func runToCode(t *testing.T, want int, config string) string {
	t.Helper()
	var stdout, stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "amble", "run", config)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	t.Logf("%s%s", stdout.String(), stderr.String())
	if got := cmd.ProcessState.ExitCode(); got != want {
		t.Errorf("exit status %d, want %d", got, want)
	}
	return stderr.String()
}

func keysOf(t *testing.T, path string) map[string]int {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]int{}
	for line := range bytes.Lines(data) {
		var record struct {
			Key string `json:"_key"`
		}
		if err := json.Unmarshal(line, &record); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		keys[record.Key]++
	}
	return keys
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
