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

	"github.com/amblecrawl/amble/fixtures"
)

// fullDiskConfig keeps whole pages, so that the bookshop fills a small disk.
const fullDiskConfig = `
name: full
seeds: ["http://books.example/"]
politeness: {contact: qa@shop.example, delay: 0s, concurrency: 4}
fetch: {allow_private: true, resolve: {books.example: "${BOOKS}"}}
commit: {pages: 20, interval: 20ms}
extract: {page: {fields: {html: {css: html, as: html}}}}
output: [{jsonl: out/page.jsonl}]
state: state
`

// TestFullDisk fills the disk of the output, then that of the state: the run
// stops with one line and exit status 3, and once there is room the same
// command goes on to the records of an undisturbed run.
func TestFullDisk(t *testing.T) {
	web, err := fixtures.Start(t.Context(), fixtures.Options{Hosts: []string{"books.example"}})
	if err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	t.Setenv("BOOKS", web.Resolve()["books.example"])
	calm := t.TempDir()
	write(t, filepath.Join(calm, "full.yaml"), fullDiskConfig)
	runToCode(t, exitOK, filepath.Join(calm, "full.yaml"))
	want := keysOf(t, filepath.Join(calm, "out/page.jsonl"))

	for _, c := range []struct{ name, folder, size string }{
		{"output", "out", "size=256k"},
		{"state", "state", "size=64k"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			config := filepath.Join(dir, "full.yaml")
			write(t, config, fullDiskConfig)
			grow := mountSmall(t, filepath.Join(dir, c.folder), c.size)

			stderr := runToCode(t, exitFailed, config)
			if strings.Count(stderr, "\n") != 1 || !strings.Contains(stderr, "no space left on device") {
				t.Errorf("want one line about the full disk, got:\n%s", stderr)
			}
			stderr = runToCode(t, exitFailed, config)
			if !strings.Contains(stderr, "(make room, then run again to resume)") {
				t.Errorf("still full, and it does not say what to do:\n%s", stderr)
			}
			grow()
			runToCode(t, exitOK, config)
			got := keysOf(t, filepath.Join(dir, "out/page.jsonl"))
			for key, n := range got {
				if n != 1 || want[key] != 1 {
					t.Errorf("record %s: %d times, %d in an undisturbed run", key, n, want[key])
				}
			}
			if len(got) != len(want) {
				t.Errorf("%d records, %d in an undisturbed run", len(got), len(want))
			}
		})
	}
}

// mountSmall gives dir a small disk of its own, which grow enlarges.
func mountSmall(t *testing.T, dir, size string) (grow func()) {
	t.Helper()
	if err := os.Mkdir(dir, 0o700); err != nil {
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

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
