package cmd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func (c *fixtureCrawl) rejects() string { return filepath.Join(c.dir, "_rejects.jsonl") }

// compareTrust expects two crawls to have the same rejects, each once, and the same
// profile of their records.
func compareTrust(t *testing.T, got, want *fixtureCrawl) {
	t.Helper()
	rejects := readLines(t, got.rejects())
	if len(rejects) < 10 {
		t.Errorf("only %d rejects", len(rejects))
	}
	compareCounts(t, "rejects", withoutTimes(t, rejects), withoutTimes(t, readLines(t, want.rejects())))
	if twice := writtenTwice(rejects); len(twice) > 0 {
		t.Errorf("rejects: written twice: %v", twice)
	}
	sameRun(t, rejects)
	tell(t, "rejects compared", len(rejects))
	f, calm := got.frontier(t), want.frontier(t)
	defer f.Close()
	defer calm.Close()
	for _, kind := range killKinds {
		g, err := f.Get("profile/" + kind)
		w, wrong := calm.Get("profile/" + kind)
		if err := errors.Join(err, wrong); err != nil || len(w) == 0 {
			t.Fatalf("the undisturbed profile of %s is %q: %v", kind, w, err)
		}
		if string(g) != string(w) {
			t.Errorf("the profile of %s is\n%s\nundisturbed\n%s", kind, g, w)
		}
	}
}

// tearRejects leaves a torn reject behind, as a process would that was killed
// between writing and committing.
func tearRejects(t *testing.T, c *fixtureCrawl) {
	t.Helper()
	f, err := os.OpenFile(c.rejects(), os.O_WRONLY|os.O_APPEND, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return // none was found yet
	}
	if err == nil {
		_, err = f.WriteString("{\"reason\":\"uncommitted\"}\n{\"rea")
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}
