package sinktest

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

// RunTables tests a sink that writes to the tables of a database: all that Run
// asks for but what concerns the files. A folder stands for a database.
func RunTables(t *testing.T, s Subject) {
	t.Run("fresh run replaces", s.freshReplaces)
	t.Run("resumed run appends", s.resumeAppends)
	t.Run("uncommitted records are taken back", s.uncommittedCut)
	t.Run("closing without flush leaves what was flushed", s.closeDrops)
	t.Run("foreign position is refused", s.foreignPosition)
	t.Run("closed sink refuses", s.closedRefuses)
	t.Run("processes that die", s.abandoned)
}

// RunReceiver tests a sink that hands records on to where nothing is taken back: all that Run asks for but what concerns files. A folder stands for a
// receiver.
func RunReceiver(t *testing.T, s Subject) {
	if s.Replaces {
		t.Run("fresh run replaces", s.freshReplaces)
	}
	t.Run("resumed run appends", s.resumeAppends)
	t.Run("uncommitted records are not handed on", s.uncommittedCut)
	t.Run("closing without flush leaves what was flushed", s.closeDrops)
	t.Run("foreign position is refused", s.foreignPosition)
	t.Run("closed sink refuses", s.closedRefuses)
	t.Run("processes that die", s.abandoned)
}

// abandoned drives a sink through random writes, flushes and commits. A process
// that dies leaves its sink as it is, and the next one opens another.
func (s Subject) abandoned(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		folder := t.TempDir()
		var left []crawler.Sink
		defer func() {
			for _, sink := range left {
				_ = sink.Close()
			}
		}()
		sink := open(rt, s, folder, nil)
		stands := flush(rt, sink)
		var written, flushed, committed []Row
		position := stands
		serial := 0
		rt.Repeat(map[string]func(*rapid.T){
			"write": func(rt *rapid.T) {
				batch := make([]Row, rapid.IntRange(1, 5).Draw(rt, "records"))
				for i := range batch {
					serial++
					batch[i] = Row{
						Type:   rapid.SampledFrom(types).Draw(rt, "type"),
						Key:    fmt.Sprintf("k%d", serial),
						Text:   rapid.StringMatching(`[a-z ,"'=\n;\p{Greek}]{0,20}`).Draw(rt, "text"),
						Number: rapid.Int64().Draw(rt, "number"),
					}
				}
				write(rt, sink, batch)
				written = append(written, batch...)
			},
			"flush": func(rt *rapid.T) {
				position, flushed = flush(rt, sink), slices.Clone(written)
			},
			"commit": func(rt *rapid.T) {
				stands, committed = position, flushed
				if _, ok := sink.(crawler.Deliverer); ok && rapid.Bool().Draw(rt, "goes on") {
					deliver(rt, sink)
				}
			},
			"die": func(rt *rapid.T) {
				if s.Abandon != nil {
					s.Abandon(rt, sink, folder)
				}
				left = append(left, sink)
				sink = open(rt, s, folder, stands)
				written, flushed, position = slices.Clone(committed), committed, stands
			},
		})
		position = settle(rt, sink)
		closeSink(rt, sink)
		sink = open(rt, s, folder, position)
		closeSink(rt, sink)
		s.holds(rt, folder, written)
	})
}

// Mixed are records whose values are of every type, and of another in the next
// record, with the names that databases find hard.
func Mixed() []crawler.Record {
	fields := [][]crawler.Field{
		{{Name: "a", Value: nil}, {Name: "Price", Value: int64(3)}, {Name: "select", Value: true}, {Name: `q"uote`, Value: "x"}},
		{{Name: "a", Value: "text\x00nul"}, {Name: "price", Value: 2.5}, {Name: "select", Value: "neither"}, {Name: "späte", Value: []any{int64(1), "b"}}},
		{{Name: "a", Value: []crawler.Field{{Name: "deep", Value: 1.5}}}, {Name: "PRICE", Value: int64(1)}, {Name: "price", Value: "second"}},
		{{Name: "_batch", Value: "mine"}, {Name: strings.Repeat("long", 40), Value: "l"}, {Name: "", Value: "nameless"}, {Name: "_url", Value: "taken"}},
	}
	records := make([]crawler.Record, len(fields))
	for i := range records {
		r := Row{Type: "book", Key: fmt.Sprintf("m%d", i)}.record()
		r.Fields = fields[i]
		records[i] = r
	}
	return records
}
