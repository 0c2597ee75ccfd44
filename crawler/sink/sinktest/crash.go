package sinktest

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

// crashes drives a sink through random writes, flushes, commits and crashes. A
// crash keeps of each file what was durable, and of the rest any number of
// bytes, with or without rubbish behind them, as a file system may leave it.
func (s Subject) crashes(t *testing.T) {
	base := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		folder, err := os.MkdirTemp(base, "case")
		if err != nil {
			t.Fatalf("%v", err)
		}
		defer func() { _ = os.RemoveAll(folder) }()
		m := &machine{subject: s, folder: folder}
		m.sink = open(t, s, folder, nil)
		t.Repeat(map[string]func(*rapid.T){
			"write":  m.write,
			"flush":  m.flush,
			"commit": m.commit,
			"crash":  m.crash,
			"":       func(*rapid.T) {},
		})
		m.flush(t)
		m.commit(t)
		settle(t, m.sink)
		closeSink(t, m.sink)
		s.holds(t, folder, m.committed)
	})
}

// machine is the engine's view of one run: what it wrote, what is flushed, what
// is committed.
type machine struct {
	subject Subject
	folder  string
	sink    crawler.Sink
	serial  int

	written   []Row
	flushed   []Row
	committed []Row

	position []byte         // of the last flush since opening, nil without one
	stands   []byte         // the committed position
	durable  map[string]int // least bytes of each file that a crash leaves
	kept     map[string]int // durable, as of the commit
}

func (m *machine) write(t *rapid.T) {
	n := rapid.IntRange(1, 6).Draw(t, "records")
	batch := make([]Row, n)
	for i := range batch {
		m.serial++
		text := rapid.StringMatching(`[a-z ,"=\n;\p{Greek}]{0,20}`).Draw(t, "text")
		if rapid.IntRange(0, 9).Draw(t, "long") == 0 {
			text += strings.Repeat("long ", 15_000) // more than a sink's buffer
		}
		batch[i] = Row{
			Type:   rapid.SampledFrom(types).Draw(t, "type"),
			Key:    fmt.Sprintf("k%d", m.serial),
			Text:   text,
			Number: rapid.Int64().Draw(t, "number"),
		}
	}
	write(t, m.sink, batch)
	m.written = append(m.written, batch...)
}

func (m *machine) flush(t *rapid.T) {
	m.position = flush(t, m.sink)
	m.flushed = slices.Clone(m.written)
	m.durable = sizes(t, m.folder)
}

func (m *machine) commit(t *rapid.T) {
	if m.position == nil {
		return
	}
	m.stands, m.committed, m.kept = m.position, m.flushed, m.durable
	if rapid.Bool().Draw(t, "goes on") { // or dies here
		deliver(t, m.sink)
	}
}

func (m *machine) crash(t *rapid.T) {
	found := snapshot(t, m.folder)
	_ = m.sink.Close()
	left := map[string][]byte{}
	for _, path := range slices.Sorted(maps.Keys(found)) {
		content := found[path]
		least := m.durable[path]
		if _, durable := m.durable[path]; !durable && rapid.Bool().Draw(t, "vanishes") {
			continue
		}
		if whole := m.subject.Whole; whole != nil && whole(path) {
			left[path] = content
			continue
		}
		content = content[:rapid.IntRange(least, len(content)).Draw(t, "left of "+filepath.Base(path))]
		if rapid.Bool().Draw(t, "rubbish") {
			content = append(content, rapid.SliceOfN(rapid.Byte(), 1, 40).Draw(t, "rubbish bytes")...)
		}
		left[path] = content
	}
	restore(t, m.folder, left)
	m.sink = open(t, m.subject, m.folder, m.stands)
	m.written, m.flushed = slices.Clone(m.committed), slices.Clone(m.committed)
	m.position, m.durable = nil, m.kept
}

func sizes(t fataler, folder string) map[string]int {
	out := map[string]int{}
	for path, content := range snapshot(t, folder) {
		out[path] = len(content)
	}
	return out
}
