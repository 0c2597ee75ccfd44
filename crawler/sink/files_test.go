package sink

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

var ctx = context.Background()

func run(types ...string) crawler.RunInfo {
	info := crawler.RunInfo{ID: "r1"}
	for _, name := range types {
		info.Types = append(info.Types, crawler.RecordType{Name: name, Fields: []string{"n"}})
	}
	return info
}

func record(recordType string, n int) crawler.Record {
	return crawler.Record{Type: recordType, Fields: []crawler.Field{{Name: "n", Value: int64(n)}}}
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// wantStop asserts an ErrStop that holds each of the words.
func wantStop(t *testing.T, err error, words ...string) {
	t.Helper()
	if !errors.Is(err, crawler.ErrStop) {
		t.Fatalf("got %v, want an ErrStop", err)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q does not say %q", err, w)
		}
	}
}

func TestRegistered(t *testing.T) {
	for _, id := range []string{"jsonl", "csv"} {
		if s, ok := crawler.Sinks.New(id); !ok || s == nil {
			t.Errorf("%s is not registered", id)
		}
	}
}

// More files than descriptors: each is closed and opened again many times.
func TestManyTypes(t *testing.T) {
	folder := t.TempDir()
	const types = 3*maxOpen + 1
	j := &JSONL{Path: filepath.Join(folder, "{type}.jsonl")}
	var names []string
	for i := range types / 2 { // the others come unannounced
		names = append(names, fmt.Sprintf("t%d", i))
	}
	if err := j.Open(ctx, run(names...), nil); err != nil {
		t.Fatal(err)
	}
	var position []byte
	for round := range 6 {
		for i := range types {
			if err := j.Write(ctx, []crawler.Record{record(fmt.Sprintf("t%d", i), round)}); err != nil {
				t.Fatal(err)
			}
		}
		if n := openHandles(j.files); n > maxOpen {
			t.Fatalf("%d files are open", n)
		}
		var err error
		if position, err = j.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		if round%2 == 0 {
			continue
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		if err := j.Open(ctx, run(names...), position); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if n := len(j.Places()); n != types {
		t.Errorf("%d places for %d types", n, types)
	}
	for i := range types {
		got := content(t, filepath.Join(folder, fmt.Sprintf("t%d.jsonl", i)))
		for round := range 6 {
			if want := fmt.Sprintf(`{"n":%d,`, round); strings.Count(got, want) != 1 {
				t.Fatalf("type %d, round %d: %q", i, round, got)
			}
		}
	}
}

func openHandles(s *files) (n int) {
	for _, f := range s.byKey {
		if f.handle != nil {
			n++
		}
	}
	return n
}

func TestOneFileOneSink(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.jsonl")
	if err := os.WriteFile(path, []byte("precious\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(folder, "link")
	if err := os.Symlink("a.jsonl", link); err != nil {
		t.Fatal(err)
	}
	first := &JSONL{Path: path}
	if err := first.Open(ctx, run("book"), nil); err != nil {
		t.Fatal(err)
	}
	if err := first.Write(ctx, []crawler.Record{record("book", 1)}); err != nil {
		t.Fatal(err)
	}
	if _, err := first.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	before := content(t, path)
	wantStop(t, (&CSV{Path: path}).Open(ctx, run("book"), nil), "two outputs write to "+path)
	wantStop(t, (&JSONL{Path: link}).Open(ctx, run("book"), nil), link, path, "same file")
	if content(t, path) != before {
		t.Errorf("a refused sink changed the file")
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := &JSONL{Path: link}
	if err := second.Open(ctx, run("book"), nil); err != nil {
		t.Fatalf("after Close, through a link: %v", err)
	}
	if err := second.Close(); err != nil {
		t.Fatal(err)
	}
	if content(t, path) != "" {
		t.Errorf("a fresh run through a link left old records")
	}
}

func TestUnwritablePlaces(t *testing.T) {
	folder := t.TempDir()
	kept := filepath.Join(folder, "aaa.jsonl")
	plain := filepath.Join(folder, "plain")
	for _, path := range []string{kept, plain} {
		if err := os.WriteFile(path, []byte("old\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.MkdirAll(filepath.Join(folder, "zzz.jsonl"), 0o755); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(folder, "pipe")
	if err := syscall.Mkfifo(pipe, 0o644); err != nil {
		t.Skip("no pipes here:", err)
	}
	for path, words := range map[string][]string{
		filepath.Join(plain, "x", "{type}.jsonl"):           {plain, "choose another path"},
		filepath.Join(folder, "{type}.jsonl"):               {filepath.Join(folder, "zzz.jsonl"), "folder"},
		filepath.Join(folder, strings.Repeat("x", 300)):     {"xxx", "file name too long"},
		"/proc/nowhere/{type}.jsonl":                        {"/proc/nowhere", "cannot open"},
		pipe:                                                {pipe, "nothing reads"},
		filepath.Join(folder, "\xff", "ok", "..", "{type}"): nil,
	} {
		err := (&JSONL{Path: path}).Open(ctx, run("aaa", "zzz"), nil)
		if words == nil {
			if err != nil {
				t.Errorf("%s: %v", path, err)
			}
			continue
		}
		wantStop(t, err, words...)
	}
	if content(t, kept) != "old\n" {
		t.Errorf("a refused run emptied another file")
	}
	if n := len(claims.held); n != 2 {
		t.Errorf("%d files are claimed, want the two of the sink still open", n)
	}
}

// A file that someone else touches is noticed before its position is promised,
// also when there is nothing more to write to it.
func TestChangedFiles(t *testing.T) {
	for name, change := range map[string]func(path string) error{
		"appended": func(path string) error {
			f, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.WriteString("foreign\n")
			return errors.Join(err, f.Close())
		},
		"truncated": func(path string) error { return os.Truncate(path, 3) },
		"removed":   os.Remove,
		"replaced":  func(path string) error { return errors.Join(os.Remove(path), os.WriteFile(path, nil, 0o644)) },
	} {
		t.Run(name+", nothing new", func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.jsonl")
			j := &JSONL{Path: path}
			err := errors.Join(j.Open(ctx, run("book"), nil), j.Write(ctx, []crawler.Record{record("book", 1)}))
			if _, flushing := j.Flush(ctx); err != nil || flushing != nil {
				t.Fatal(err, flushing)
			}
			if err := change(path); err != nil {
				t.Fatal(err)
			}
			_, err = j.Flush(ctx)
			wantStop(t, err, path)
			if err := j.Close(); err != nil {
				t.Error(err)
			}
		})
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.jsonl")
			j := &JSONL{Path: path}
			if err := j.Open(ctx, run("book"), nil); err != nil {
				t.Fatal(err)
			}
			for i := range 2 {
				if err := j.Write(ctx, []crawler.Record{record("book", i)}); err != nil {
					t.Fatal(err)
				}
				if i == 0 {
					if _, err := j.Flush(ctx); err != nil {
						t.Fatal(err)
					}
					if err := change(path); err != nil {
						t.Fatal(err)
					}
				}
			}
			_, err := j.Flush(ctx)
			wantStop(t, err, path)
			wantStop(t, j.Write(ctx, nil), path)
			if err := j.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestResumeOfAnotherFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jsonl")
	if err := os.WriteFile(path, []byte("{\"some\":\"other file\"}\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	err := (&JSONL{Path: path}).Open(ctx, run("book"), []byte(`{"sink":"jsonl","files":{"a.jsonl":10}}`))
	wantStop(t, err, path, "not the file", "byte 10")
	for _, key := range []string{"../a.jsonl", "/etc/passwd", ""} {
		err := (&JSONL{Path: path}).Open(ctx, run("book"), fmt.Appendf(nil, `{"sink":"jsonl","files":{%q:1}}`, key))
		if !errors.Is(err, crawler.ErrForeignState) {
			t.Errorf("position with %q: %v", key, err)
		}
	}
}

func TestDamageIsNamed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.jsonl")
	position := []byte(`{"sink":"jsonl","files":{"a.jsonl":22}}`)
	wantStop(t, (&JSONL{Path: path}).Open(ctx, run("book"), position), path, "is missing", "22 bytes", "--fresh")
	if _, err := os.Stat(path); err == nil {
		t.Error("the missing file was made")
	}
	if err := os.WriteFile(path, []byte("short\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	wantStop(t, (&JSONL{Path: path}).Open(ctx, run("book"), position), path, "has 6 bytes", "committed 22", "--fresh")
}

// The file of a type that was not announced loses what an earlier run left in
// it when the first record comes, and keeps what this run committed.
func TestUnannouncedTypes(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "surprise.jsonl")
	if err := os.WriteFile(path, []byte(strings.Repeat("{\"old\":1}\n", 100)), 0o644); err != nil {
		t.Fatal(err)
	}
	j := &JSONL{Path: filepath.Join(folder, "{type}.jsonl")}
	var position []byte
	for i := range 2 {
		if err := j.Open(ctx, run("book"), position); err != nil {
			t.Fatal(err)
		}
		err := j.Write(ctx, []crawler.Record{record("surprise", i)})
		if err == nil {
			position, err = j.Flush(ctx)
		}
		if err := errors.Join(err, j.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if got := content(t, path); strings.Count(got, "\n") != 2 || strings.Contains(got, "old") {
		t.Errorf("got %q", got)
	}
}

// A folder that was moved with its state goes on where it was.
func TestMovedFolder(t *testing.T) {
	base := t.TempDir()
	j := &JSONL{Path: filepath.Join(base, "old", "{type}.jsonl")}
	if err := j.Open(ctx, run("book"), nil); err != nil {
		t.Fatal(err)
	}
	if err := j.Write(ctx, []crawler.Record{record("book", 1), record("surprise", 1)}); err != nil {
		t.Fatal(err)
	}
	position, err := j.Flush(ctx)
	if err := errors.Join(err, j.Close(), os.Rename(filepath.Join(base, "old"), filepath.Join(base, "new"))); err != nil {
		t.Fatal(err)
	}
	j.Path = filepath.Join(base, "new", "{type}.jsonl")
	if err := j.Open(ctx, run("book"), position); err != nil {
		t.Fatal(err)
	}
	if err := j.Write(ctx, []crawler.Record{record("book", 2), record("surprise", 2)}); err != nil {
		t.Fatal(err)
	}
	_, err = j.Flush(ctx)
	if err := errors.Join(err, j.Close()); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"book", "surprise"} {
		if n := strings.Count(content(t, filepath.Join(base, "new", name+".jsonl")), "\n"); n != 2 {
			t.Errorf("%s has %d records", name, n)
		}
	}
}

// A huge record does not keep its memory.
func TestHugeRecordIsLetGo(t *testing.T) {
	j := &JSONL{Path: filepath.Join(t.TempDir(), "a.jsonl")}
	if err := j.Open(ctx, run("book"), nil); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = j.Close() }()
	huge := crawler.Record{Type: "book", Fields: []crawler.Field{{Name: "n", Value: strings.Repeat("x", 64*bufferSize)}}}
	if err := j.Write(ctx, []crawler.Record{huge, record("book", 2)}); err != nil {
		t.Fatal(err)
	}
	for _, f := range j.files.byKey {
		if cap(f.buf) > 4*bufferSize {
			t.Errorf("%d bytes are kept", cap(f.buf))
		}
	}
}

// A device that cannot be cut back takes records, and tells when it is full.
func TestFullDevice(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full here")
	}
	j := &JSONL{Path: "/dev/full"}
	if err := j.Open(ctx, run("book"), nil); err != nil {
		t.Fatal(err)
	}
	if err := j.Write(ctx, []crawler.Record{record("book", 1)}); err != nil {
		t.Fatal(err)
	}
	_, err := j.Flush(ctx)
	wantStop(t, err, "/dev/full", "no space left", "make room")
	if err := j.Close(); err != nil {
		t.Error(err)
	}
}

// Types whose names some file system takes for one have a file each, under
// names that it tells apart, and keep them when the run is resumed.
func TestTypesThatLookAlike(t *testing.T) {
	folder := t.TempDir()
	types := []string{"Book", "book", "BOOK", "caf\u00e9", "cafe\u0301", "straße", "STRASSE", "ﬁlm", "film"}
	write := func(position []byte, announced []string, order []string) []byte {
		j := &JSONL{Path: filepath.Join(folder, "{type}.jsonl")}
		if err := j.Open(ctx, run(announced...), position); err != nil {
			t.Fatal(err)
		}
		for _, name := range order {
			if err := j.Write(ctx, []crawler.Record{record(name, 1)}); err != nil {
				t.Fatal(err)
			}
		}
		position, err := j.Flush(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		return position
	}
	position := write(nil, types[:2], types)
	backwards := slices.Clone(types)
	slices.Reverse(backwards)
	write(position, types[:2], backwards)

	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, e := range entries {
		if other := seen[fold(e.Name())]; other != "" {
			t.Errorf("%s and %s are one file on some systems", e.Name(), other)
		}
		seen[fold(e.Name())] = e.Name()
		if got := content(t, filepath.Join(folder, e.Name())); strings.Count(got, "\n") != 2 {
			t.Errorf("%s: %q", e.Name(), got)
		}
	}
	if len(entries) != len(types) {
		t.Errorf("%d files for %d types", len(entries), len(types))
	}
}
