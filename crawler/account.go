package crawler

import (
	"fmt"
	"slices"
)

// Account says what became of everything that a run has discovered. Its parts
// add up: Discovered is Fetched, NotDue, Disallowed, OutOfScope, Failed, Trapped and
// Pending together.
type Account struct {
	// Discovered counts the distinct URLs that the frontier took in (seeds,
	// sitemaps, links and targets of redirects in scope) and, each time one is
	// found, the links that were left out of the scope. Links to URLs that the
	// frontier had already are no discoveries: they are the duplicates.
	Discovered int64
	Fetched    int64 // answered with a page, a sitemap, that it is unchanged, or a redirect that leads on
	NotDue     int64 // known from earlier runs, and not asked for yet
	Disallowed int64
	OutOfScope int64
	Failed     int64
	Trapped    int64
	Pending    int64 // queued, waiting for another attempt or in flight
}

// Account joins the counts of the engine with those of the frontier, which
// keeps its own: that they agree is no matter of course.
func (t *Totals) Account(f FrontierStats) Account {
	return Account{
		Discovered: f.Seen + t.LinksOut, Fetched: t.Fetched, NotDue: t.Revisit.NotDue,
		Disallowed: t.Disallowed, OutOfScope: t.OutOfScope, Failed: t.Failed, Trapped: t.Trapped, Pending: f.Seen - f.Settled,
	}
}

// Check tells by how much the account does not add up, nil when it does.
func (a Account) Check() error {
	sum := a.Fetched + a.NotDue + a.Disallowed + a.OutOfScope + a.Failed + a.Trapped + a.Pending
	if sum == a.Discovered {
		return nil
	}
	return fmt.Errorf("%d URLs were discovered and %d are accounted for: %+v", a.Discovered, sum, a)
}

// count adds one finished page to the totals.
func (t *Totals) count(f *finished) {
	t.Requests += f.requests
	t.Bytes += f.bytes
	t.OutOfScope += f.outOfScope
	t.LinksOut += f.outOfScope
	t.FieldErrors += f.fieldErrors
	for i := range f.records {
		if !f.records[i].Deleted {
			t.Records[f.records[i].Type]++
		}
		if f.records[i].Failed {
			t.RowErrors++
		}
	}
	t.Revisit.add(f.revisit)
	for i := range f.rejects {
		if t.Rejected == nil { // in a state of a version that had none
			t.Rejected = map[string]int64{}
		}
		t.Rejected[f.rejects[i].Type]++
	}
	if f.lease == 0 {
		return
	}
	o := &f.outcome
	if o.Disposition == Retry {
		t.Retries++
		return
	}
	t.settle(o.Class)
	t.trap(f.trap, f.host)
	if f.nearly {
		t.NearDuplicates++
	}
	switch {
	case f.sitemap:
	case o.Status/100 == 2:
		t.Pages++
	case o.Class == ClassUnchanged || o.Class == ClassNotDue:
		t.NotFetched++
	}
}

// settle counts a URL under the one part of the account that it ends in.
func (t *Totals) settle(c Class) {
	switch c {
	case ClassFetched, ClassUnchanged, ClassCanonicalElsewhere:
		t.Fetched++
	case ClassNotDue: // counted with what else became of known pages
	case ClassRedirected, ClassSplit:
		t.Fetched++
		t.Redirected++
	case ClassDisallowed:
		t.Disallowed++
	case ClassOutOfScope:
		t.OutOfScope++
	case ClassTrapped:
		t.Trapped++
	default:
		t.Failed++
		t.Errors[c]++
	}
}

// TrapCount is what a rule has cut of one pattern.
type TrapCount struct {
	Rule    string `json:"rule"`
	Pattern string `json:"pattern"` // with its host; empty for all that are not kept apart
	URLs    int64  `json:"urls"`
}

// maxTraps bounds the patterns that are counted apart.
const maxTraps = 64

func (t *Totals) trap(find *trapFind, host string) {
	if find == nil {
		return
	}
	c := TrapCount{Rule: find.rule, Pattern: host + find.pattern}
	i := slices.IndexFunc(t.Traps, func(o TrapCount) bool { return o.Rule == c.Rule && o.Pattern == c.Pattern })
	if i < 0 && len(t.Traps) >= maxTraps {
		c.Pattern = ""
		i = slices.IndexFunc(t.Traps, func(o TrapCount) bool { return o.Rule == c.Rule && o.Pattern == "" })
	}
	if i < 0 {
		i = len(t.Traps)
		t.Traps = append(t.Traps, c)
	}
	t.Traps[i].URLs++
}
