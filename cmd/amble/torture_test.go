package main

import (
	"bytes"
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/amblecrawl/amble/fixtures/torture"
)

// TestTorture has amble examined by the torture suite, in a process of its own,
// and expects every point. Hosts whose robots.txt stays unreachable would keep
// the crawl waiting for a minute more, so that it is ended before.
func TestTorture(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	cmd := exec.CommandContext(t.Context(), "amble", "torture", "--json", "--delay=100ms", "--drip=20ms", "--duration=30s")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("amble torture: %v\n%s", err, stderr.String())
	}
	var r torture.Report
	if err := json.Unmarshal(stdout.Bytes(), &r); err != nil {
		t.Fatalf("the score is no JSON: %v\n%s", err, stdout.String())
	}
	for _, x := range r.Results {
		if want := torture.Passed; x.Max > 0 && x.Verdict != want {
			t.Errorf("%s: %s, want %s: %q %q", x.Name, x.Verdict, want, x.Violations, x.Missing)
		}
	}
	if len(r.Results) < 25 || r.Points != r.Max {
		t.Errorf("%d of %d points in %d exams", r.Points, r.Max, len(r.Results))
	}
}
