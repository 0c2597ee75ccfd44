package report

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/drift"
	"github.com/amblecrawl/amble/crawler/monitor"
)

// Report is the closing account that a person reads: what was got, what was
// not and why, where the files are, and what to do next.
type Report struct {
	Summary  crawler.Summary
	Err      error // how the run ended otherwise than by finishing
	Examples map[crawler.Class][]monitor.Example
	Fields   []monitor.FieldTrouble
	Config   string // the path, as given
	Folder   string // of the state
	Given    Given  // on the command line
	Demo     bool   // its web has ended with it
	MaxPages int64
	Profile  map[string]drift.Figures
	Drift    Drift
	// Unstarted tells that the run did not come to its first request.
	Unstarted bool
}

// Print writes the report for a person.
func (r *Report) Print(out io.Writer) {
	s := &r.Summary
	account := s.Account()
	took := format.Duration(time.Duration(s.DurationS * float64(time.Second)))
	fmt.Fprintf(out, "\n%s %s after %s: %s from %s, %s.\n\n", s.Name, s.Status, took,
		format.Plural(s.Pages, "page"), format.Plural(s.Hosts, "host"), format.Plural(format.Sum(s.Records), "record"))
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i, t := range format.SortedKeys(s.Records) {
		fmt.Fprintf(w, "  %s\t%7s %s\n", format.Label(i, "records"), format.Count(s.Records[t]), t)
	}
	if s.RowErrors > 0 {
		fmt.Fprintf(w, "  of these\t%7s for rows that have an error instead of an answer\n", format.Count(s.RowErrors))
	}
	for i, t := range format.SortedKeys(s.Rejected) {
		fmt.Fprintf(w, "  %s\t%7s %s\n", format.Label(i, "rejected"), format.Count(s.Rejected[t]), t)
	}
	for i, path := range s.Outputs {
		fmt.Fprintf(w, "  %s\t%s\n", format.Label(i, "written to"), path)
	}
	if s.Unlisted > 0 {
		fmt.Fprintf(w, "  \tand %s between them\n", format.Plural(s.Unlisted, "part"))
	}
	fmt.Fprintf(w, "  requests\t%s\n", r.requests())
	fmt.Fprintf(w, "  discovered\t%s\n", r.discovered())
	r.printRevisited(w)
	_ = w.Flush()
	if err := account.Check(); err != nil {
		fmt.Fprintf(out, "\n  The accounts do not add up, which is a fault in amble. Please report it:\n    %v\n", err)
	}
	r.printWithheld(out)
	r.printTraps(out)
	r.printFields(out)
	r.printEmpty(out)
	r.Drift.Print(out)
	r.printNext(out)
}

func (r *Report) requests() string {
	s := &r.Summary
	parts := []string{format.Count(s.Requests) + " sent, " + format.Size(s.Bytes) + " received"}
	for _, p := range []struct {
		n    int64
		what string
	}{
		{s.Duplicates, "links already seen"}, {s.Retries, "retries"},
	} {
		if p.n > 0 {
			parts = append(parts, format.Count(p.n)+" "+p.what)
		}
	}
	return strings.Join(parts, ", ")
}

// discovered says what became of all that was found; its parts add up.
func (r *Report) discovered() string {
	s := &r.Summary
	parts := []string{format.Count(s.Discovered) + " in all = " + format.Count(s.Fetched) + " fetched"}
	if s.Redirected > 0 {
		parts[0] += " (" + format.Count(s.Redirected) + " redirects)"
	}
	for _, p := range []struct {
		n    int64
		what string
	}{
		{s.NotDue, "not due"}, {s.Disallowed, "disallowed"}, {s.OutOfScope, "out of scope"}, {s.Failed, "failed"},
		{s.Trapped, "trapped"}, {s.Pending, r.pending()},
	} {
		if p.n > 0 {
			parts = append(parts, format.Count(p.n)+" "+p.what)
		}
	}
	return strings.Join(parts, " + ")
}

// pending says what is to become of the URLs that are left.
func (r *Report) pending() string {
	if r.Summary.Status == crawler.StatusFinished && r.MaxPages > 0 {
		return "left, as scope.max_pages is " + format.Count(r.MaxPages)
	}
	return "still queued"
}

// printWithheld lists what gave no page, by reason, with an example each.
func (r *Report) printWithheld(out io.Writer) {
	reasons := map[crawler.Class]int64{}
	for class, n := range r.Summary.Errors {
		reasons[class] = n
	}
	if r.Summary.Disallowed > 0 {
		reasons[crawler.ClassDisallowed] = r.Summary.Disallowed
	}
	if out := r.Examples[crawler.ClassRedirected]; len(out) > 0 {
		reasons[crawler.ClassRedirected] = int64(len(out))
	}
	if len(reasons) == 0 {
		return
	}
	fmt.Fprintln(out, "\n  Not fetched:")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i, class := range format.SortedKeys(reasons) {
		if i == format.MaxReported {
			fmt.Fprintf(w, "    and %d more reasons, in the file of --summary\n", len(reasons)-i)
			break
		}
		example := ""
		if known := r.Examples[class]; len(known) > 0 {
			example = "such as " + strings.TrimPrefix(known[0].URL+": ", ": ") + format.Clip(strings.TrimPrefix(known[0].Detail, string(class)+": "), format.MaxDetail)
		}
		fmt.Fprintf(w, "    %s\t%s\t%s\n", class, format.Count(reasons[class]), example)
	}
	_ = w.Flush()
}

// printTraps names the patterns that no more was fetched of.
func (r *Report) printTraps(out io.Writer) {
	s := &r.Summary
	if s.Trapped > 0 {
		fmt.Fprintln(out, "\n  Traps, of which no more was fetched:")
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i, t := range s.Traps {
		if i == format.MaxReported {
			fmt.Fprintf(w, "    and %d more patterns, in the file of --summary\n", len(s.Traps)-i)
			break
		}
		pattern := t.Pattern
		if pattern == "" {
			pattern = "other patterns"
		}
		fmt.Fprintf(w, "    %s\t%s\t%s\n", t.Rule, format.Count(t.URLs), format.Clip(pattern, format.MaxDetail))
	}
	_ = w.Flush()
	if s.NearDuplicates > 0 {
		fmt.Fprintf(out, "\n  Near-duplicates: the links of %s were not followed.\n", format.Plural(s.NearDuplicates, "page"))
	}
}

func (r *Report) printFields(out io.Writer) {
	if len(r.Fields) == 0 {
		return
	}
	slices.SortFunc(r.Fields, func(a, b monitor.FieldTrouble) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Field, b.Field))
	})
	fmt.Fprintln(out, "\n  Values that were not as asked:")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, f := range r.Fields[:min(len(r.Fields), format.MaxReported)] {
		fmt.Fprintf(w, "    %s\t%s\tsuch as %s\n", f.Field, format.Count(f.Count), format.Clip(f.Example, 160))
	}
	_ = w.Flush()
}

func (r *Report) printNext(out io.Writer) {
	var next []string
	s := &r.Summary
	if r.Demo {
		fmt.Fprintf(out, "\n  Next:\n    %s    is its config: copy it to begin one of your own\n", r.Config)
		return
	}
	switch s.Status {
	case crawler.StatusInterrupted:
		next = append(next, r.Given.run(r.Config)+r.Given.does("goes on where this run stopped"))
	case crawler.StatusFailed:
		next = append(next, r.Given.run(r.Config)+r.Given.does("goes on once the cause is mended"))
	}
	if s.Pages > 0 && len(s.Records) > 0 && r.GaveNothing() {
		next = append(next, r.try("URL")+"    shows why a page gives no record")
	}
	if s.Errors[crawler.ClassPrivate] > 0 {
		next = append(next, "fetch.allow_private: true    in "+r.Config+", if the private addresses are yours")
	}
	if len(r.Examples[crawler.ClassRedirected]) > 0 {
		next = append(next, "scope.hosts    in "+r.Config+", if what the redirects lead to belongs to the crawl")
	}
	next = append(next, r.nextOfDrift()...)
	if s.Trapped > 0 {
		next = append(next, "scope.traps."+s.Traps[0].Rule+"    in "+r.Config+", if pages of these patterns matter")
	}
	for _, class := range format.SortedKeys(s.Errors) {
		if known := r.Examples[class]; len(known) > 0 && known[0].URL != "" {
			next = append(next, r.about("explain", known[0].URL)+"    says what became of it")
			break
		}
	}
	if len(next) == 0 {
		return
	}
	fmt.Fprintln(out, "\n  Next:")
	for _, line := range next {
		fmt.Fprintln(out, "    "+line)
	}
}
