package cmd

import (
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

const touchedConfig = `
name: touched
seeds: ["http://books.example/"]
politeness: {contact: qa@shop.example, delay: 0s, concurrency: 4}
fetch:
  allow_private: true
commit: {pages: 10, interval: 20ms}
extract: {page: {fields: {title: {css: title}}}}
output: [{jsonl: page.jsonl}]
`

// TestTouchedOutputs lets somebody else at the output of a crawl, while it runs
// and between two runs. Nothing may be lost in silence: what amble can undo it
// undoes, and the rest it names.
func TestTouchedOutputs(t *testing.T) {
	t.Parallel()
	calm := newFixtureCrawl(t, touchedConfig, fixtures.Options{Hosts: []string{"books.example"}})
	calm.run(t)
	want := keysOf(t, filepath.Join(calm.dir, "page.jsonl"))
	for _, c := range []struct {
		name         string
		touch, cure  func(path string) error
		says         string // while it runs
		again        string // run again without the cure; "" where it then goes on
		betweenCures bool   // amble itself undoes it between two runs
	}{
		{"appended to", appendTo, nil, "something else writes to it", "", true},
		{"truncated", func(path string) error { return errors.Join(copyFile(path, path+".whole"), os.Truncate(path, 40)) },
			func(path string) error { return copyFile(path+".whole", path) }, "something else writes to it", "put the whole file back", false},
		{"moved away", func(path string) error { return os.Rename(path, path+".away") },
			func(path string) error { return os.Rename(path+".away", path) }, "cannot find", "is missing", false},
		{"replaced", func(path string) error {
			return errors.Join(os.Rename(path, path+".away"), os.WriteFile(path, []byte("{}\n"), 0o600))
		}, func(path string) error { return os.Rename(path+".away", path) }, "was replaced by another file", "put the whole file back", false},
	} {
		for _, running := range []bool{true, false} {
			name := c.name + " between two runs"
			if running {
				name = c.name + " while it runs"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				k := newFixtureCrawl(t, touchedConfig, fixtures.Options{Hosts: []string{"books.example"}, Latency: 5 * time.Millisecond})
				path := filepath.Join(k.dir, "page.jsonl")
				p := k.start(t)
				if !p.awaitRequests(t, 60) {
					t.Fatalf("the crawl ended by itself: %v\n%s", p.err, &p.out)
				}
				if running {
					send(t, p, syscall.SIGSTOP) // or a copy of the output would lack what is committed meanwhile
				} else {
					_ = p.kill()
				}
				if err := c.touch(path); err != nil {
					t.Fatal(err)
				}
				if running {
					send(t, p, syscall.SIGCONT)
					<-p.done
					stopsWith(t, p, path, c.says)
				}
				if c.again != "" {
					p := k.start(t)
					<-p.done
					stopsWith(t, p, path, c.again)
				}
				if c.cure != nil {
					if err := c.cure(path); err != nil {
						t.Fatal(err)
					}
				}
				k.run(t)
				compareCounts(t, "record", keysOf(t, path), want)
				tell(t, "run stopped or mended over an output that was "+name, 1)
			})
		}
	}
}

// stopsWith expects exit status 3 and a line that names the file and says why.
func stopsWith(t *testing.T, p *process, path, says string) {
	t.Helper()
	var ended *exec.ExitError
	if !errors.As(p.err, &ended) || ended.ExitCode() != exit.Failed {
		t.Fatalf("it ended with %v, want exit status 3\n%s", p.err, &p.out)
	}
	if out := p.out.String(); !strings.Contains(out, path) || !strings.Contains(out, says) {
		t.Errorf("it does not name %s and say %q:\n%s", path, says, out)
	}
}

func appendTo(path string) error {
	f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString("{\"somebody\":\"else\"}\n")
	return errors.Join(err, f.Close())
}

// copyFile writes into a file that is there, which stays the same one.
func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o600)
}
