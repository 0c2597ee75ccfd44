package cmd

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/fixtures/torture"
)

// TestTorture has amble examined by the torture suite, in a process of its own,
// and expects every point. Hosts whose robots.txt stays unreachable would keep
// the crawl waiting for a minute more, so that it is ended before. Busy hosts ask
// for longer than a crawl would leave them alone of its own accord.
func TestTorture(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	cmd := exec.CommandContext(t.Context(), "amble", "torture", "--json", "--delay=100ms", "--drip=20ms",
		"--retry-after=6s", "--duration=30s", "--group-by-address")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("amble torture: %v\n%s", err, stderr.String())
	}
	var r torture.Report
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("the score is no JSON: %v\n%s", err, stdout.String())
	}
	shared := false
	for _, x := range r.Results {
		shared = shared || x.Name == "shared-address" && x.Max > 0
		// Directives of a page are obeyed by default; rel is a hint that is not.
		if want := "rel 3, meta 0, header 0"; x.Name == "nofollow" && !strings.Contains(strings.Join(x.Notes, " "), want) {
			t.Errorf("nofollow: %q, want %s", x.Notes, want)
		}
		if want := torture.Passed; x.Max > 0 && x.Verdict != want {
			t.Errorf("%s: %s, want %s: %q %q", x.Name, x.Verdict, want, x.Violations, x.Missing)
		}
	}
	if !shared {
		t.Error("names that share an address were not examined")
	}
	if len(r.Results) < 25 || r.Points != r.Max {
		t.Errorf("%d of %d points in %d exams", r.Points, r.Max, len(r.Results))
	}
}

// TestTortureListens has it serve alone, and interrupts it: the score is printed
// all the same, and nobody's absence is a violation.
func TestTortureListens(t *testing.T) {
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), "amble", "torture", "--listen-only", "--duration=1h", "--exams=crowd,groups")
	var stdout bytes.Buffer
	cmd.Stdout = &stdout
	stderr, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said, told := bufio.NewReader(stderr), ""
	for !strings.Contains(told, "plain addresses") && err == nil {
		var line string
		line, err = said.ReadString('\n')
		told += line
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, said)
	if err := cmd.Wait(); err != nil {
		t.Errorf("amble torture --listen-only: %v", err)
	}
	for _, want := range []string{"http://crowd.example/\n", "http://groups.example/\n", "http_proxy=http://127.0.0.1:"} {
		if !strings.Contains(told, want) {
			t.Errorf("it does not say %q:\n%s", want, told)
		}
	}
	if !strings.Contains(stdout.String(), "0/15") {
		t.Errorf("no score of 0/15 in\n%s", stdout.String())
	}
}
