package history

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"
)

var noon = time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)

func opened(t *testing.T, path string) *History {
	t.Helper()
	h, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { h.Close() })
	return h
}

func begun(t *testing.T, h *History, crawl string, status Status, at time.Time) int64 {
	t.Helper()
	numbers, err := h.Decide(t.Context(), crawl, nil, Run{Cause: Scheduled, Occurrence: at, Status: status})
	if err != nil {
		t.Fatal(err)
	}
	return numbers[0]
}

func numbers(t *testing.T, h *History, f Filter) []int64 {
	t.Helper()
	runs, err := h.List(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	out := []int64{}
	for _, r := range runs {
		out = append(out, r.Number)
	}
	return out
}

// A run that was suspended and goes on is like any that goes on.
func TestGoesOn(t *testing.T) {
	h := opened(t, filepath.Join(t.TempDir(), "history.db"))
	begun(t, h, "a", Waiting, noon)
	name := func() {
		t.Helper()
		if err := h.Name(t.Context(), 1, "run-1", noon); err != nil {
			t.Fatal(err)
		}
	}
	name()
	before, err := h.Get(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.End(t.Context(), 1, Run{Status: Suspended, Reason: "the daemon ended", Ended: noon.Add(time.Minute), Summary: []byte(`{"pages":3}`)}); err != nil {
		t.Fatal(err)
	}
	name()
	if after, err := h.Get(t.Context(), 1); err != nil || !reflect.DeepEqual(after, before) {
		t.Errorf("%v, %+v; want %+v", err, after, before)
	}
}

func TestRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "history.db")
	h := opened(t, path)
	for i, status := range []Status{Running, Skipped, Running, Suspended} {
		begun(t, h, []string{"a", "b"}[i%2], status, noon.Add(time.Duration(i)*time.Hour))
	}
	if err := h.Name(t.Context(), 1, "run-1", noon); err != nil {
		t.Fatal(err)
	}
	if err := h.End(t.Context(), 1, Run{Status: Failed, Reason: "disk full", Ended: noon.Add(time.Minute), Summary: []byte(`{"pages":3}`)}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		f    Filter
		want []int64
	}{
		{Filter{}, []int64{4, 3, 2, 1}},
		{Filter{Crawl: "a"}, []int64{3, 1}},
		{Filter{Whole: true}, []int64{4, 3, 1}},
		{Filter{Unended: true}, []int64{4, 3}},
		{Filter{Before: 3, Limit: 1}, []int64{2}},
		{Filter{Crawl: "none"}, []int64{}},
	} {
		if got := numbers(t, h, c.f); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %v, want %v", c.f, got, c.want)
		}
	}
	reader, err := OpenReader(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	r, err := reader.Get(t.Context(), 1)
	if err != nil || r.Run != "run-1" || r.Status != Failed || string(r.Summary) != `{"pages":3}` || !r.Occurrence.Equal(noon) || !r.Started.Equal(noon) || !r.Ended.Equal(noon.Add(time.Minute)) {
		t.Errorf("%+v, %v", r, err)
	}
	if _, err := reader.Get(t.Context(), 9); !errors.Is(err, ErrNoRun) {
		t.Errorf("a run that is not there: %v", err)
	}
	if _, err := reader.Decide(t.Context(), "a", nil, Run{}); err == nil {
		t.Error("a reader can write")
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestPrune(t *testing.T) {
	h := opened(t, filepath.Join(t.TempDir(), "history.db"))
	for i := range 10 {
		begun(t, h, "a", []Status{Finished, Skipped}[i%2], noon.Add(time.Duration(i)*time.Hour))
	}
	begun(t, h, "b", Finished, noon)
	begun(t, h, "a", Running, noon)
	n, err := h.Prune(t.Context(), "a", 4, noon.Add(8*time.Hour))
	if err != nil || n != 8 {
		t.Fatalf("%d forgotten, %v", n, err)
	}
	if got := numbers(t, h, Filter{}); !slices.Equal(got, []int64{12, 11, 10, 9}) {
		t.Errorf("left: %v", got)
	}
	if n, err = h.Prune(t.Context(), "a", 1, time.Time{}); err != nil || n != 2 {
		t.Errorf("%d forgotten by their number, %v", n, err)
	}
}

// What belongs to no crawl is forgotten once it is old, and nothing else is.
func TestSweep(t *testing.T) {
	h := opened(t, filepath.Join(t.TempDir(), "history.db"))
	for i, crawl := range []string{"here", "gone", "gone", "broken", "broken"} {
		begun(t, h, crawl, Finished, noon.Add(time.Duration(i)*time.Hour))
	}
	for _, crawl := range []string{"here", "gone", "broken", "new"} {
		if _, err := h.Decide(t.Context(), crawl, []byte(crawl)); err != nil {
			t.Fatal(err)
		}
	}
	for host, until := range map[string]time.Time{"a": noon, "b": noon.Add(9 * time.Hour)} {
		if err := h.Owe(t.Context(), host, until); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.Sweep(t.Context(), []string{"here"}, noon.Add(3*time.Hour), noon.Add(8*time.Hour)); err != nil {
		t.Fatal(err)
	}
	if got := numbers(t, h, Filter{}); !slices.Equal(got, []int64{5, 4, 1}) {
		t.Errorf("left: %v", got)
	}
	for crawl, want := range map[string]string{"here": "here", "gone": "", "broken": "broken", "new": "new"} {
		if got, err := h.Recall(t.Context(), crawl); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", crawl, got, err)
		}
	}
	if debts, err := h.Debts(t.Context(), noon.Add(-time.Hour)); err != nil || len(debts) != 1 || debts["b"].IsZero() {
		t.Errorf("%v, %v", debts, err)
	}
}

func TestStateOfASchedule(t *testing.T) {
	h := opened(t, filepath.Join(t.TempDir(), "history.db"))
	for _, state := range []string{"", "one", "two"} {
		if state != "" {
			if _, err := h.Decide(t.Context(), "a", []byte(state)); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := h.Recall(t.Context(), "a"); err != nil || string(got) != state {
			t.Errorf("%q, %v; want %q", got, err, state)
		}
	}
}

// What is no history is told, and not written to.
func TestCorrupt(t *testing.T) {
	whole := filepath.Join(t.TempDir(), "whole.db")
	h := opened(t, whole)
	for range 200 {
		begun(t, h, "a", Finished, noon)
	}
	h.Close()
	good, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	holed := slices.Clone(good)
	for i := 4096 + 100; i < len(holed)-100; i += 50 {
		holed[i] ^= 0x55
	}
	for name, content := range map[string][]byte{"rubbish": []byte("this is a letter to my aunt, longer than a header of SQLite; it says nothing of runs at all"), "cut": good[:len(good)/2], "holed": holed} {
		path := filepath.Join(t.TempDir(), "history.db")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), path); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: %v", name, err)
		}
		if after, _ := os.ReadFile(path); !slices.Equal(after, content) {
			t.Errorf("%s: the file was written to", name)
		}
		h, aside, err := OpenAnew(t.Context(), path, noon)
		if err != nil || aside != path+".broken-20261130T120000" {
			t.Errorf("%s: %q, %v", name, aside, err)
			continue
		}
		begun(t, h, "a", Finished, noon)
		h.Close()
		if kept, _ := os.ReadFile(aside); !slices.Equal(kept, content) {
			t.Errorf("%s: the old file was not kept", name)
		}
	}
}
