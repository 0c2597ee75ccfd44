package monitor

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// Bounds of what is kept of hosts.
const (
	maxHosts  = 10_000 // told apart while a run goes on
	keptHosts = 100    // listed in the end: those with the most requests
)

// HostFigures are what a run has done to one host, by the account of its ledger.
type HostFigures struct {
	Host     string `json:"host,omitempty"`
	Requests int64  `json:"requests"` // robots.txt and sitemaps included
	Pages    int64  `json:"pages"`    // answers of 2xx to requests for pages
	Failed   int64  `json:"failed"`   // requests without an answer, or one of 4xx or 5xx
	Withheld int64  `json:"withheld"` // URLs that were not asked for, by robots.txt or another rule
	Bytes    int64  `json:"bytes"`
	// AnswerS is the time that all answers took together. OwedS are the delays that
	// were owed together and PaidS the pauses that were made, both in seconds; the
	// first request to a host owes nothing.
	AnswerS float64 `json:"answer_s"`
	OwedS   float64 `json:"owed_s"`
	PaidS   float64 `json:"paid_s"`
	// RetryAfters counts the answers that asked to be left alone, LongestRetryAfterS
	// is the longest time that they asked for.
	RetryAfters        int64     `json:"retry_afters"`
	LongestRetryAfterS float64   `json:"longest_retry_after_s"`
	First              time.Time `json:"first,omitzero"`
	Last               time.Time `json:"last,omitzero"`
}

// HostList are the figures of a run by host, those with most requests first.
type HostList struct {
	Hosts []HostFigures `json:"hosts"`
	// Others are all hosts that are not listed, together, and Total counts all.
	Others HostFigures `json:"others"`
	Total  int64       `json:"total"`
	// Partial tells that what earlier processes did of the run is not in it, as far
	// as it could not be read in time; Total does not count hosts twice that were
	// too many to tell apart.
	Partial bool `json:"partial,omitempty"`
}

// Hosts adds up what a run does to each host. Its methods are safe for concurrent use.
type Hosts struct {
	mu      sync.Mutex
	known   map[string]*HostFigures
	others  HostFigures
	partial bool
}

// NewHosts makes an empty account.
func NewHosts() *Hosts { return &Hosts{known: map[string]*HostFigures{}} }

// Partial notes that something is missing.
func (h *Hosts) Partial() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.partial = true
}

// Add takes an entry in.
func (h *Hosts) Add(e *crawler.Entry) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.known[e.Host]
	switch {
	case f != nil:
	case len(h.known) < maxHosts:
		f = &HostFigures{Host: e.Host}
		h.known[e.Host] = f
	default:
		f = &h.others
	}
	f.add(e)
}

func (f *HostFigures) add(e *crawler.Entry) {
	if f.First.IsZero() || e.Start.Before(f.First) {
		f.First = e.Start
	}
	if end := later(e.Start, e.End); end.After(f.Last) {
		f.Last = end
	}
	if e.Withheld {
		f.Withheld++
		return
	}
	f.Requests++
	f.Bytes += e.Bytes
	f.AnswerS += max(0, e.End.Sub(e.Start)).Seconds()
	switch {
	case e.Class != "" || e.Status >= 400 && e.Kind != "robots":
		f.Failed++
	case e.Kind == "page" && e.Status/100 == 2:
		f.Pages++
	}
	if e.Paid > 0 {
		f.OwedS += e.Owed.Seconds()
		f.PaidS += e.Paid.Seconds()
	}
	if e.RetryAfter > 0 {
		f.RetryAfters++
		f.LongestRetryAfterS = max(f.LongestRetryAfterS, e.RetryAfter.Seconds())
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func (f *HostFigures) merge(o *HostFigures) {
	f.Requests, f.Pages, f.Failed, f.Withheld = f.Requests+o.Requests, f.Pages+o.Pages, f.Failed+o.Failed, f.Withheld+o.Withheld
	f.Bytes, f.RetryAfters = f.Bytes+o.Bytes, f.RetryAfters+o.RetryAfters
	f.AnswerS, f.OwedS, f.PaidS = f.AnswerS+o.AnswerS, f.OwedS+o.OwedS, f.PaidS+o.PaidS
	f.LongestRetryAfterS = max(f.LongestRetryAfterS, o.LongestRetryAfterS)
	if f.First.IsZero() || !o.First.IsZero() && o.First.Before(f.First) {
		f.First = o.First
	}
	f.Last = later(f.Last, o.Last)
}

// List gives the hosts with the most requests, at most 100, and all others together.
func (h *Hosts) List() HostList {
	h.mu.Lock()
	defer h.mu.Unlock()
	l := HostList{Hosts: make([]HostFigures, 0, len(h.known)), Others: h.others, Total: int64(len(h.known)), Partial: h.partial}
	for _, f := range h.known {
		l.Hosts = append(l.Hosts, *f)
	}
	slices.SortFunc(l.Hosts, func(a, b HostFigures) int {
		return cmp.Or(cmp.Compare(b.Requests+b.Withheld, a.Requests+a.Withheld), cmp.Compare(a.Host, b.Host))
	})
	if len(l.Hosts) > keptHosts {
		for i := range l.Hosts[keptHosts:] {
			l.Others.merge(&l.Hosts[keptHosts+i])
		}
		l.Hosts = l.Hosts[:keptHosts:keptHosts]
	}
	return l
}
