package plan

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/plan"
)

// print writes the plan for a person. The error is that of out.
func (r *Report) print(out io.Writer, cfg *config.Config, flags planFlags) error {
	w := &strings.Builder{}
	fmt.Fprintf(w, "%s: %s on %s, %s, at least %s.\n\n", r.Name, format.Plural(r.Pages, "page"),
		format.Plural(int64(len(r.Hosts)), "host"), format.Plural(r.Requests, "request"), atLeast(r.shortest))
	r.printSums(w)
	r.printHosts(w, flags.hosts)
	r.printGroups(w)
	r.printKeptOut(w)
	r.printOffers(w)
	if len(r.Limits) > 0 {
		fmt.Fprintln(w, "\n  Beyond what a plan keeps in memory:")
		for _, l := range r.Limits {
			fmt.Fprintln(w, "    "+l)
		}
	}
	fmt.Fprintln(w, "\n  This is the least that a run does.", r.onTop())
	_, err := io.WriteString(out, cfg.Redact(w.String()))
	return err
}

// onTop says what the plan cannot know.
func (r *Report) onTop() string {
	if r.ListsBuckets {
		return "The objects of buckets, which a plan does not\n  list, come on top: a request for each, or several for a large one, and one for each\n  thousand. So do links, second attempts and the time that answers take."
	}
	if r.FollowsLinks {
		return "The links that it finds come on top, and so do\n  redirects, second attempts and the time that answers take."
	}
	return "Redirects, second attempts and the time that\n  answers take come on top."
}

func atLeast(d time.Duration) string {
	if d >= plan.Horizon {
		return "10 years"
	}
	if d >= 48*time.Hour {
		return fmt.Sprintf("%dd%02dh", int(d.Hours())/24, int(d.Hours())%24)
	}
	return format.Duration(d)
}

func (r *Report) printSums(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	parts := []string{format.Plural(r.Pages, "page") + " to fetch"}
	for _, p := range []struct {
		n    int64
		what string
	}{
		{r.Disallowed, "disallowed"}, {r.OutOfScope, "out of scope"},
		{r.Unreachable, "on hosts without a readable robots.txt"}, {r.Duplicates, "listed again"},
	} {
		if p.n > 0 {
			parts = append(parts, format.Count(p.n)+" "+p.what)
		}
	}
	fmt.Fprintf(w, "  listed\t%s: %s\n", format.Plural(r.Entries, "URL"), strings.Join(parts, ", "))
	files := ""
	if r.FileRequests > 0 {
		files = ", " + format.Count(r.FileRequests) + " of tdmrep.json"
	}
	fmt.Fprintf(w, "  requests\t%s: %s, %s of robots.txt%s, %s of sitemaps\n", format.Count(r.Requests),
		format.Plural(r.Pages, "page"), format.Count(r.RobotsRequests), files, format.Count(r.SitemapRequests))
	by := ""
	if r.ShortestBy != "" {
		by = ", by " + strings.Replace(r.ShortestBy, ":", " ", groupColon(r.ShortestBy))
	}
	fmt.Fprintf(w, "  shortest\t%s%s\n", atLeast(r.shortest), by)
	if r.workers > max(r.shortest, time.Second) {
		fmt.Fprintf(w, "  workers\t%s, if pages take as long as robots.txt did, with %s\n", atLeast(r.workers), format.Plural(int64(r.Workers), "worker"))
	}
	if r.MaxPages > 0 && r.Pages > r.MaxPages {
		fmt.Fprintf(w, "  bound\tscope.max_pages ends the run after %s\n", format.Plural(r.MaxPages, "page"))
	}
	r.printRevisits(w)
	_ = w.Flush()
}

// groupColon is 1 for the name of a group, whose colon is for machines.
func groupColon(name string) int {
	if strings.Contains(name, "://") {
		return 0
	}
	return 1
}

func (r *Report) printHosts(out io.Writer, most int) {
	if len(r.Hosts) == 0 {
		return
	}
	fmt.Fprintln(out)
	shown := len(r.Hosts)
	if most > 0 {
		shown = min(shown, most)
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "  host\tpages\tdisallowed\trequests\tshortest\tdelay")
	for i := range r.Hosts[:shown] {
		h := &r.Hosts[i]
		why := fmt.Sprintf("%s, by %s", h.delay, h.DelayBy)
		if h.Hours != "" {
			why += ", within " + h.Hours
		}
		if h.API {
			why += "; an API, to which robots.txt does not apply"
		}
		if h.Trouble != "" {
			why = h.Trouble
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\t%s\t%s\t%s\n", h.Host, format.Count(h.Pages), format.Count(h.Disallowed),
			format.Count(h.Requests), atLeast(h.shortest), why)
	}
	_ = w.Flush()
	if rest := len(r.Hosts) - shown; rest > 0 {
		fmt.Fprintf(out, "  and %s more, with --hosts 0\n", format.Count(int64(rest)))
	}
}

func (r *Report) printGroups(out io.Writer) {
	shared := slices.DeleteFunc(slices.Clone(r.Groups), func(g Group) bool { return g.Hosts < 2 })
	if len(shared) == 0 {
		return
	}
	fmt.Fprintln(out, "\n  Hosts that share one delay:")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for i, g := range shared {
		if i == format.MaxReported {
			fmt.Fprintf(w, "    and %s more, with --json\n", format.Count(int64(len(shared)-i)))
			break
		}
		fmt.Fprintf(w, "    %s\t%s\t%s\t%s\t%s between two\n", strings.Replace(g.Group, ":", " ", 1),
			format.Plural(int64(g.Hosts), "host"), format.Plural(g.Requests, "request"), atLeast(g.shortest), g.delay)
	}
	_ = w.Flush()
}

// printKeptOut lists what is not going to be fetched, and by which rule.
func (r *Report) printKeptOut(out io.Writer) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	defer w.Flush()
	printed := 0
	line := func(title, text string, args ...any) {
		if printed == 0 {
			fmt.Fprintf(w, "\n  %s:\n", title)
		}
		if printed++; printed <= format.MaxReported {
			fmt.Fprintf(w, "    "+text+"\n", args...)
		}
	}
	end := func() {
		if printed > format.MaxReported {
			fmt.Fprintf(w, "    and %s more, with --json\n", format.Count(int64(printed-format.MaxReported)))
		}
		printed = 0
	}
	for i := range r.Hosts {
		for _, c := range r.Hosts[i].DisallowedBy {
			rule := c.Rule
			if c.Line > 0 {
				rule = fmt.Sprintf("line %d: %s", c.Line, c.Rule)
			}
			line("Disallowed", "%s\t%s\t%s", format.Count(c.URLs), r.Hosts[i].Host, format.Clip(rule, format.MaxDetail))
		}
	}
	end()
	for _, c := range r.OutOfScopeBy {
		line("Out of scope", "%s\t%s", format.Count(c.URLs), format.Clip(c.Rule, format.MaxDetail))
	}
	end()
	for _, t := range r.SitemapTroubles {
		line("Sitemaps that could not be read to their end", "%s\t%s", t.URL, t.Reason)
	}
	end()
}

func (r *Report) printOffers(out io.Writer) {
	if len(r.NotSeeded) == 0 {
		return
	}
	fmt.Fprintln(out, "\n  Sitemaps that robots.txt names, not among the seeds:")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	uncounted := false
	for i := range r.NotSeeded {
		if i == format.MaxReported {
			fmt.Fprintf(w, "    and %s more, with --json\n", format.Count(int64(len(r.NotSeeded)-i)))
			break
		}
		o := &r.NotSeeded[i]
		said := o.Trouble
		if said == "" && o.Counted {
			said = fmt.Sprintf("%s that the plan does not have, %s that it has", format.Plural(o.Pages, "page"), format.Count(o.Known))
			if n := o.Disallowed + o.OutOfScope; n > 0 {
				said += fmt.Sprintf(", %s disallowed or out of scope", format.Count(n))
			}
		}
		if said == "" {
			uncounted = true
			fmt.Fprintf(w, "    %s\n", o.URL)
			continue
		}
		fmt.Fprintf(w, "    %s\t%s\n", o.URL, said)
	}
	_ = w.Flush()
	if uncounted {
		fmt.Fprintln(out, "    --sitemaps counts what they list")
	}
}
