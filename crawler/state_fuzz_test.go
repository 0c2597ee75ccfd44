package crawler_test

import (
	"errors"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// storedFrontier holds one value under every key.
type storedFrontier struct {
	crawler.Frontier
	value []byte
}

func (f storedFrontier) Get(string) ([]byte, error) { return f.value, nil }

// FuzzState reads arbitrary bytes as what a run keeps of itself: values that
// can be worked with, or an error that stops the run.
func FuzzState(f *testing.F) {
	for _, s := range []string{
		`{"id":"r1","started":"2026-03-01T10:00:00Z","finished":false,"outputs":["jsonl out"]}`, `{"requests":5,"records":{"book":2},"errors":{"dns":1}}`,
		`{"records":null,"errors":null}`, `null`, `{"started":"x"}`, `{"requests":1e99}`, `[]`, "\x00", `{"records":{"book":-1}}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		stored := storedFrontier{value: value}
		if _, ok, err := crawler.ReadRun(stored); (err != nil) == ok && value != nil || err != nil && !errors.Is(err, crawler.ErrStop) {
			t.Errorf("run %q: %v, %v", value, ok, err)
		}
		totals, err := crawler.ReadTotals(stored)
		if err != nil {
			if !errors.Is(err, crawler.ErrStop) {
				t.Errorf("totals %q: %v", value, err)
			}
			return
		}
		if totals.Records == nil || totals.Errors == nil {
			t.Errorf("totals %q cannot be counted on: %+v", value, totals)
		}
	})
}
