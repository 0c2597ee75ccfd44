package download

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// dies is what a kill leaves of a process: what it has open is closed.
func (w *world) dies(t testing.TB) {
	t.Helper()
	for _, f := range []**os.File{&w.notes, &w.arrivals.file} {
		if *f != nil {
			if err := (*f).Close(); err != nil {
				t.Fatal(err)
			}
			*f = nil
		}
	}
	w.arrivals.lines = map[string][]byte{"x": nil} // that nothing is tidied up
}

func dated(body string) func(http.Header) (int, http.Header, []byte, error) {
	return func(http.Header) (int, http.Header, []byte, error) {
		return 200, http.Header{"Last-Modified": {"Sat, 31 Jan 2026 12:00:00 GMT"}, "Content-Type": {"text/x"}, "Etag": {`"v"`}}, []byte(body), nil
	}
}

func mustNotAsk(t *testing.T) func(http.Header) (int, http.Header, []byte, error) {
	return func(http.Header) (int, http.Header, []byte, error) {
		t.Error("it is asked for again")
		return 200, nil, []byte("hello"), nil
	}
}

// Small files that had come before a kill are not fetched again, however often there is
// one, and their records are the same.
func TestArrivedFilesAreNotFetchedAgain(t *testing.T) {
	w := newWorld(t, Options{})
	const many = 5
	want := make([]string, many)
	get := func(i int, answer func(http.Header) (int, http.Header, []byte, error)) crawler.FileEnd {
		t.Helper()
		end, err := w.get(t, request(t, fmt.Sprintf("http://h/a/%d", i)), answer)
		if err != nil || end.Err != nil {
			t.Fatal(err, end.Err)
		}
		return end
	}
	for i := range many {
		want[i] = fmt.Sprint(get(i, dated("hello")).Fields)
	}
	w.dies(t)
	w.open(t, Options{})
	if got := fmt.Sprint(get(0, mustNotAsk(t)).Fields); got != want[0] { // and is not committed
		t.Errorf("the record is %s, not %s", got, want[0])
	}
	get(many, dated("hello"))
	w.dies(t)
	w.open(t, Options{})
	var ends []crawler.FileEnd
	for i := range many + 1 {
		ends = append(ends, get(i, mustNotAsk(t)))
	}
	w.commit(t, ends...)
	for i := range many {
		if got := fmt.Sprint(ends[i].Fields); got != want[i] {
			t.Errorf("the record is %s, not %s", got, want[i])
		}
	}
	if all := names(t, filepath.Join(w.dir, "a")); strings.Join(all, " ") != "0 1 2 3 4 5" {
		t.Errorf("there are %q", all)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if all := names(t, w.dir); len(all) != 1 {
		t.Errorf("left are %q", all)
	}
}

// What is not as it was noted is fetched, and what is of no use goes.
func TestArrivedFilesThatAreOthers(t *testing.T) {
	other := Options{Run: "other"}
	template, err := ParseTemplate("b/{path}")
	if err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(w *world, waits string) (Options, error){
		"its size": func(_ *world, waits string) (Options, error) { return Options{}, os.Truncate(waits, 2) },
		"its date": func(_ *world, waits string) (Options, error) {
			return Options{}, os.Chtimes(waits, time.Now(), time.Now())
		},
		"its name":    func(*world, string) (Options, error) { return Options{Name: template}, nil },
		"the run":     func(*world, string) (Options, error) { return other, nil },
		"that it was": func(_ *world, waits string) (Options, error) { return Options{}, os.Remove(waits) },
		"the machine's start": func(w *world, _ string) (Options, error) {
			notes := filepath.Join(w.dir, ownPrefix+"test", arrivalsName)
			data, err := os.ReadFile(notes)
			if err != nil {
				return Options{}, err
			}
			return Options{}, os.WriteFile(notes, bytes.Replace(data, []byte(`"boot":"`), []byte(`"boot":"0`), 1), 0o600)
		},
		"all but a torn line": func(w *world, _ string) (Options, error) {
			notes := filepath.Join(w.dir, ownPrefix+"test", arrivalsName)
			info, err := os.Stat(notes)
			if err != nil {
				return Options{}, err
			}
			return Options{}, os.Truncate(notes, info.Size()-2)
		},
	} {
		t.Run(what, func(t *testing.T) {
			w := newWorld(t, Options{})
			if end, err := w.get(t, request(t, "http://h/a/1"), dated("hello")); err != nil || end.Err != nil {
				t.Fatal(err, end.Err)
			}
			w.dies(t)
			waits := filepath.Join(w.dir, "a", names(t, filepath.Join(w.dir, "a"))[0])
			o, err := change(w, waits)
			if err != nil {
				t.Fatal(err)
			}
			w.open(t, o)
			asked := false
			end, err := w.get(t, request(t, "http://h/a/1"), func(h http.Header) (int, http.Header, []byte, error) {
				asked = true
				return dated("world")(h)
			})
			if err != nil || end.Err != nil || !asked {
				t.Fatal(err, end.Err, asked)
			}
			w.commit(t, end)
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			var left []string
			_ = filepath.WalkDir(w.dir, func(name string, e os.DirEntry, err error) error {
				if err == nil && !e.IsDir() {
					left = append(left, name)
				}
				return err
			})
			if len(left) != 1 || filepath.Base(left[0]) != "1" {
				t.Errorf("left are %q", left)
			}
		})
	}
}

// The notes stay small, however many files come.
func TestArrivalsAreBounded(t *testing.T) {
	w := newWorld(t, Options{})
	k := &kept{id: strings.Repeat("a", idLength), name: "a/" + strings.Repeat("n", 200), end: endKept}
	k.at, k.about.modified = w.waitingSpot(k.name, k.id), time.Unix(1, 0)
	for range 3 * leastArrivals / 400 {
		if err := w.arrived(k); err != nil {
			t.Fatal(err)
		}
		w.arrivals.forget(k.id)
	}
	info, err := os.Stat(filepath.Join(w.dir, ownPrefix+"test", arrivalsName))
	if err != nil || info.Size() > 2*leastArrivals || w.arrivals.live != 0 {
		t.Errorf("%v, %v, %d live", info, err, w.arrivals.live)
	}
}
