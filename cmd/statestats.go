package cmd

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/amblecrawl/amble/crawler"
)

// print writes the counts as a person reads them.
func (s *stateStats) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(w, "%s\t%s\n", name, fmt.Sprintf(format, args...)) // Flush tells of errors
	}
	line("state", "%s", s.State)
	line("crawl", "%s (format %d, begun by amble %s)", s.Crawl, s.Format, cmp.Or(s.Version, "of unknown version"))
	if s.Run == nil {
		line("run", "none yet")
	} else {
		status := "unfinished"
		if s.Run.Finished {
			status = "finished"
		}
		line("run", "%s, %s, started %s", s.Run.ID, status, s.Run.Started.UTC().Format("2006-01-02 15:04:05 MST"))
	}
	if s.LastCommit != "" {
		line("last commit", "%s, number %s", s.LastCommit, count(int64(s.Commits)))
	}
	line("URLs", "%s: %s queued, %s waiting for another attempt, %s with an outcome",
		count(s.URLs.Seen), count(s.URLs.Queued), count(s.URLs.Retry), count(s.URLs.Settled))
	for _, class := range byCount(s.URLs.Outcomes) {
		line("  "+string(class), "%s", count(s.URLs.Outcomes[class]))
	}
	line("hosts", "%s, %s of them with a queue", count(s.URLs.Hosts), count(s.URLs.Busy))
	for _, h := range s.URLs.Largest {
		line("  "+h.Host, "%s queued", count(h.Queued))
	}
	s.Known.print(line)
	line("requests", "%s, %s pages, %s", count(s.Totals.Requests), count(s.Totals.Pages), size(s.Totals.Bytes))
	line("disk", "%s, the ledger's %s included", size(s.Disk.Total), size(s.Disk.Ledger))
	for _, kind := range slices.Sorted(maps.Keys(s.Disk.Files)) {
		line("  "+kind, "%s", size(s.Disk.Files[kind]))
	}
	for _, space := range s.Disk.Spaces {
		if space.Bytes > 0 {
			line("  rows: "+space.Rows, "%s", size(space.Bytes))
		}
	}
	return w.Flush()
}

// byCount orders classes by how often they occur.
func byCount(m map[crawler.Class]int64) []crawler.Class {
	return slices.SortedFunc(maps.Keys(m), func(a, b crawler.Class) int {
		return cmp.Or(cmp.Compare(m[b], m[a]), cmp.Compare(a, b))
	})
}
