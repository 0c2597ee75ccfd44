package sinktest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// Subject is a sink under test.
type Subject struct {
	// New makes a sink, not yet open, that writes below the folder.
	New func(folder string) crawler.Sink
	// Read gives all that a reader finds below the folder.
	Read func(folder string) ([]Row, error)
	// Replaces tells, for RunReceiver, that a fresh run takes away what an earlier one
	// has handed on.
	Replaces bool
	// Whole tells of files that come into being with all their content: a crash
	// leaves them so, or not at all. nil: there are none.
	Whole func(path string) bool
	// Abandon, for RunTables, leaves the folder as a process that holds the sink
	// would by dying at this moment. nil: there is nothing to do for it.
	Abandon func(t interface{ Fatalf(string, ...any) }, sink crawler.Sink, folder string)
}

// Row is a record of the suite as a reader sees it.
type Row struct {
	Type, Key, Text string
	Number          int64
}

// Scan appends the rows of a table, whose columns are selected in the order of Row, and
// closes them.
func Scan(all []Row, rows *sql.Rows) ([]Row, error) {
	defer rows.Close()
	for rows.Next() {
		var r Row
		if err := rows.Scan(&r.Type, &r.Key, &r.Text, &r.Number); err != nil {
			return nil, err
		}
		all = append(all, r)
	}
	return all, rows.Err()
}

// types are announced to the sink; each record has the fields text and number.
var types = []string{"book", "page", "quote"}

// Run tests the sink.
func Run(t *testing.T, s Subject) {
	t.Run("fresh run replaces", s.freshReplaces)
	t.Run("resumed run appends", s.resumeAppends)
	t.Run("uncommitted records are cut", s.uncommittedCut)
	t.Run("closing without flush leaves what was flushed", s.closeDrops)
	t.Run("missing file stops the run", s.missingStops)
	t.Run("short file stops the run", s.shortStops)
	t.Run("foreign position is refused", s.foreignPosition)
	t.Run("closed sink refuses", s.closedRefuses)
	t.Run("crashes", s.crashes)
}

func runInfo(folder string) crawler.RunInfo {
	info := crawler.RunInfo{
		Crawl:   "suite",
		ID:      "run-1",
		Started: time.Date(2024, 2, 29, 23, 30, 0, 0, time.UTC),
		Folder:  filepath.Join(folder, ".outbox"),
	}
	for _, name := range types {
		info.Types = append(info.Types, crawler.RecordType{Name: name, Fields: []string{"text", "number"}})
	}
	return info
}

func (r Row) record() crawler.Record {
	return crawler.Record{
		Type:      r.Type,
		Fields:    []crawler.Field{{Name: "text", Value: r.Text}, {Name: "number", Value: r.Number}},
		URL:       "https://books.example/" + r.Key,
		Requested: "https://books.example/" + r.Key,
		FetchedAt: time.Date(2024, 3, 1, 0, 0, 1, 0, time.UTC),
		Run:       "run-1",
		Key:       r.Key,
	}
}

// rows makes n rows, spread over the types, whose keys begin with prefix.
func rows(prefix string, n int) []Row {
	out := make([]Row, n)
	for i := range out {
		out[i] = Row{
			Type:   types[i%len(types)],
			Key:    fmt.Sprintf("%s%d", prefix, i),
			Text:   fmt.Sprintf("%s, \"%d\"\nüñ <b>", prefix, i),
			Number: int64(i),
		}
	}
	return out
}

type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func open(t fataler, s Subject, folder string, position []byte) crawler.Sink {
	t.Helper()
	sink := s.New(folder)
	if err := sink.Open(context.Background(), runInfo(folder), position); err != nil {
		t.Fatalf("Open: %v", err)
	}
	return sink
}

// deliver does what the engine does after a commit.
func deliver(t fataler, sink crawler.Sink) {
	t.Helper()
	if d, ok := sink.(crawler.Deliverer); ok {
		if err := d.Deliver(context.Background()); err != nil {
			t.Fatalf("Deliver: %v", err)
		}
	}
}

// settle does what the engine does at the end of a process, and returns the position
// that is committed then.
func settle(t fataler, sink crawler.Sink) (position []byte) {
	t.Helper()
	d, ok := sink.(crawler.Deliverer)
	if !ok {
		return flush(t, sink)
	}
	d.Seal()
	for range 2 {
		position = flush(t, sink)
		deliver(t, sink)
	}
	return position
}

func write(t fataler, sink crawler.Sink, rows []Row) {
	t.Helper()
	records := make([]crawler.Record, len(rows))
	for i, r := range rows {
		records[i] = r.record()
	}
	if err := sink.Write(context.Background(), records); err != nil {
		t.Fatalf("Write: %v", err)
	}
}

func flush(t fataler, sink crawler.Sink) []byte {
	t.Helper()
	position, err := sink.Flush(context.Background())
	if err != nil {
		t.Fatalf("Flush: %v", err)
	}
	return position
}

func closeSink(t fataler, sink crawler.Sink) {
	t.Helper()
	if err := sink.Close(); err != nil {
		t.Fatalf("Close: %v", err)
	}
}

// holds compares what a reader finds with what was committed, as multisets.
func (s Subject) holds(t fataler, folder string, want []Row) {
	t.Helper()
	got, err := s.Read(folder)
	if err != nil {
		t.Fatalf("reading: %v", err)
	}
	want = slices.Clone(want)
	order := func(a, b Row) int {
		return strings.Compare(a.Type+"\x00"+a.Key+"\x00"+a.Text, b.Type+"\x00"+b.Key+"\x00"+b.Text)
	}
	slices.SortFunc(got, order)
	slices.SortFunc(want, order)
	if slices.Equal(got, want) {
		return
	}
	for i := range max(len(got), len(want)) {
		var g, w string
		if i < len(got) {
			g = clip(got[i])
		}
		if i < len(want) {
			w = clip(want[i])
		}
		if g != w || i >= len(got) || i >= len(want) || got[i] != want[i] {
			t.Fatalf("%d records where %d were committed; first difference:\n got %s\nwant %s", len(got), len(want), g, w)
		}
	}
}

func clip(r Row) string {
	if len(r.Text) > 60 {
		r.Text = fmt.Sprintf("%s... (%d bytes)", r.Text[:60], len(r.Text))
	}
	return fmt.Sprintf("%+v", r)
}

func (s Subject) freshReplaces(t *testing.T) {
	folder := t.TempDir()
	first := open(t, s, folder, nil)
	write(t, first, rows("old", 10))
	settle(t, first)
	closeSink(t, first)

	second := open(t, s, folder, nil)
	flush(t, second)
	s.holds(t, folder, nil)
	write(t, second, rows("new", 4))
	settle(t, second)
	closeSink(t, second)
	s.holds(t, folder, rows("new", 4))
	if len(second.Places()) == 0 {
		t.Fatalf("Places is empty after the run")
	}
}

func (s Subject) resumeAppends(t *testing.T) {
	folder := t.TempDir()
	sink := open(t, s, folder, nil)
	write(t, sink, rows("a", 5))
	position := flush(t, sink)
	closeSink(t, sink)

	sink = open(t, s, folder, position)
	write(t, sink, rows("b", 7))
	position = flush(t, sink)
	closeSink(t, sink)

	sink = open(t, s, folder, position)
	settle(t, sink)
	closeSink(t, sink)
	s.holds(t, folder, append(rows("a", 5), rows("b", 7)...))
}

func (s Subject) uncommittedCut(t *testing.T) {
	folder := t.TempDir()
	sink := open(t, s, folder, nil)
	write(t, sink, rows("a", 5))
	committed := flush(t, sink)
	write(t, sink, rows("lost", 5))
	flush(t, sink)
	closeSink(t, sink)

	sink = open(t, s, folder, committed)
	settle(t, sink)
	closeSink(t, sink)
	s.holds(t, folder, rows("a", 5))
}

func (s Subject) closeDrops(t *testing.T) {
	folder := t.TempDir()
	sink := open(t, s, folder, nil)
	write(t, sink, rows("a", 5))
	position := flush(t, sink)
	big := rows("lost", 9)
	for i := range big {
		big[i].Text = strings.Repeat("x", 100_000)
	}
	write(t, sink, big)
	closeSink(t, sink)
	if _, ok := sink.(crawler.Deliverer); ok { // there is nothing to be seen before
		sink = open(t, s, folder, position)
		settle(t, sink)
		closeSink(t, sink)
	}
	s.holds(t, folder, rows("a", 5))
}

func (s Subject) missingStops(t *testing.T) {
	s.damaged(t, func(path string) error { return os.Remove(path) })
}

func (s Subject) shortStops(t *testing.T) {
	s.damaged(t, func(path string) error {
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		return os.Truncate(path, info.Size()-1)
	})
}

// damaged expects that each damaged file is refused by an error naming it, and
// that the refusal changes nothing.
func (s Subject) damaged(t *testing.T, damage func(path string) error) {
	folder := t.TempDir()
	sink := open(t, s, folder, nil)
	write(t, sink, rows("a", 9))
	position := settle(t, sink)
	places := sink.Places()
	closeSink(t, sink)
	whole := snapshot(t, folder)

	for _, path := range places {
		if err := damage(path); err != nil {
			t.Fatal(err)
		}
		before := snapshot(t, folder)
		sink := s.New(folder)
		err := sink.Open(context.Background(), runInfo(folder), position)
		_ = sink.Close()
		if !errors.Is(err, crawler.ErrStop) || !strings.Contains(err.Error(), path) {
			t.Fatalf("Open with %s damaged: %v; want an ErrStop that names it", path, err)
		}
		if after := snapshot(t, folder); !equalFiles(before, after) {
			t.Fatalf("refusing %s changed files", path)
		}
		restore(t, folder, whole)
	}
	sink = open(t, s, folder, position)
	closeSink(t, sink)
	s.holds(t, folder, rows("a", 9))
}

func (s Subject) foreignPosition(t *testing.T) {
	folder := t.TempDir()
	for _, position := range []string{"\x00", "{}", `{"sink":"other","files":{}}`, "[1,2]"} {
		sink := s.New(folder)
		err := sink.Open(context.Background(), runInfo(folder), []byte(position))
		_ = sink.Close()
		if !errors.Is(err, crawler.ErrForeignState) {
			t.Errorf("Open with position %q: %v, want ErrForeignState", position, err)
		}
	}
	if files := snapshot(t, folder); len(files) > 0 {
		t.Errorf("a refused position left %d files", len(files))
	}
}

func (s Subject) closedRefuses(t *testing.T) {
	folder := t.TempDir()
	unopened := s.New(folder)
	if err := unopened.Write(context.Background(), nil); err == nil {
		t.Errorf("Write before Open succeeds")
	}
	if err := unopened.Close(); err != nil {
		t.Errorf("Close before Open: %v", err)
	}
	sink := open(t, s, folder, nil)
	if err := sink.Open(context.Background(), runInfo(folder), nil); err == nil {
		t.Errorf("Open of an open sink succeeds")
	}
	closeSink(t, sink)
	closeSink(t, sink)
	if err := sink.Write(context.Background(), []crawler.Record{rows("a", 1)[0].record()}); err == nil {
		t.Errorf("Write after Close succeeds")
	}
	if _, err := sink.Flush(context.Background()); err == nil {
		t.Errorf("Flush after Close succeeds")
	}
}

// snapshot reads every file below the folder, by path.
func snapshot(t fataler, folder string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(folder, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[path], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatalf("reading %s: %v", folder, err)
	}
	return files
}

// restore makes the folder hold exactly these files.
func restore(t fataler, folder string, files map[string][]byte) {
	t.Helper()
	for path := range snapshot(t, folder) {
		if _, keep := files[path]; !keep {
			if err := os.Remove(path); err != nil {
				t.Fatalf("%v", err)
			}
		}
	}
	for path, content := range files {
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatalf("%v", err)
		}
	}
}

func equalFiles(a, b map[string][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for path := range a {
		other, ok := b[path]
		if !ok || string(other) != string(a[path]) {
			return false
		}
	}
	return true
}
