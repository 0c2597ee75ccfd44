package sink

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink/sinktest"
)

// What a sink promises holds for one that makes its files on demand.
func TestOnDemandKeepsThePromises(t *testing.T) {
	sinktest.Run(t, sinktest.Subject{
		New: func(folder string) crawler.Sink {
			return &JSONL{Path: filepath.Join(folder, "out", "{type}.jsonl"), onDemand: true}
		},
		Read: readJSONL,
	})
}

func TestOnDemand(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "out", "rejects.jsonl")
	run := crawler.RunInfo{ID: "r", Types: []crawler.RecordType{{Name: "book"}, {Name: "page"}}}
	open := func(position []byte) *JSONL {
		j := &JSONL{Path: path}
		j.OnDemand()
		if err := j.Open(t.Context(), run, position); err != nil {
			t.Fatal(err)
		}
		return j
	}
	nothing := open(nil)
	position, err := nothing.Flush(t.Context())
	if err != nil || nothing.Close() != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Dir(path)); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("a run without a record made its folder: %v", err)
	}

	// A process that died left a record that was not committed.
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("{\"left\":1}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	again := open(position)
	if err := again.Write(t.Context(), []crawler.Record{{Type: "page", Key: "k"}}); err != nil {
		t.Fatal(err)
	}
	if _, err := again.Flush(t.Context()); err != nil || again.Close() != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || len(text) == 0 || string(text[:9]) != `{"_type":` {
		t.Fatalf("the file holds %q, %v", text, err)
	}
}
