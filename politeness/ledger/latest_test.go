package ledger

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
)

// manySegments is a ledger of some runs in small segments.
func manySegments(t *testing.T) (dir string, runs []string) {
	t.Helper()
	dir = t.TempDir()
	for run := range 4 {
		info := testRun()
		info.Run = fmt.Sprint("r", run)
		runs = append(runs, info.Run)
		for range 2 { // processes
			l, err := open(dir, info, 2000, quickly)
			if err != nil {
				t.Fatal(err)
			}
			for i := range 30 {
				appendTest(t, l, []Entry{sample(1000*run + 2*i), sample(1000*run + 2*i + 1)}, RobotsVersion{Origin: sample(i).Host, FetchedAt: noon, Status: 200, Body: []byte{byte(i)}})
			}
			closeTest(t, l)
		}
	}
	if numbers, err := segments(dir); err != nil || len(numbers) < 10 {
		t.Fatalf("%d segments: %v", len(numbers), err)
	}
	return dir, runs
}

func TestReadLatest(t *testing.T) {
	dir, runs := manySegments(t)
	latest := runs[len(runs)-1]
	want := []Entry{}
	for e, err := range ReadRun(dir, latest) {
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, e)
	}
	got := []Entry{}
	for e, err := range ReadLatest(t.Context(), dir, latest) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, e)
	}
	if len(want) != 120 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d entries, want %d", len(got), len(want))
	}
	for e, err := range ReadLatest(t.Context(), dir, "another") {
		t.Errorf("%v, %v", e, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range ReadLatest(ended, dir, latest) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("after the end of its context: %v", err)
		}
	}
}

func TestReadRecent(t *testing.T) {
	dir, _ := manySegments(t)
	all, err := readAll(dir)
	if err != nil {
		t.Fatal(err)
	}
	host := all[len(all)-1].Host
	var of []Entry
	for _, e := range all {
		if e.Host == host {
			of = append(of, e)
		}
	}
	whole, err := ReadRecent(t.Context(), dir, host, 3, 1<<30)
	if err != nil || !whole.Whole || len(of) < 4 || !reflect.DeepEqual(whole.Entries, of[len(of)-3:]) || !whole.From.Equal(all[0].Start) {
		t.Errorf("%+v, %v", whole, err)
	}
	part, err := ReadRecent(t.Context(), dir, host, 1000, 5000)
	if err != nil || part.Whole || len(part.Entries) == 0 || len(part.Entries) >= len(of) || !reflect.DeepEqual(part.Entries, of[len(of)-len(part.Entries):]) {
		t.Errorf("a part: %+v, %v", part, err)
	}
	if len(whole.Versions) == 0 || len(whole.Versions) > recentVersions || whole.Versions[0].Body != nil || whole.Versions[0].Hash == [16]byte{} {
		t.Errorf("versions: %+v", whole.Versions)
	}
	if _, err := ReadRecent(t.Context(), t.TempDir(), host, 3, 1); err != nil {
		t.Errorf("an empty folder: %v", err)
	}
}
