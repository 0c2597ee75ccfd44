package sink

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// FuzzPosition holds that a position, whatever it says, names files below the
// folder of its sink, with sizes that can be.
func FuzzPosition(f *testing.F) {
	for _, s := range []string{
		`{"sink":"jsonl","files":{"a.jsonl":10,"-":0}}`, `{"sink":"jsonl","files":{"../a":1}}`, `{"sink":"jsonl","files":{"/etc/passwd":0}}`, `{"sink":"csv"}`,
		`{"sink":"jsonl","files":{"a":-1}}`, `{"sink":"jsonl","files":{"a":1e400}}`, `{"sink":"jsonl","files":{"C:\\x":0,"a/../../b":0}}`, `[]`, `{"sink":"jsonl","more":1}`, "{",
	} {
		f.Add([]byte(s))
	}
	s := &files{format: "jsonl", path: "/out/{type}.jsonl"}
	f.Fuzz(func(t *testing.T, committed []byte) {
		sizes, err := s.decode(committed)
		if err != nil {
			return
		}
		for key, size := range sizes {
			if size < 0 || key != stdoutPath && !filepath.IsLocal(filepath.FromSlash(key)) {
				t.Errorf("%q names %q with %d bytes", committed, key, size)
			}
		}
	})
}

// FuzzHeader reads the first line of a file that may be any file: columns that
// are written as they were read, or an error.
func FuzzHeader(f *testing.F) {
	f.Add((&header{columns: []string{"a", "b c", "\"", "x,y"}}).appendTo(nil))
	f.Add([]byte("_type,_url,_requested,_fetched_at,_run,_key,_usage,_extra\r\n"))
	f.Add([]byte("a,a,_type,_url,_requested,_fetched_at,_run,_key,_usage,_extra\n1"))
	f.Add([]byte("\"a\n"))
	f.Add([]byte("\ufeffa,_type"))
	path := filepath.Join(f.TempDir(), "a.csv")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		handle, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = handle.Close() }()
		h, err := readHeader(&file{path: path, handle: handle, written: int64(len(data))})
		if err != nil {
			return
		}
		again := h.appendTo(nil)
		if err := os.WriteFile(path, again, 0o600); err != nil {
			t.Fatal(err)
		}
		second, err := readHeader(&file{path: path, handle: handle, written: int64(len(again))})
		if err != nil || !slices.Equal(h.columns, second.columns) {
			t.Errorf("%q is read back as %+v (%v)", h.columns, second, err)
		}
	})
}

// FuzzName holds that no record type and no run leads out of its folder or to a
// name that a system keeps for itself.
func FuzzName(f *testing.F) {
	for _, s := range []string{"book", "..", "a/../..", `..\x`, "CON", "com1.x", "\x00", "x.", "x ", "\u202e", "ﬁ", "Book", "bооk", "e\u0301", "a:b", "\xff", "{run}", "lpt¹", "~", "-"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		path := expand("/out/{type}.jsonl", crawler.RunInfo{ID: name}, cleanName(name))
		base := filepath.Base(filepath.Clean(path))
		if filepath.Dir(filepath.Clean(path)) != "/out" || base[0] == '.' || len(base) > 255 || reserved(base) || !filepath.IsLocal(base) {
			t.Errorf("%q leads to %q", name, path)
		}
	})
}
