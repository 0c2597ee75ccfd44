package monitor

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// Board holds the monitors of the crawls that run in one process, and what they
// have counted by the time they end. Its methods are safe for concurrent use.
type Board struct {
	now func() time.Time

	mu    sync.Mutex
	live  map[string]*Monitor
	ended map[string]Counts // of runs that have ended, by crawl
}

// NewBoard makes a board whose monitors read the time from now.
func NewBoard(now func() time.Time) *Board {
	return &Board{now: now, live: map[string]*Monitor{}, ended: map[string]Counts{}}
}

// Begin gives the monitor of a run that begins; hide takes out of what it quotes what
// nobody is to read. The other result is to be called when the run has ended.
func (b *Board) Begin(crawl string, hide func(string) string) (m *Monitor, end func()) {
	m = New(b.now)
	m.hide, m.boarded, m.hosts = hide, true, NewHosts()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.live[crawl] = m
	if _, known := b.ended[crawl]; !known {
		b.ended[crawl] = Counts{Outcomes: map[crawler.Class]int64{}}
	}
	return m, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		if total, known := b.ended[crawl]; known {
			total.add(m.Counts())
			b.ended[crawl] = total
		}
		if b.live[crawl] == m {
			delete(b.live, crawl)
		}
	}
}

// Live is the monitor of a crawl's run, nil when none goes on.
func (b *Board) Live(crawl string) *Monitor {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.live[crawl]
}

// Keep forgets the counts of all crawls but these, so that crawls that come and go
// do not add up.
func (b *Board) Keep(crawls []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.ended, func(name string, _ Counts) bool { return b.live[name] == nil && !slices.Contains(crawls, name) })
}

// Counts gives what each crawl has done in this process.
func (b *Board) Counts() map[string]Counts {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make(map[string]Counts, len(b.ended))
	for name, total := range b.ended {
		total = total.clone()
		if m := b.live[name]; m != nil {
			total.add(m.Counts())
		}
		all[name] = total
	}
	return all
}
