package ledger

import (
	"slices"
	"strings"
	"time"
)

// Bounds of what a report keeps; beyond them it counts.
const (
	maxViolations = 10_000
	maxVersions   = 16
	maxReasons    = 32
	maxHours      = 1000
	maxTraced     = 500
)

// Report is the outcome of an audit.
type Report struct {
	// Run is what the last process said of itself, with the audit's own rules in
	// place; Processes counts them.
	Run       RunInfo
	Processes int
	// Torn tells where the ledger ends in an incomplete frame, "" when it does
	// not.
	Torn string
	// Requests were sent, Withheld were not.
	Requests, Withheld int64
	First, Last        time.Time
	// Before tells what the ledger no longer holds, nil for nothing. It was audited when
	// it was put away, and none of it stands in the other fields.
	Before *Before
	// Missing is how many files are not there before the first, and nothing says why:
	// somebody took them away.
	Missing int
	// Hosts in the order of their names.
	Hosts []HostRow
	// Violations in the order in which they were found, at most 10,000; Found
	// counts all.
	Violations []Violation
	Found      int64
	// Trace holds the latest requests of the host that was asked for, oldest
	// first.
	Trace []Entry
}

// HostRow is what a report says of one host.
type HostRow struct {
	Host     string
	Requests int64 // sent, those for robots.txt among them
	ForRobot int64 // sent for robots.txt
	Withheld int64
	Bytes    int64
	First    time.Time
	Last     time.Time
	// Owed is the longest delay that was owed, OwedBy who asked for it.
	Owed   time.Duration
	OwedBy string
	// Gaps counts the times between a request and the last start or end before
	// it. LeastGap is exact, MedianGap right within 3 percent.
	Gaps                int64
	LeastGap, MedianGap time.Duration
	// AtOnce is the most requests that were in flight, Allowed the most allowed.
	AtOnce, Allowed int
	// Debts counts the answers with a Retry-After, LongestDebt is the longest.
	Debts       int64
	LongestDebt time.Duration
	// Versions of robots.txt, the latest 16; ReadRobots counts how often it was
	// read.
	Versions   []Version
	ReadRobots int64
	// Reasons for what was withheld, as first met, at most 32; the last stands
	// for all others then.
	Reasons []Count
	// Answers counts by hundreds of the status; none at 0.
	Answers [6]int64
	// Hours in which there were requests, in order, the first 1,000.
	Hours      []Hour
	Violations int64
}

// Version is a robots.txt that was in force.
type Version struct {
	Hash        [16]byte
	Status      int
	First, Last time.Time // when it was read
}

// Count is how often something was.
type Count struct {
	What string
	N    int64
}

// Hour counts from an instant on for an hour.
type Hour struct {
	From               time.Time
	Requests, Withheld int64
}

// Host returns the row of an origin, or of a host name with or without port,
// https before http; nil when the ledger has none.
func (r *Report) Host(name string) *HostRow {
	for _, origin := range []string{name, "https://" + name, "http://" + name} {
		at, found := slices.BinarySearchFunc(r.Hosts, origin, func(h HostRow, want string) int {
			return strings.Compare(h.Host, want)
		})
		if found {
			return &r.Hosts[at]
		}
	}
	return nil
}

// note books that robots.txt was read.
func (h *HostRow) note(v *version) {
	h.ReadRobots++
	if n := len(h.Versions); n > 0 && h.Versions[n-1].Hash == v.Hash && h.Versions[n-1].Status == v.Status {
		h.Versions[n-1].Last = v.FetchedAt
		return
	}
	if len(h.Versions) == maxVersions {
		h.Versions = slices.Delete(h.Versions, 0, 1)
	}
	h.Versions = append(h.Versions, Version{v.Hash, v.Status, v.FetchedAt, v.FetchedAt})
}

// count books an entry.
func (a *auditor) count(h *hostAudit, e *Entry) {
	if e.Withheld {
		a.report.Withheld++
		h.withheld(e.Reason)
	} else {
		a.report.Requests++
		h.sent(e)
	}
	h.hour(e)
	if h.First.IsZero() {
		h.First = e.Start
	}
	if a.report.First.IsZero() {
		a.report.First = e.Start
	}
	for _, at := range []time.Time{e.Start, e.End} {
		if at.After(a.ended) {
			a.ended = at
		}
		if at.After(h.Last) {
			h.Last = at
		}
		if at.After(a.report.Last) {
			a.report.Last = at
		}
	}
	if t := a.rules.Trace; t != "" && (e.Host == t || e.Host == "https://"+t || e.Host == "http://"+t) {
		if len(a.report.Trace) == maxTraced {
			a.report.Trace = slices.Delete(a.report.Trace, 0, 1)
		}
		a.report.Trace = append(a.report.Trace, *e)
	}
}

func (h *HostRow) sent(e *Entry) {
	h.Requests++
	if e.Kind == Robots {
		h.ForRobot++
	}
	h.Bytes += max(e.Bytes, 0)
	if e.RetryAfter > 0 {
		h.Debts++
		h.LongestDebt = max(h.LongestDebt, e.RetryAfter)
	}
	if class := e.Status / 100; class > 0 && class < len(h.Answers) {
		h.Answers[class]++
	} else {
		h.Answers[0]++
	}
}

func (h *HostRow) withheld(reason string) {
	h.Withheld++
	for i := range h.Reasons {
		if h.Reasons[i].What == reason {
			h.Reasons[i].N++
			return
		}
	}
	if len(h.Reasons) == maxReasons {
		h.Reasons[maxReasons-1].What = "other reasons"
		h.Reasons[maxReasons-1].N++
		return
	}
	h.Reasons = append(h.Reasons, Count{reason, 1})
}

func (h *HostRow) hour(e *Entry) {
	from := e.Start.Truncate(time.Hour)
	n := len(h.Hours)
	if n == 0 || n < maxHours && h.Hours[n-1].From.Before(from) {
		h.Hours = append(h.Hours, Hour{From: from})
		n++
	}
	if e.Withheld {
		h.Hours[n-1].Withheld++
	} else {
		h.Hours[n-1].Requests++
	}
}

// found books a violation; h is nil where no host is at fault.
func (a *auditor) found(h *hostAudit, e *Entry, b Breach, detail string) {
	a.figure(h, e, b, 0, 0, detail)
}

func (a *auditor) figure(h *hostAudit, e *Entry, b Breach, owed, paid time.Duration, detail string) {
	a.report.Found++
	if h != nil {
		h.Violations++
	}
	if len(a.report.Violations) < maxViolations {
		a.report.Violations = append(a.report.Violations, Violation{
			Breach: b, Host: e.Host, URL: e.URL, At: e.Start, Owed: owed, Paid: paid, Detail: detail,
		})
	}
}

// finish fills in the rows.
func (a *auditor) finish() {
	r := a.report
	r.Hosts = make([]HostRow, 0, len(a.hosts))
	for _, h := range a.hosts {
		h.Gaps, h.LeastGap, h.MedianGap = h.gaps.count, h.gaps.least(), h.gaps.median()
		r.Hosts = append(r.Hosts, h.HostRow)
	}
	slices.SortFunc(r.Hosts, func(a, b HostRow) int { return strings.Compare(a.Host, b.Host) })
}
