package cmd

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// revisited says what became of the pages that are known over runs, "" where none are.
func (r *report) revisited() (pages, records string) {
	v := r.summary.Revisit
	if v == nil {
		return "", ""
	}
	pages = counted([]countOf{
		{v.New, "new"}, {v.Changed, "changed"}, {v.Unchanged, "unchanged"}, {v.NotDue, "not due"}, {v.Gone, "gone"}, {v.Kept, "kept as they were, as they could not be had"},
	})
	if v.Unlinked > 0 {
		pages += ", " + count(v.Unlinked) + " of them with no link to them"
	}
	records = counted([]countOf{{v.RecordsNew, "new"}, {v.RecordsChanged, "changed"}, {v.RecordsDeleted, "no more"}})
	if v.Writes == "changes" {
		records += "; only these were written"
	}
	return pages, records
}

// gaveNothing tells whether there is no record where there should be some: a run that
// writes changes has none where pages are as they were.
func (r *report) gaveNothing() bool {
	v := r.summary.Revisit
	asTheyWere := v != nil && v.Writes == "changes" && v.Unchanged+v.NotDue+v.Kept > 0
	return sum(r.summary.Records) == 0 && !asTheyWere
}

type countOf struct {
	n    int64
	what string
}

func counted(all []countOf) string {
	var parts []string
	for _, c := range all {
		if c.n > 0 {
			parts = append(parts, count(c.n)+" "+c.what)
		}
	}
	if parts == nil {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func (r *report) printRevisited(w *tabwriter.Writer) {
	if pages, records := r.revisited(); pages != "" {
		fmt.Fprintf(w, "  pages\t%s\n", pages)
		fmt.Fprintf(w, "  of their records\t%s\n", records)
	}
}

// explainKnown tells what is known of a page, and when it is asked for again.
func (c *crawl) explainKnown(row func(string, string, ...any), kept *keptState, u urls.URL, key urls.Key) {
	rules := c.cfg.RevisitRules(program())
	if !rules.On {
		return
	}
	if kept.snapshot == nil {
		row("known", "no, as there was no run yet")
		return
	}
	k, err := kept.snapshot.Recall(key)
	switch {
	case err != nil:
		row("known", "cannot be read: %v", err)
		return
	case k == nil:
		row("known", "no: it would be a new page")
		return
	}
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	row("known", "since %s, visited %s, last at %s", at(k.FirstSeen), plural(k.Visits+1, "time"), at(k.Visited))
	if k.Changed.Equal(k.FirstSeen) {
		row("changed", "not that anybody saw")
	} else {
		row("changed", "as seen at %s, last at %s", plural(k.Changes, "visit"), at(k.Changed))
	}
	var validators []string
	if k.ETag != "" {
		validators = append(validators, "ETag "+clip(k.ETag, maxDetail))
	}
	if k.LastModified != "" {
		validators = append(validators, "Last-Modified "+k.LastModified)
	}
	switch {
	case !k.Whole:
		row("validators", "not used: too much, or something unusual, is read from the page to be kept")
	case validators == nil:
		row("validators", "none that are good: it is compared by its body")
	default:
		row("validators", "%s", strings.Join(validators, " and "))
	}
	d := rules.Due(k, u, time.Time{}, time.Now())
	when := "in the next run"
	if !d.Now {
		when = "not before " + at(d.At)
	} else if !d.At.IsZero() {
		when += ", since " + at(d.At)
	}
	row("due", "%s: %s", when, d.Why)
}

// knownStats counts the pages that a state knows over runs.
type knownStats struct {
	Pages    int64            `json:"pages"`
	Answers  map[string]int64 `json:"answers"` // by class
	Visits   int64            `json:"visits"`
	Changes  int64            `json:"changes"`
	Tagged   int64            `json:"with_etag"`
	Dated    int64            `json:"with_last_modified"`
	Partly   int64            `json:"kept_in_part"`
	LastSeen time.Time        `json:"last_visit,omitzero"`
}

func (s *knownStats) add(k *crawler.Known) {
	if s.Answers == nil {
		s.Answers = map[string]int64{}
	}
	s.Pages++
	s.Answers[string(k.Class)]++
	s.Visits += k.Visits + 1
	s.Changes += k.Changes
	if k.ETag != "" {
		s.Tagged++
	}
	if k.LastModified != "" {
		s.Dated++
	}
	if !k.Whole {
		s.Partly++
	}
	if k.Visited.After(s.LastSeen) {
		s.LastSeen = k.Visited.UTC()
	}
}

func (s *knownStats) print(line func(name, format string, args ...any)) {
	if s.Pages == 0 {
		return
	}
	line("known pages", "%s, visited %s times, changed %s times; last at %s", count(s.Pages), count(s.Visits), count(s.Changes), s.LastSeen.Format("2006-01-02 15:04:05 MST"))
	line("  with validators", "%s with an ETag, %s with Last-Modified", count(s.Tagged), count(s.Dated))
	if s.Partly > 0 {
		line("  kept in part", "%s", count(s.Partly))
	}
}
