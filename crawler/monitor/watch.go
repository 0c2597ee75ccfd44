package monitor

import "time"

// Queue is a host of a run that goes on, and what it waits for.
type Queue struct {
	Host     string `json:"host"`
	Queued   int64  `json:"queued"`
	More     bool   `json:"more,omitempty"` // than were counted
	InFlight int    `json:"in_flight"`
	// Why is what keeps the next request to the host, empty where nothing does, and
	// ForS for how many seconds from now.
	Why  string  `json:"why,omitempty"`
	ForS float64 `json:"for_s"`
	// OwedS is the delay between two requests in seconds, OwedBy who asked for it.
	OwedS  float64 `json:"owed_s"`
	OwedBy string  `json:"owed_by,omitempty"`
}

// Fill is a record type of a run, and how often its fields have a value.
type Fill struct {
	Type     string      `json:"type"`
	Records  int64       `json:"records"`
	Rejected int64       `json:"rejected"`
	Fields   []FieldFill `json:"fields"`
}

// FieldFill is a field and in which part of the records it has a value, from 0 to 1.
type FieldFill struct {
	Name string  `json:"name"`
	Fill float64 `json:"fill"`
}

// Sources are what can be asked while a run goes on, by who watches it. They are
// called by many goroutines at once, also when the run has ended meanwhile.
type Sources struct {
	Queues func(most int, now time.Time) []Queue
	Fills  func() []Fill
}

// Attach gives a monitor what it is to ask, before the run begins.
func (m *Monitor) Attach(s Sources) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sources = s
}

func (m *Monitor) attached() Sources {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sources
}

// Queues gives the hosts with the longest queues, none where nobody can tell.
func (m *Monitor) Queues(most int) []Queue {
	if ask := m.attached().Queues; ask != nil {
		return ask(most, m.now())
	}
	return nil
}

// Fills gives the record types with the fill rates of their fields.
func (m *Monitor) Fills() []Fill {
	if ask := m.attached().Fills; ask != nil {
		return ask()
	}
	return nil
}

// Hosts is the account of hosts, nil for a monitor that is on no board.
func (m *Monitor) Hosts() *Hosts { return m.hosts }
