package crawler

import (
	"fmt"
	"math"
	"time"

	"github.com/amblecrawl/amble/crawler/urls"
)

// RevisitRules say how a run uses what earlier runs knew of its pages.
type RevisitRules struct {
	// On keeps what is known of pages for later runs, and uses it. Without it
	// nothing else counts.
	On bool
	// Adaptive asks for a page when it is due. Otherwise each run asks for each page.
	Adaptive bool
	Min, Max time.Duration // bounds of the time between two visits of a page
	// MaxAge gives the longest time that a page may go without a visit, 0 for no
	// bound of its own; nil: none has one.
	MaxAge func(u urls.URL) time.Duration
	// Lastmod lets what sitemaps say of a page decide as well.
	Lastmod bool
	// Changes writes only records that are new or changed, and tombstones.
	Changes bool
	// DropUnlinked takes pages that no page leads to any more for gone; otherwise they
	// are asked for when they are due.
	DropUnlinked bool
	// Sum is another when the config, or the program, may make something else of a
	// page.
	Sum uint64
	// Depth tells that it matters how far from the seeds a page was found.
	Depth bool
}

// Due says when a page is to be asked for again.
type Due struct {
	Now bool
	At  time.Time // zero where it is due whenever a run comes to it
	Why string
}

// futureLastmod is how far ahead of our clock the lastmod of a sitemap may be.
const futureLastmod = 48 * time.Hour

// beyondDoubt is the number of Known.Doubts from which lastmods are not heard.
const beyondDoubt = 3

// Due decides on a page that is known. modified is what a sitemap of this run says of
// it, or zero.
func (r *RevisitRules) Due(k *Known, u urls.URL, modified, now time.Time) Due {
	switch {
	case !r.Adaptive:
		return Due{Now: true, Why: "each run asks for each page"}
	case k.Rules != r.Sum:
		return Due{Now: true, Why: "the config or the program has changed since"}
	case now.Before(k.Visited):
		return Due{Now: true, Why: "the clock was set back since"}
	}
	wait, why := r.Interval(k)
	most, limit := r.Max, "max_interval"
	if r.MaxAge != nil {
		if age := r.MaxAge(u); age > 0 && age < most {
			most, limit = age, "max_age"
		}
	}
	if r.Lastmod && !modified.IsZero() && k.Doubts < beyondDoubt && !modified.After(now.Add(futureLastmod)) {
		if modified.After(k.Visited) {
			return Due{Now: true, Why: "its sitemap has it modified since, at " + modified.UTC().Format(time.RFC3339)}
		}
		if k.Doubts == 0 {
			wait, why = most, "its sitemap has it not modified since, and "+limit+" bounds the wait"
		}
	}
	if wait > most {
		wait, why = most, limit+" bounds it"
	}
	at := k.Visited.Add(wait)
	return Due{Now: !now.Before(at), At: at, Why: why}
}

// Interval is the time from one visit of a page to the next, by how often the page
// has changed, and the reason.
//
// The rate of changes is estimated by Junghoo Cho and Hector Garcia-Molina,
// "Estimating Frequency of Change", ACM Transactions on Internet Technology 3(3),
// 2003, section 4.2: a page that was found changed at X of n visits, at intervals of
// I, changes -log((n-X+0.5)/(n+0.5))/I times. Unlike X/(nI) that is hardly biased
// where a page changes more than once between two visits. I is the mean interval.
//
// The next visit comes when the page has changed with a probability of one half, if
// changes are a Poisson process of that rate, as the paper takes them to be. It is
// never further away than the page has been watched for, since nothing is known of
// longer times: while no change is seen the interval doubles.
func (r *RevisitRules) Interval(k *Known) (time.Duration, string) {
	if k.Visits < 1 || k.Watched <= 0 {
		return r.Min, "it was visited once"
	}
	rate := ChangeRate(k.Visits, k.Changes, k.Watched)
	wait := float64(k.Watched)
	why := fmt.Sprintf("no change was seen at %d visits", k.Visits)
	if k.Changes > 0 {
		wait = min(wait, math.Ln2/rate)
		why = fmt.Sprintf("%d of %d visits found it changed", k.Changes, k.Visits)
	}
	if wait < float64(r.Min) {
		return r.Min, why + ", and min_interval bounds the wait"
	}
	return min(time.Duration(wait), max(r.Max, r.Min)), why
}

// ChangeRate estimates how often a page changes, per nanosecond, which was found
// changed at some of the visits in a time. Interval names the source.
func ChangeRate(visits, changes int64, watched time.Duration) float64 {
	n, unchanged := float64(visits), float64(visits-min(changes, visits))
	return -math.Log((unchanged+0.5)/(n+0.5)) * n / float64(watched)
}

// visited notes that a page was answered for, changed or not.
func (k *Known) visited(now time.Time, changed bool, modified time.Time) {
	before := k.Visited
	if since := now.Sub(before); since > 0 { // else the clock was set back
		k.Watched += min(since, math.MaxInt64-k.Watched)
		k.Visits++
		if changed {
			k.Changes++
		}
	}
	if changed {
		k.Changed = now
	}
	k.Visited = now
	if modified.IsZero() {
		return
	}
	switch newer := modified.After(before); {
	case changed && !newer: // it was not said
		k.Doubts = beyondDoubt
	case newer && !changed && k.Doubts < beyondDoubt:
		k.Doubts++
	case changed && k.Doubts < beyondDoubt:
		k.Doubts = 0
	}
}

// RevisitTotals are what became of pages that may be known.
type RevisitTotals struct {
	New       int64 `json:"new"`
	Changed   int64 `json:"changed"`
	Unchanged int64 `json:"unchanged"` // as answered for
	NotDue    int64 `json:"not_due"`   // not asked for: as they were
	Gone      int64 `json:"gone"`
	// Kept were asked for and not had, or not let be asked for: as they were.
	Kept int64 `json:"kept"`
	// Unlinked of these are pages that no page of the run led to.
	Unlinked int64 `json:"unlinked"`

	RecordsNew     int64 `json:"records_new"`
	RecordsChanged int64 `json:"records_changed"`
	RecordsDeleted int64 `json:"records_deleted"`
}

func (t *RevisitTotals) add(o RevisitTotals) {
	t.New += o.New
	t.Changed += o.Changed
	t.Unchanged += o.Unchanged
	t.NotDue += o.NotDue
	t.Gone += o.Gone
	t.Kept += o.Kept
	t.Unlinked += o.Unlinked
	t.RecordsNew += o.RecordsNew
	t.RecordsChanged += o.RecordsChanged
	t.RecordsDeleted += o.RecordsDeleted
}
