package download

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// What waits for its batch lies in the folder it goes to, hidden, and a process that
// dies leaves nothing of it there.
func TestWaitingFilesAreSwept(t *testing.T) {
	w := newWorld(t, Options{})
	for i := range 3 {
		end, err := w.get(t, request(t, fmt.Sprintf("http://h/a/b/%d", i)), ok("hello"))
		if err != nil || end.Err != nil {
			t.Fatal(err, end.Err)
		}
	}
	in := filepath.Join(w.dir, "a", "b")
	waiting := names(t, in)
	if len(waiting) != 3 {
		t.Fatalf("there wait %q", waiting)
	}
	for _, name := range waiting {
		if !w.isWaiting(name) {
			t.Errorf("%s is not known to wait", name)
		}
	}
	for _, name := range []string{waiting[0] + "x", ".amble-ffffffff-" + waiting[0][16:], "c.part"} {
		if w.isWaiting(name) {
			t.Errorf("%s is taken for one of the crawl's", name)
		}
		if err := os.WriteFile(filepath.Join(in, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.notes.Close(); err != nil { // as it is when the process dies
		t.Fatal(err)
	}
	w.notes = nil
	w.open(t, Options{})
	if left := names(t, in); len(left) != 3 || left[0] == waiting[0] {
		t.Errorf("left are %q", left)
	}
	if left := names(t, filepath.Join(w.dir, ownPrefix+"test")); len(left) != 0 {
		t.Errorf("beside the files: %q", left)
	}
}

func names(t *testing.T, dir string) (all []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// An object that has changed and kept its size is not taken for the file in its place
// after a death before that was replaced.
func TestDeathBeforePlaceOfSameSize(t *testing.T) {
	for _, name := range []string{"{path}", "{host}/{sha256}"} {
		template, err := ParseTemplate(name)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t, Options{Name: template, Overwrite: true})
		first, err := w.get(t, request(t, "http://h/a"), ok("hello"))
		if err != nil || first.Err != nil {
			t.Fatal(err, first.Err)
		}
		if err := w.writeJournal([]*kept{first.Kept.(*kept)}, map[string][]byte{}); err != nil {
			t.Fatal(err)
		}
		placed := filepath.Join(w.dir, first.Kept.(*kept).name)
		if err := os.WriteFile(placed, []byte("world"), 0o644); err != nil {
			t.Fatal(err)
		}
		w.open(t, Options{Name: template, Overwrite: true})
		second, err := w.get(t, request(t, "http://h/a"), ok("hello"))
		if err != nil || second.Err != nil {
			t.Fatal(err, second.Err)
		}
		w.commit(t, second)
		if got, err := os.ReadFile(placed); err != nil || string(got) != "hello" {
			t.Errorf("%s: there is %q, %v", name, got, err)
		}
	}
}

// A folder that is moved away does not take later files along, and one that is a file
// by now is the failure of its files alone.
func TestMovedFolder(t *testing.T) {
	w := newWorld(t, Options{})
	get := func(raw string) crawler.FileEnd {
		end, err := w.get(t, request(t, raw), ok("hello"))
		if err != nil || end.Err != nil {
			t.Fatal(err, end.Err)
		}
		return end
	}
	w.commit(t, get("http://h/a/1"))
	if err := os.Rename(filepath.Join(w.dir, "a"), filepath.Join(w.dir, "b")); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(w.dir, "a"), 0o755); err != nil {
		t.Fatal(err)
	}
	end := get("http://h/a/2")
	if _, err := w.Keep(t.Context(), []crawler.KeptFile{end.Kept}, w.kept); !errors.Is(err, crawler.ErrStop) {
		t.Errorf("it went where the folder had gone: %v", err)
	}
	w.commit(t, get("http://h/a/3"))
	if all := names(t, filepath.Join(w.dir, "a")); len(all) != 1 || all[0] != "3" {
		t.Errorf("in the new folder are %q", all)
	}
}

// Nothing waits any more for a file that failed.
func TestFailedFilesDoNotWait(t *testing.T) {
	w := newWorld(t, Options{})
	wrong := func(http.Header) (int, http.Header, []byte, error) {
		return 200, http.Header{"Content-Md5": {"XUFAKrxLKna5cZ2REBfFkg=="}}, []byte("hellO"), nil
	}
	if end, err := w.get(t, request(t, "http://h/a/1"), wrong); err != nil || end.Err == nil {
		t.Fatal(err, end.Err)
	}
	broken := func(http.Header) (int, http.Header, []byte, error) {
		w.length = 10
		return 200, nil, []byte("hell"), errors.New("broken")
	}
	if _, err := w.get(t, request(t, "http://h/a/2"), broken); err == nil {
		t.Fatal("it is whole")
	}
	if left := names(t, filepath.Join(w.dir, "a")); len(left) != 0 {
		t.Errorf("left are %q", left)
	}
}

// Many files are synced by their file system or one by one, and are in their places
// either way.
func TestManyFilesAreSynced(t *testing.T) {
	for _, oneByOne := range []int{0, 1} {
		w := newWorld(t, Options{})
		w.oneByOne = oneByOne
		var ends []crawler.FileEnd
		for i := range 2 * manyFiles {
			end, err := w.get(t, request(t, fmt.Sprintf("http://h/%d/%d", i%40, i)), ok("hello"))
			if err != nil || end.Err != nil {
				t.Fatal(err, end.Err)
			}
			ends = append(ends, end)
		}
		w.commit(t, ends...)
		found, err := filepath.Glob(filepath.Join(w.dir, "[0-9]*", "*"))
		if err != nil || len(found) != len(ends) || w.held.Load() != 0 || w.oneByOne == 1 {
			t.Errorf("%d files of %d, %d are open, %v", len(found), len(ends), w.held.Load(), err)
		}
		for _, name := range found {
			if strings.Contains(name, ownPrefix) {
				t.Errorf("%s waits still", name)
			}
		}
	}
}

func TestKernelVersions(t *testing.T) {
	for release, want := range map[string]bool{"5.8.0": true, "6.1.0-rc1": true, "5.10.1+": true, "5.7.19": false, "4.19.0-18-amd64": false, "": false, "x.y": false} {
		if got := atLeast(release, 5, 8); got != want {
			t.Errorf("%q: %t", release, got)
		}
	}
}
