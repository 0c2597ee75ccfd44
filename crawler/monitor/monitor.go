package monitor

import (
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

const (
	examplesPerClass = 3
	maxClasses       = 64
	maxFields        = 64
)

// Monitor counts what a run does. Its methods are safe for concurrent use.
type Monitor struct {
	now     func() time.Time
	started time.Time
	hide    func(string) string // takes secrets out
	boarded bool                // it is on a Board

	inFlight atomic.Int64
	short    atomic.Int64 // pages that wait for memory
	hosts    *Hosts

	mu       sync.Mutex
	totals   crawler.Totals
	frontier crawler.FrontierStats
	rate     meter
	examples map[crawler.Class][]Example
	fields   map[string]*FieldTrouble
	counts   Counts
	latest   map[string][]Preview
	sources  Sources
}

// Example is one URL that ended in a class, and why.
type Example struct {
	URL    string `json:"url"`
	Status int    `json:"status,omitempty"`
	Detail string `json:"detail"`
}

// FieldTrouble counts the values of one field that were not as asked.
type FieldTrouble struct {
	Field   string // "type.field"
	Count   int64
	Example string
}

// Snapshot is what is known at one moment.
type Snapshot struct {
	Elapsed  time.Duration
	Totals   crawler.Totals
	Frontier crawler.FrontierStats
	InFlight int64
	Short    int64 // pages in flight that wait for memory
	// Rate is pages a second over the last ten seconds, those among them that were not
	// fetched again as they had not changed.
	Rate float64
	// NextDue is how long until the next waiting host or retry may leave, 0
	// when something may leave now or nothing waits.
	NextDue time.Duration
}

// New makes a monitor that reads the time from now.
func New(now func() time.Time) *Monitor {
	return &Monitor{
		now: now, started: now(), hide: func(text string) string { return text },
		examples: make(map[crawler.Class][]Example),
		fields:   make(map[string]*FieldTrouble),
		counts:   Counts{Outcomes: make(map[crawler.Class]int64)},
		latest:   make(map[string][]Preview),
	}
}

// Observer gives the functions to hand to the engine.
func (m *Monitor) Observer() crawler.Observer {
	return crawler.Observer{
		Leased:     func(*crawler.Request) { m.inFlight.Add(1) },
		Unsent:     func(*crawler.Request) { m.inFlight.Add(-1) },
		Exchanged:  m.exchanged,
		Settled:    m.settled,
		FieldError: m.fieldError,
		Committed:  m.commit,
		Short:      func(waits bool) { m.short.Add(map[bool]int64{true: 1, false: -1}[waits]) },
	}
}

func (m *Monitor) exchanged(x crawler.Exchange) {
	if !x.Robots {
		m.inFlight.Add(-1)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts.Requests++
	m.counts.Bytes += x.Bytes
}

func (m *Monitor) settled(r *crawler.Request, o crawler.Outcome, records int) {
	final := o.Disposition == crawler.Done
	if final {
		m.mu.Lock()
		m.counts.settle(o.Class, int64(records))
		m.mu.Unlock()
	}
	// A redirect says where it leads; it is worth showing when that was nowhere.
	told := o.Class.Failed() || o.Class == crawler.ClassDisallowed ||
		o.Class == crawler.ClassRedirected && strings.Contains(o.Detail, "out of scope")
	if !final || !told {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	kept := m.examples[o.Class]
	if len(kept) >= examplesPerClass || (kept == nil && len(m.examples) >= maxClasses) {
		return
	}
	where := r.URL.Redacted()
	if r.Kind == crawler.KindFault {
		where = "" // the detail says which row it is
	}
	m.examples[o.Class] = append(kept, Example{URL: m.hide(where), Status: o.Status, Detail: m.hide(o.Detail)})
}

func (m *Monitor) fieldError(e crawler.RecordError) {
	m.mu.Lock()
	defer m.mu.Unlock()
	name := e.Place()
	f := m.fields[name]
	if f == nil {
		if len(m.fields) >= maxFields {
			return
		}
		f = &FieldTrouble{Field: name, Example: e.Error()}
		m.fields[name] = f
	}
	f.Count++
}

func (m *Monitor) commit(t crawler.Totals, f crawler.FrontierStats) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.totals, m.frontier = t, f
	m.rate.add(m.now(), t.Pages+t.NotFetched)
}

// Snapshot reads the figures.
func (m *Monitor) Snapshot() Snapshot {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.now()
	s := Snapshot{
		Elapsed: now.Sub(m.started), Totals: m.totals.Clone(), Frontier: m.frontier,
		InFlight: max(0, m.inFlight.Load()), Short: m.short.Load(), Rate: m.rate.perSecond(now),
	}
	if m.frontier.NextDueUnix > 0 {
		s.NextDue = max(0, time.Unix(0, m.frontier.NextDueUnix).Sub(now))
	}
	return s
}

// Examples gives up to three URLs of each class that gave no page.
func (m *Monitor) Examples() map[crawler.Class][]Example {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.examples)
}

// Fields lists the fields whose values were not as asked.
func (m *Monitor) Fields() []FieldTrouble {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := make([]FieldTrouble, 0, len(m.fields))
	for _, f := range m.fields {
		all = append(all, *f)
	}
	return all
}
