package cmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler/history"
)

// A history in the folder of configs is found from outside; a run in which nothing
// had changed does not look like one that gave nothing; a run is shown for people.
func TestRunsForPeople(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "crawls", ".amble", "history.db")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	h, err := history.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	_, err = h.Decide(t.Context(), "shop", nil, history.Run{
		Run: "20260301T060000Z-abcdef", Cause: history.Scheduled, Occurrence: at, Started: at, Ended: at.Add(3 * time.Second), Status: history.Finished,
		Summary: []byte(`{"name":"shop","pages":0,"records":{"book":0},"unchanged":21,"outputs":["/data/shop.jsonl"],"revisit":{"writes":"changes","unchanged":21},"errors":{"dns":2}}`),
	})
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	ask := func(args ...string) string {
		cmd := exec.Command("amble", append([]string{"runs"}, args...)...)
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput()
		return string(out)
	}
	if got := ask("list"); !strings.Contains(got, "pages: 21 unchanged") {
		t.Errorf("amble runs list:\n%s", got)
	}
	got := ask("show", "1")
	for _, want := range []string{"output             /data/shop.jsonl\n", "revisit.unchanged  21\n", "errors.dns         2\n"} {
		if !strings.Contains(got, want) {
			t.Errorf("amble runs show has no %q:\n%s", want, got)
		}
	}
	if strings.ContainsAny(got, "{}") || strings.Contains(got, "records.book") {
		t.Errorf("amble runs show:\n%s", got)
	}
	if err := os.CopyFS(filepath.Join(dir, "more"), os.DirFS(filepath.Join(dir, "crawls"))); err != nil {
		t.Fatal(err)
	}
	if got := ask("list"); !strings.Contains(got, "several histories: name one with --history: crawls/.amble/history.db, more/.amble/history.db") {
		t.Errorf("amble runs list:\n%s", got)
	}
}
