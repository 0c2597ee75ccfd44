package download

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

func (w *world) must(t testing.TB, r *crawler.Request, answer func(http.Header) (int, http.Header, []byte, error)) crawler.FileEnd {
	t.Helper()
	end, err := w.get(t, r, answer)
	if err != nil || end.Err != nil {
		t.Fatalf("%s: %v, %v", r.URL, err, end.Err)
	}
	return end
}

func (w *world) content(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// left are the files of amble's that are in the destination.
func (w *world) left(t testing.TB) (names []string) {
	t.Helper()
	err := filepath.WalkDir(w.dir, func(name string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && strings.Contains(name, ownPrefix) {
			names = append(names, filepath.Base(name))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// A process dies when its batch is written down and nothing has moved, the next one
// before it has another batch: the file of an earlier run that is in the place is not
// taken for the new one.
func TestOldFileIsNotTheNewOne(t *testing.T) {
	w := newWorld(t, Options{Run: "first", Dedup: true})
	w.commit(t, w.must(t, request(t, "http://h/a"), ok("old")))
	w.Store.Close()
	w.kept = map[string][]byte{}
	w.open(t, Options{Run: "second", Dedup: true})
	end := w.must(t, request(t, "http://h/a"), ok("new"))
	if err := w.writeJournal([]*kept{end.Kept.(*kept)}, map[string][]byte{}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		w.open(t, Options{Run: "second", Dedup: true}) // the one before has not closed anything
	}
	asked := false
	w.commit(t, w.must(t, request(t, "http://h/a"), func(http.Header) (int, http.Header, []byte, error) {
		asked = true
		return 200, nil, []byte("new"), nil
	}))
	if got := w.content(t, "a"); !asked || got != "new" {
		t.Errorf("asked %t, the file is %q", asked, got)
	}
}

// A large file that an earlier run has fetched and not kept is used where its server still
// says that it is that one, and nowhere else.
func TestWholeFilesOfEarlierRuns(t *testing.T) {
	size := worthState
	answer := func(version, text string, asked *int) func(http.Header) (int, http.Header, []byte, error) {
		return func(http.Header) (int, http.Header, []byte, error) {
			*asked++
			return 200, http.Header{"Etag": {version}, "Accept-Ranges": {"bytes"}}, []byte(strings.Repeat(text, size)), nil
		}
	}
	object := func(version string) *crawler.Request {
		r := request(t, "blob://c/a")
		r.Carry = []crawler.Field{about{size: int64(size), etag: version}.field()}
		return r
	}
	for version, want := range map[string]string{`"1"`: "a", `"2"`: "b"} {
		w, asked := newWorld(t, Options{Run: "first"}), 0
		w.must(t, object(`"1"`), answer(`"1"`, "a", &asked))
		w.open(t, Options{Run: "second"})
		for range 2 { // also where the process dies again
			end := w.must(t, object(version), answer(version, "b", &asked))
			if end.Kept == nil {
				t.Fatalf("%+v", end)
			}
			w.open(t, Options{Run: "second"})
		}
		w.commit(t, w.must(t, object(version), answer(version, "b", &asked)))
		if got := w.content(t, "a"); got != strings.Repeat(want, size) || want == "a" && asked != 1 {
			t.Errorf("version %s: asked %d times, the file begins with %.1s", version, asked, got)
		}
	}
}

// Of several files of one content the one that is kept stays the one, whatever order the
// process that comes after a death has; and in a later run too.
func TestContentsAreKeptOnce(t *testing.T) {
	for _, name := range []string{"{path}", "{sha256}"} {
		template, err := ParseTemplate(name)
		if err != nil {
			t.Fatal(err)
		}
		o := Options{Dedup: true, Name: template}
		w := newWorld(t, o)
		first := w.must(t, request(t, "http://h/a"), ok("hello"))
		if _, err := w.Keep(t.Context(), []crawler.KeptFile{first.Kept}, map[string][]byte{}); err != nil {
			t.Fatal(err)
		}
		w.open(t, o) // nothing was committed
		second := w.must(t, request(t, "http://h/b"), ok("hello"))
		again := w.must(t, request(t, "http://h/a"), ok("hello"))
		w.commit(t, second, again)
		if got := fmt.Sprint(second.Fields); !strings.Contains(got, "deduplicated") || !strings.Contains(got, "http://h/a") {
			t.Errorf("%s: %s", name, got)
		}
		if got := fmt.Sprint(again.Fields); got != fmt.Sprint(first.Fields) {
			t.Errorf("%s: %s, was %v", name, got, first.Fields)
		}
		if all, err := filepath.Glob(filepath.Join(w.dir, "[a-z0-9]*")); err != nil || len(all) != 1 {
			t.Errorf("%s: %v", name, all)
		}
		w.Store.Close()
	}
	dated := func(http.Header) (int, http.Header, []byte, error) {
		return 200, http.Header{"Last-Modified": {"Sat, 31 Jan 2026 12:00:00 GMT"}}, []byte("hello"), nil
	}
	w := newWorld(t, Options{Dedup: true, Run: "first"})
	w.commit(t, w.must(t, request(t, "http://h/a"), dated), w.must(t, request(t, "http://h/b"), dated))
	w.Store.Close()
	w.kept = map[string][]byte{}
	w.open(t, Options{Dedup: true, Run: "second"})
	same := w.must(t, request(t, "http://h/a"), func(asked http.Header) (int, http.Header, []byte, error) {
		if asked.Get("If-Modified-Since") == "" {
			t.Error("the file that is there is asked for")
		}
		return 304, nil, nil, nil
	})
	w.commit(t, same, w.must(t, request(t, "http://h/b"), dated))
	if all, err := filepath.Glob(filepath.Join(w.dir, "[a-z]*")); err != nil || len(all) != 1 || same.Fields[2].Value == nil {
		t.Errorf("after a second run there are %v; %v", all, same.Fields)
	}
}

// What is left of a file that was committed goes with the next process.
func TestRestOfACommittedFile(t *testing.T) {
	w := newWorld(t, Options{Dedup: true})
	answer := func(http.Header) (int, http.Header, []byte, error) {
		return 200, http.Header{"Etag": {`"1"`}, "Accept-Ranges": {"bytes"}}, make([]byte, worthState), nil
	}
	first, second := w.must(t, request(t, "http://h/a"), answer), w.must(t, request(t, "http://h/b"), answer)
	if _, err := w.Keep(t.Context(), []crawler.KeptFile{first.Kept, second.Kept}, w.kept); err != nil {
		t.Fatal(err)
	}
	w.open(t, Options{Dedup: true}) // the one before has died before it removed anything
	for _, name := range w.left(t) {
		if strings.HasSuffix(name, dataSuffix) || strings.HasSuffix(name, stateSuffix) {
			t.Errorf("%s is left", name)
		}
	}
}
