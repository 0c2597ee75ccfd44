package ledger

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/amblecrawl/amble/politeness/robots"
)

// ErrNone means that a folder holds no ledger.
var ErrNone = errors.New("no ledger")

// Rules are how Audit judges, beside what the ledger says itself.
type Rules struct {
	// Agent replaces the product token of the ledger where not empty.
	Agent string
	// Mode replaces the reading of robots.txt, "rfc" or "google", where not
	// empty.
	Mode string
	// Trace is a host, as for Report.Host, whose latest requests the report
	// lists.
	Trace string
}

// window is how many entries may be appended before one that started earlier.
const window = 1 << 15

// Audit derives again, from the ledger alone, what each request owed and was
// allowed, and compares. A torn tail stands in the report; for a damaged file it
// returns the *CorruptError with the report on what came before it. Where the beginning
// of the ledger is put away meanwhile it starts over.
func Audit(ctx context.Context, dir string, rules Rules) (report *Report, err error) {
	for range listTries {
		l, err := list(dir)
		if err != nil {
			return nil, err
		}
		report, err = auditOf(ctx, dir, rules, scanFrom(dir, l.numbers))
		if errors.Is(err, errMoved) {
			continue
		}
		if report != nil {
			report.Before = l.before
			if l.before == nil && len(l.numbers) > 0 {
				report.Missing = l.numbers[0] - 1
			}
		}
		return report, err
	}
	return nil, errMoved
}

// auditOf audits some frames that follow upon each other.
func auditOf(ctx context.Context, dir string, rules Rules, frames iter.Seq2[frame, error]) (*Report, error) {
	lib, err := newLibrary(dir)
	if err != nil {
		return nil, err
	}
	defer lib.dec.Close()
	a := &auditor{
		rules: rules, library: lib,
		report: &Report{}, hosts: make(map[string]*hostAudit), groups: make(map[string]*pace),
	}
	err = a.walk(ctx, frames)
	if errors.Is(err, ErrTorn) {
		a.report.Torn, err = err.Error(), nil
	}
	if err != nil && !errors.As(err, new(*CorruptError)) {
		return nil, err
	}
	if more := a.flush(0); more != nil && err == nil {
		err = more
	}
	if errors.Is(err, errMoved) {
		return nil, err
	}
	if err == nil && a.report.Processes == 0 && a.report.Torn == "" {
		return nil, fmt.Errorf("%s: %w", dir, ErrNone)
	}
	a.finish()
	return a.report, err
}

type auditor struct {
	rules   Rules
	run     RunInfo
	hours   timetable
	library *library
	report  *Report
	hosts   map[string]*hostAudit
	groups  map[string]*pace
	waiting []event   // in the order of the file
	judged  time.Time // the latest instant of an event that was judged
	ended   time.Time // the latest instant of all
}

// hostAudit is what is known of one host.
type hostAudit struct {
	HostRow
	pace     pace
	gaps     gaps
	readings []reading
}

// event is an entry or a reading of robots.txt.
type event struct {
	at      time.Time
	entry   Entry
	version *version
}

func (a *auditor) walk(ctx context.Context, frames iter.Seq2[frame, error]) error {
	for f, err := range frames {
		if err == nil {
			err = ctx.Err()
		}
		if err != nil {
			return err
		}
		if f.run != nil {
			if err := a.begin(f.run); err != nil {
				return err
			}
		}
		for i := range f.versions {
			v := &f.versions[i]
			if v.held {
				a.library.at[v.Hash] = f.place
				v.Body = nil // found again when asked for
			}
			a.waiting = append(a.waiting, event{at: v.FetchedAt, version: v})
		}
		for _, e := range f.entries {
			a.waiting = append(a.waiting, event{at: e.Start, entry: e})
		}
		if len(a.waiting) >= 2*window {
			if err := a.flush(window); err != nil {
				return err
			}
		}
	}
	return nil
}

// begin takes up what a process says of itself. Requests of another process
// all ended before.
func (a *auditor) begin(f *runFrame) error {
	if f.Continued && a.report.Processes > 0 {
		return nil
	}
	if err := a.flush(0); err != nil {
		return err
	}
	a.run = f.Run
	if a.rules.Agent != "" {
		a.run.Agent = a.rules.Agent
	}
	if a.rules.Mode != "" {
		a.run.Policy.Mode = a.rules.Mode
	}
	mode := robots.RFC
	if a.run.Policy.Mode != "" {
		var err error
		if mode, err = robots.ParseMode(a.run.Policy.Mode); err != nil {
			return fmt.Errorf("ledger: reading of robots.txt: %w", err)
		}
	}
	a.library.reading(a.run.Agent, mode)
	var err error
	if a.hours, err = a.run.Policy.timetable(); err != nil {
		return err
	}
	a.eachPace(func(p *pace) { p.health.restart(&a.run.Policy) })
	a.report.Processes++
	a.report.Run = a.run
	if started := time.UnixMicro(f.Base).UTC(); started.Before(a.ended) {
		a.found(nil, &Entry{Start: started}, ClockJump,
			fmt.Sprintf("a process began %v before an earlier one ended; the time between them is not judged", a.ended.Sub(started)))
		a.judged, a.ended = time.Time{}, time.Time{}
		a.eachPace(func(p *pace) { *p = pace{} })
	}
	return nil
}

func (a *auditor) eachPace(f func(p *pace)) {
	for _, h := range a.hosts {
		f(&h.pace)
	}
	for _, p := range a.groups {
		f(p)
	}
}

// flush judges what is waiting, in the order of time, and keeps the given
// number of the latest.
func (a *auditor) flush(keep int) error {
	slices.SortStableFunc(a.waiting, func(x, y event) int {
		if c := x.at.Compare(y.at); c != 0 {
			return c
		}
		return rank(&x) - rank(&y)
	})
	n := max(len(a.waiting)-keep, 0)
	for i := range a.waiting[:n] {
		ev := &a.waiting[i]
		if v := ev.version; v != nil {
			h := a.host(v.Origin)
			h.read(v)
			h.note(v)
		} else if err := a.entry(&ev.entry); err != nil {
			return err
		}
		if ev.at.After(a.judged) {
			a.judged = ev.at
		}
	}
	rest := copy(a.waiting, a.waiting[n:])
	clear(a.waiting[rest:])
	a.waiting = a.waiting[:rest]
	return nil
}

// rank puts a reading of robots.txt before the requests of the same instant.
func rank(e *event) int {
	if e.version != nil {
		return 0
	}
	return 1
}

func (a *auditor) host(origin string) *hostAudit {
	h := a.hosts[origin]
	if h == nil {
		h = &hostAudit{HostRow: HostRow{Host: origin}}
		a.hosts[origin] = h
	}
	return h
}

// entry judges one.
func (a *auditor) entry(e *Entry) error {
	h := a.host(e.Host)
	a.count(h, e)
	if e.Start.Before(a.judged) {
		a.found(h, e, OutOfOrder, fmt.Sprintf("appended after %d later requests", window))
		return nil
	}
	if !within(e.Host, e.URL) {
		a.found(h, e, WrongHost, fmt.Sprintf("counted for %s", e.Host))
	}
	if !e.Withheld && e.End.Before(e.Start) {
		a.found(h, e, WrongTimes, fmt.Sprintf("ends %v before it starts", e.Start.Sub(e.End)))
		e.End = e.Start
	}
	if !e.Decided.IsZero() && e.Decided.After(e.Start) {
		a.found(h, e, WrongTimes, fmt.Sprintf("decided %v after it started", e.Decided.Sub(e.Start)))
	}
	if e.Start.Before(a.started()) {
		a.found(h, e, ClockJump, fmt.Sprintf("started %v before its process", a.started().Sub(e.Start)))
	}
	rules, err := a.judge(h, e)
	if err != nil {
		return err
	}
	if e.Withheld {
		return nil
	}
	if hours := a.hours.of(&a.run.Policy, e.Host); !hours.open(e.Start) {
		a.found(h, e, OutOfHours, fmt.Sprintf("the crawl window is %s", hours.text))
	}
	return a.time(h, e, rules)
}

func (a *auditor) started() time.Time { return a.run.Started.Truncate(Precision) }

// time judges delay, debts and overlaps.
func (a *auditor) time(h *hostAudit, e *Entry, rules *robots.Rules) error {
	owed, by, err := a.owed(h, e, rules)
	if err != nil {
		return err
	}
	if e.Owed < owed-Precision && e.Group == "" { // that of a group may be shorter than its host's
		a.figure(h, e, WrongOwed, owed, e.Owed, fmt.Sprintf("the ledger says %v owed, %s asks %v", e.Owed, by, owed))
	}
	if e.Owed > owed {
		owed, by = e.Owed, e.By
	}
	if owed > h.Owed || h.OwedBy == "" {
		h.Owed, h.OwedBy = owed, by
	}
	delay, limit := a.run.Policy.of(e.Host)
	promised := limit
	if e.Concurrency > promised {
		a.found(h, e, WrongConcurrency, fmt.Sprintf("the ledger allows %d at once, the crawl promised %d", e.Concurrency, promised))
	} else if e.Concurrency > 0 {
		promised = e.Concurrency
	}
	h.Allowed = max(h.Allowed, promised)

	h.pace.health.learn(e.Start, &a.run.Policy)
	if broken := h.pace.health.circuit.broken; !broken.IsZero() && broken.Before(decidedAt(e)) {
		promised = 1 // a failing host is probed by one at a time
	}
	h.pace.settle(e.Start, promised)
	a.spaced(h, &h.pace, e, owed, by, promised)
	if e.grouped() {
		g := a.groups[e.Group]
		if g == nil {
			g = new(pace)
			a.groups[e.Group] = g
		}
		// What a site asks for itself binds no other, what was promised all.
		g.health.learn(e.Start, &a.run.Policy)
		g.settle(e.Start, limit)
		a.spaced(h, g, e, delay, "the crawl's policy", limit)
	}
	return nil
}

// decidedAt is the instant of the verdict that a request rests on.
func decidedAt(e *Entry) time.Time {
	if e.Decided.IsZero() {
		return e.Start
	}
	return e.Decided
}

// indebted judges what a unit was promised to be left alone for.
func (a *auditor) indebted(h *hostAudit, p *health, e *Entry, where string) {
	for _, d := range []*debt{&p.debt, &p.circuit.rest} {
		left := d.left(e.Start)
		if left == 0 {
			continue
		}
		after := map[Breach]string{
			DebtUnpaid: "an answer that asked for %v", BackoffUnpaid: "a 429 or 503, which %v are owed for",
			RestBroken: "a failure that set it aside for %v",
		}[d.kind]
		a.figure(h, e, d.kind, d.asked, d.asked-left,
			fmt.Sprintf("started %v after "+after+"%s", d.asked-left, d.asked, where))
	}
}

// spaced judges a request by the time of its host or group, and books it there.
func (a *auditor) spaced(h *hostAudit, p *pace, e *Entry, owed time.Duration, by string, allowed int) {
	where := ""
	if p != &h.pace {
		where = " of its group " + e.Group
	}
	a.indebted(h, &p.health, e, where)
	if gap, again := p.gap(e.Start); again {
		if where == "" {
			h.gaps.add(gap)
		}
		if short(gap, owed) {
			a.figure(h, e, TooSoon, owed, gap, fmt.Sprintf("%v after the last start or end%s, %v owed by %s", gap, where, owed, by))
		}
	}
	if n := len(p.flights) + 1; n > allowed {
		a.found(h, e, TooMany, fmt.Sprintf("%d requests%s in flight, %d allowed", n, where, allowed))
	}
	p.begin(e, where != "")
	if where == "" {
		h.AtOnce = max(h.AtOnce, len(p.flights))
	}
}

// owed derives the delay of a request: the longer of the one promised and the
// Crawl-delay in force. Where robots.txt changed between decision and start the
// shorter Crawl-delay counts, as either may have been in force.
func (a *auditor) owed(h *hostAudit, e *Entry, rules *robots.Rules) (time.Duration, string, error) {
	owed, _ := a.run.Policy.of(e.Host)
	by := "the crawl's policy"
	var asked time.Duration
	var line int
	var versions [][16]byte
	switch {
	case rules != nil:
		asked, line, _ = rules.CrawlDelay()
		if hash := h.latest(e.Start); hash != e.RobotsHash && hash != [16]byte{} {
			versions = append(versions, hash)
		}
	case e.Kind == Robots && a.run.Policy.robots(e.Host):
		// A request for robots.txt rests on no version, but what this process has
		// read of its host still says how long to wait.
		if versions = h.current(decidedAt(e), e.Start, a.started(), a.run.Policy.lifetime()); len(versions) > 0 {
			asked = maxDelay
		}
	}
	for _, hash := range versions {
		newer, err := a.library.find(hash)
		if err != nil {
			return 0, "", err
		}
		if newer == nil { // its absence is reported where a page rests on it
			asked = min(asked, owed)
			continue
		}
		if d, at, _ := newer.CrawlDelay(); d < asked {
			asked, line = d, at
		}
	}
	if asked = capped(asked, a.run.Policy.MaxCrawlDelay); asked > owed {
		owed, by = asked, fmt.Sprintf("robots.txt Crawl-delay, line %d", line)
	}
	return owed, by, nil
}

const maxDelay = time.Duration(math.MaxInt64)
