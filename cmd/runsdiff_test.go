package cmd

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler/history"
)

// What differs between any two runs is no difference.
func TestRunsDiffSaysWhatDiffers(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "history.db")
	h, err := history.Open(t.Context(), file)
	if err != nil {
		t.Fatal(err)
	}
	for i, pages := range []int{21, 21, 20} {
		at := time.Date(2026, 3, 1+i, 6, 0, 0, 0, time.UTC)
		run := at.Format("20060102T150405Z") + "-abcdef"
		_, err := h.Decide(t.Context(), "shop", nil, history.Run{
			Run: run, Cause: history.Scheduled, Occurrence: at, Started: at, Ended: at.Add(3 * time.Second), Status: history.Finished,
			Summary: fmt.Appendf(nil, `{"name":"shop","run":%q,"started_at":%q,"duration_s":3.0%d,"pages":%d,"outputs":["/data/%s.jsonl"]}`, run, at.Format(time.RFC3339), i, pages, run),
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Close(); err != nil {
		t.Fatal(err)
	}
	diff := func(args ...string) string {
		root := newRoot()
		var out strings.Builder
		root.SetOut(&out)
		root.SetArgs(append([]string{"runs", "diff", "--history", file}, args...))
		if err := root.ExecuteContext(t.Context()); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	for _, c := range []struct{ args, want string }{
		{"1 2", "Nothing differs.\n"}, {"1 2 --json", "[]\n"}, {"1 3", "FIGURE  RUN 1  RUN 3\npages   21     20\n"},
	} {
		if got := diff(strings.Fields(c.args)...); got != c.want {
			t.Errorf("runs diff %s:\n%s", c.args, got)
		}
	}
}
