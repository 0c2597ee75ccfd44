package crawler_test

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// rowSink is a table: a record replaces the row of its key. What a crash took back of a
// run is deleted, and the rows that were in its place are gone.
type rowSink struct {
	rows  map[string]row
	batch int
	run   string
}

type row struct {
	word  string
	run   string
	batch int
}

func (s *rowSink) Open(_ context.Context, run crawler.RunInfo, position []byte) error {
	s.run = run.ID
	if position == nil {
		if s.batch = 0; !run.Changes {
			s.rows = map[string]row{}
		}
		return nil
	}
	var err error
	if s.batch, err = strconv.Atoi(string(position)); err != nil {
		return err
	}
	for key, r := range s.rows {
		if r.run == run.ID && r.batch > s.batch {
			delete(s.rows, key)
		}
	}
	return nil
}

func (s *rowSink) Write(_ context.Context, records []crawler.Record) error {
	for i := range records {
		if r := &records[i]; r.Deleted {
			delete(s.rows, r.Key)
		} else {
			s.rows[r.Key] = row{fmt.Sprint(r.Fields), r.Run, s.batch + 1}
		}
	}
	return nil
}

func (s *rowSink) Flush(context.Context) ([]byte, error) {
	s.batch++
	return []byte(strconv.Itoa(s.batch)), nil
}

func (s *rowSink) Places() []string { return nil }
func (s *rowSink) Close() error     { return nil }

// losingPages fails where a batch says something of known pages.
type losingPages struct{ crawler.Frontier }

func (f losingPages) Commit(ctx context.Context, b *crawler.Batch) (crawler.CommitResult, error) {
	if len(b.Known)+len(b.Forget) > 0 {
		return crawler.CommitResult{}, fmt.Errorf("killed: %w", crawler.ErrStop)
	}
	return f.Frontier.Commit(ctx, b)
}

// A row that a batch replaced comes back when the batch was taken back by a crash and
// the page gives again what it gave before.
func TestReplacedRowsComeBack(t *testing.T) {
	const page = host + "/0"
	for name, between := range map[string]func(w *web){
		"changed":   func(w *web) { w.pages[page] = "record one\nrecord other" },
		"withdrawn": func(w *web) { delete(w.pages, page) },
		"emptied":   func(w *web) { w.pages[page] = "nothing" },
	} {
		k := newKnown(t, crawler.RevisitRules{Changes: true})
		table := &rowSink{}
		k.table = table
		k.web.pages[page] = "record one\nrecord two"
		k.finish()
		before := k.web.pages[page]
		between(k.web)
		k.renew()
		k.wrap = func(f crawler.Frontier) crawler.Frontier { return losingPages{f} }
		for range 2 { // also where it dies again
			if _, err := k.run(t.Context()); err == nil {
				t.Fatal("the run did not die")
			}
		}
		k.wrap = nil
		k.web.pages[page] = before
		s := k.finish()
		var words []string
		for _, r := range table.rows {
			words = append(words, r.word)
		}
		if text := strings.Join(words, " "); len(words) != 2 || !strings.Contains(text, "one") || !strings.Contains(text, "two") {
			t.Errorf("%s: the table holds %v after %+v", name, words, s.Revisit)
		}
		k.expect(k.next(), crawler.RevisitTotals{Unchanged: 1})
		if len(table.rows) != 2 {
			t.Errorf("%s: in the end the table holds %v", name, table.rows)
		}
	}
}
