package crawler

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Totals are a run's counts. They are kept in the frontier with each batch, so
// that they survive a crash exactly as the records do.
type Totals struct {
	Requests   int64            `json:"requests"`
	Pages      int64            `json:"pages"`
	Records    map[string]int64 `json:"records"`
	Rejected   map[string]int64 `json:"rejected,omitempty"`   // records that were not written, by type
	RowErrors  int64            `json:"row_errors,omitempty"` // of Records: rows without an answer
	Failed     int64            `json:"failed"`
	Disallowed int64            `json:"disallowed"`
	OutOfScope int64            `json:"out_of_scope"`
	LinksOut   int64            `json:"links_out"`  // of OutOfScope: links, each time one was found
	Fetched    int64            `json:"fetched"`    // pages, sitemaps and redirects
	Redirected int64            `json:"redirected"` // of Fetched
	Trapped    int64            `json:"trapped"`
	Traps      []TrapCount      `json:"traps,omitempty"` // of Trapped, by pattern
	// NearDuplicates counts pages whose links were not followed.
	NearDuplicates int64           `json:"near_duplicates"`
	Retries        int64           `json:"retries"`
	FieldErrors    int64           `json:"field_errors"`
	Bytes          int64           `json:"bytes"`
	Errors         map[Class]int64 `json:"errors"`
	Busy           time.Duration   `json:"busy_ns"` // time spent by all processes of the run
	// NotFetched are pages that are as they were: unchanged or not due.
	NotFetched int64         `json:"not_fetched,omitempty"`
	Revisit    RevisitTotals `json:"revisit,omitzero"`
}

func newTotals() Totals {
	return Totals{Records: map[string]int64{}, Errors: map[Class]int64{}}
}

// Clone copies the totals with their maps.
func (t Totals) Clone() Totals {
	t.Records = maps.Clone(t.Records)
	t.Rejected = maps.Clone(t.Rejected)
	t.Errors = maps.Clone(t.Errors)
	t.Traps = slices.Clone(t.Traps)
	return t
}

// Status is how a run ended.
type Status string

// The ends of a run.
const (
	StatusFinished    Status = "finished"
	StatusInterrupted Status = "interrupted"
	StatusFailed      Status = "failed"
)

// Summary is the account of a run, as the CLI writes it.
type Summary struct {
	Name       string           `json:"name"`
	Run        string           `json:"run"`
	Status     Status           `json:"status"`
	StartedAt  time.Time        `json:"started_at"`
	DurationS  float64          `json:"duration_s"`
	Requests   int64            `json:"requests"`
	Pages      int64            `json:"pages"`
	Records    map[string]int64 `json:"records"`
	Failed     int64            `json:"failed"`
	Disallowed int64            `json:"disallowed"`
	Duplicates int64            `json:"duplicates"`
	Bytes      int64            `json:"bytes"`
	Hosts      int64            `json:"hosts"`
	Errors     map[Class]int64  `json:"errors"`

	// Discovered is the sum of Fetched, NotDue, Disallowed, OutOfScope, Failed,
	// Trapped and Pending; Account says what each counts.
	Discovered int64 `json:"discovered"`
	Fetched    int64 `json:"fetched"`
	Redirected int64 `json:"redirected"` // of Fetched
	NotDue     int64 `json:"not_due"`
	Trapped    int64 `json:"trapped"`
	// Traps are of Trapped, by pattern, those with most URLs first.
	Traps          []TrapCount `json:"traps"`
	NearDuplicates int64       `json:"near_duplicates"`

	// Unchanged are pages that were not fetched again, being as they were: by the
	// answer to a conditional request, or since they were not due.
	Unchanged int64 `json:"unchanged"`
	// Revisit tells of pages that may be known from earlier runs, nil where the crawl
	// keeps nothing of them. Writes is "all" or "changes".
	Revisit *Revisited `json:"revisit,omitempty"`

	// RowErrors are the records that only say why a row of a dataset has no other.
	RowErrors int64 `json:"row_errors"`

	// Rejected counts the records that were kept out of the outputs, by type.
	Rejected map[string]int64 `json:"rejected"`

	OutOfScope  int64    `json:"out_of_scope"`
	Retries     int64    `json:"retries"`
	FieldErrors int64    `json:"field_errors"`
	Pending     int64    `json:"pending"`
	Outputs     []string `json:"outputs"`
	// Unlisted counts the parts that are not among Outputs: of many only the first and
	// the last are.
	Unlisted int64 `json:"outputs_unlisted,omitempty"`
	Resumed  bool  `json:"resumed"`
}

// Revisited is the part of a summary that tells of pages known from earlier runs.
type Revisited struct {
	Writes string `json:"writes"`
	RevisitTotals
}

// Account is the part of the summary that adds up.
func (s *Summary) Account() Account {
	return Account{
		Discovered: s.Discovered, Fetched: s.Fetched, NotDue: s.NotDue, Disallowed: s.Disallowed,
		OutOfScope: s.OutOfScope, Failed: s.Failed, Trapped: s.Trapped, Pending: s.Pending,
	}
}

// summary is the account of the run as committed.
func (c *committer) summary(status Status) Summary {
	e := c.engine
	t := c.totals.Clone()
	for _, rt := range c.info.Types {
		if t.Records == nil {
			t.Records = map[string]int64{}
		}
		t.Records[rt.Name] += 0 // a type without a record is worth seeing
	}
	s := summarize(e.set.Name, e.run, t, e.Frontier.Stats())
	s.Status, s.DurationS, s.Resumed = status, c.busy().Seconds(), e.resumed
	for _, sink := range e.Sinks {
		if sink.Rejects && len(t.Rejected) == 0 {
			continue
		}
		s.Outputs = append(s.Outputs, sink.Sink.Places()...)
		if parts, ok := sink.Sink.(interface{ Unlisted() int64 }); ok {
			s.Unlisted += parts.Unlisted()
		}
	}
	return s
}

// FinishedSummary is the account of the finished run that a frontier holds, as its
// process gave it but for the places of its outputs and types without a record: for
// whoever was not told any more. Its error is that of [ReadTotals].
func FinishedSummary(f Frontier, name string, run RunState) (Summary, error) {
	t, err := ReadTotals(f)
	if err != nil {
		return Summary{}, err
	}
	s := summarize(name, run, t, f.Stats())
	s.Status, s.DurationS, s.Resumed = StatusFinished, t.Busy.Seconds(), true
	return s, nil
}

// summarize is what a summary has from counts.
func summarize(name string, run RunState, t Totals, stats FrontierStats) Summary {
	if t.Records == nil {
		t.Records = map[string]int64{}
	}
	if t.Rejected == nil {
		t.Rejected = map[string]int64{}
	}
	if t.Errors == nil {
		t.Errors = map[Class]int64{}
	}
	slices.SortStableFunc(t.Traps, func(a, b TrapCount) int {
		return cmp.Or(cmp.Compare(b.URLs, a.URLs), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Pattern, b.Pattern))
	})
	if t.Traps == nil {
		t.Traps = []TrapCount{} // a list in JSON, as it is with traps
	}
	account := t.Account(stats)
	if t.Errors[ClassBadRow] > 0 {
		stats.Hosts-- // that of rows that make no request
	}
	s := Summary{
		Name: name, Run: run.ID, StartedAt: run.Started,
		Requests: t.Requests, Pages: t.Pages, Records: t.Records, Failed: t.Failed,
		Disallowed: t.Disallowed, Duplicates: stats.Duplicates, Bytes: t.Bytes, Hosts: stats.Hosts,
		Errors: t.Errors, OutOfScope: t.OutOfScope, Retries: t.Retries, FieldErrors: t.FieldErrors,
		Pending: account.Pending, Discovered: account.Discovered, Fetched: t.Fetched, Redirected: t.Redirected,
		Trapped: t.Trapped, Traps: t.Traps, NearDuplicates: t.NearDuplicates, RowErrors: t.RowErrors, Rejected: t.Rejected,
		NotDue: account.NotDue, Unchanged: t.NotFetched,
	}
	if mode := run.Revisit; mode != "" {
		s.Revisit = &Revisited{mode, t.Revisit}
	}
	return s
}
