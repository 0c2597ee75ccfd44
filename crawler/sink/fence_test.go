package sink

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// yard is a folder for outputs, and a file and a folder beside it that are
// nobody's business.
type yard struct {
	t               *testing.T
	out, file, side string
}

const private = "private\n"

func newYard(t *testing.T) yard {
	t.Helper()
	base := t.TempDir()
	y := yard{t, filepath.Join(base, "out"), filepath.Join(base, "private"), filepath.Join(base, "side")}
	err := errors.Join(os.Mkdir(y.out, 0o755), os.Mkdir(y.side, 0o755), os.WriteFile(y.file, []byte(private), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	return y
}

func (y yard) link(to, name string) {
	y.t.Helper()
	at := filepath.Join(y.out, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(at), 0o755), os.Symlink(to, at)); err != nil {
		y.t.Fatal(err)
	}
}

// untouched asserts that nothing outside was changed or made.
func (y yard) untouched() {
	y.t.Helper()
	if got := content(y.t, y.file); got != private {
		y.t.Errorf("the file outside holds %q", got)
	}
	if entries, err := os.ReadDir(y.side); err != nil || len(entries) > 0 {
		y.t.Errorf("the folder outside holds %v, %v", entries, err)
	}
}

func writeOne(path string, position []byte, recordType string) ([]byte, error) {
	j := &JSONL{Path: path}
	if err := j.Open(ctx, run("book"), position); err != nil {
		return nil, err
	}
	err := j.Write(ctx, []crawler.Record{record(recordType, 1)})
	if err == nil {
		position, err = j.Flush(ctx)
	}
	return position, errors.Join(err, j.Close())
}

func TestLinksOutAreRefused(t *testing.T) {
	for name, c := range map[string]struct {
		plant      func(y yard)
		path       string // below the folder
		recordType string
		link       string // is named
	}{
		"file":                  {func(y yard) { y.link("../private", "book.jsonl") }, "{type}.jsonl", "book", "book.jsonl"},
		"file, absolute":        {func(y yard) { y.link(y.file, "book.jsonl") }, "{type}.jsonl", "book", "book.jsonl"},
		"one file for all":      {func(y yard) { y.link("../private", "all.jsonl") }, "all.jsonl", "book", "all.jsonl"},
		"file to be made":       {func(y yard) { y.link("../side/new", "book.jsonl") }, "{type}.jsonl", "book", "book.jsonl"},
		"file of another type":  {func(y yard) { y.link("../private", "other.jsonl") }, "{type}.jsonl", "other", "other.jsonl"},
		"folder":                {func(y yard) { y.link("../side", "r1") }, "{run}/{type}.jsonl", "book", "r1"},
		"folder of a type":      {func(y yard) { y.link("../side", "book") }, "{type}/{run}/x.jsonl", "book", "book"},
		"folder below a folder": {func(y yard) { y.link(y.side, "r1/book") }, "{run}/{type}/x.jsonl", "book", "r1/book"},
		"chain":                 {func(y yard) { y.link("next", "book.jsonl"); y.link("../private", "next") }, "{type}.jsonl", "book", "book.jsonl"},
	} {
		t.Run(name, func(t *testing.T) {
			y := newYard(t)
			c.plant(y)
			path := filepath.Join(y.out, c.path)
			_, err := writeOne(path, nil, c.recordType)
			wantStop(t, err, "symbolic link "+filepath.Join(y.out, c.link), y.out, "replace the link")
			y.untouched()
			if err := (&JSONL{Path: path}).CheckPosition([]byte(`{"sink":"jsonl","files":{"` + strings.NewReplacer(
				"{run}", "r1", "{type}", c.recordType).Replace(c.path) + `":1}}`)); !errors.Is(err, errEscape) {
				t.Errorf("the check of a position says %v", err)
			}
		})
	}
}

// A link that comes while the run goes on, or between two parts of it.
func TestLinksOutThatComeLater(t *testing.T) {
	for _, linked := range []string{"r1/book.jsonl", "r1"} {
		t.Run(linked, func(t *testing.T) {
			y := newYard(t)
			j := &JSONL{Path: filepath.Join(y.out, "{run}", "{type}.jsonl")}
			if err := j.Open(ctx, run("book"), nil); err != nil {
				t.Fatal(err)
			}
			if err := j.Write(ctx, []crawler.Record{record("book", 1)}); err != nil {
				t.Fatal(err)
			}
			position, err := j.Flush(ctx)
			if err != nil {
				t.Fatal(err)
			}
			// Outside now lies the very file that was written.
			moved := filepath.Join(y.side, "moved")
			if err := os.Rename(filepath.Join(y.out, linked), moved); err != nil {
				t.Fatal(err)
			}
			y.link(moved, linked)
			_, err = j.Flush(ctx)
			wantStop(t, err, "symbolic link "+filepath.Join(y.out, linked))
			if err := j.Close(); err != nil {
				t.Error(err)
			}
			_, err = writeOne(j.Path, position, "book")
			wantStop(t, err, "symbolic link "+filepath.Join(y.out, linked))
		})
	}
}

func TestLinksThatAreFine(t *testing.T) {
	for name, c := range map[string]struct {
		plant func(y yard)
		path  string // from the folder
		to    string // where the record is
	}{
		"the folder":          {func(y yard) { y.link(y.side, "f") }, "f/{type}.jsonl", "../side/book.jsonl"},
		"above the folder":    {func(y yard) { y.link("../side", "f") }, "f/new/{run}/{type}.jsonl", "../side/new/r1/book.jsonl"},
		"within the folder":   {func(y yard) { y.link("x.jsonl", "book.jsonl") }, "{type}.jsonl", "x.jsonl"},
		"a folder within it":  {func(y yard) { y.link("../x", "r1/book"); os.Mkdir(filepath.Join(y.out, "x"), 0o755) }, "{run}/{type}/a.jsonl", "x/a.jsonl"},
		"up before it begins": {func(y yard) { y.link(y.side, "f") }, "../out/f/{type}.jsonl", "../side/book.jsonl"},
	} {
		t.Run(name, func(t *testing.T) {
			y := newYard(t)
			c.plant(y)
			path := y.out + "/" + c.path
			position, err := writeOne(path, nil, "book")
			if err == nil {
				position, err = writeOne(path, position, "book")
			}
			if err != nil {
				t.Fatal(err)
			}
			if n := strings.Count(content(t, filepath.Join(y.out, c.to)), "\n"); n != 2 {
				t.Errorf("%d records", n)
			}
			if err := (&JSONL{Path: path}).CheckPosition(position); err != nil {
				t.Error(err)
			}
		})
	}
}

// What the system lends as links is no folder of outputs.
func TestDescriptorsAreNoFolder(t *testing.T) {
	for path, want := range map[string]fence{
		"-": "", "/dev/stdout": "", "/dev/fd/63": "", "/proc/self/fd/1": "",
		"/dev/shm/x.jsonl": "/dev/shm", "/dev/shm/{type}": "/dev/shm", "/proc/self/fdx/{type}": "/proc/self/fdx", "/out/{type}/x": "/out",
		"/dev/fd/../shm/x": "/dev/shm",
	} {
		if got := fenceOf(path); got != want {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	path := filepath.Join("/proc/self/fd", strconv.Itoa(int(w.Fd())))
	if _, err := os.Stat(path); err != nil {
		t.Skip("no /proc here:", err)
	}
	if _, err := writeOne(path, nil, "book"); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 6)
	if _, err := r.Read(got); err != nil || string(got) != `{"n":1` {
		t.Errorf("got %q, %v", got, err)
	}
}

// Other failures in the folder keep their kind and their place.
func TestFailuresBehindTheFence(t *testing.T) {
	y := newYard(t)
	y.link("loop.jsonl", "loop.jsonl")
	_, err := writeOne(filepath.Join(y.out, "{type}.jsonl"), nil, "loop")
	wantStop(t, err, filepath.Join(y.out, "loop.jsonl"))
	if errors.Is(err, errEscape) {
		t.Errorf("a loop is taken for an escape: %v", err)
	}
	d := realDisk{fence(y.out)}
	missing := filepath.Join(y.out, "a", "b")
	if _, err := d.Stat(missing); !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), missing) {
		t.Errorf("a missing file is %v", err)
	}
	if err := d.Mkdir(y.out+"/a/b", 0o755); !errors.Is(err, syscall.ENOENT) {
		t.Errorf("a folder in a missing one is %v", err)
	}
}
