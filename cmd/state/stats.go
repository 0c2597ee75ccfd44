package state

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/amblecrawl/amble/cmd/format"
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
		line("last commit", "%s, number %s", s.LastCommit, format.Count(int64(s.Commits)))
	}
	line("URLs", "%s: %s queued, %s waiting for another attempt, %s with an outcome",
		format.Count(s.URLs.Seen), format.Count(s.URLs.Queued), format.Count(s.URLs.Retry), format.Count(s.URLs.Settled))
	for _, class := range byCount(s.URLs.Outcomes) {
		line("  "+string(class), "%s", format.Count(s.URLs.Outcomes[class]))
	}
	line("hosts", "%s, %s of them with a queue", format.Count(s.URLs.Hosts), format.Count(s.URLs.Busy))
	for _, h := range s.URLs.Largest {
		line("  "+h.Host, "%s queued", format.Count(h.Queued))
	}
	s.Known.print(line)
	line("requests", "%s, %s pages, %s", format.Count(s.Totals.Requests), format.Count(s.Totals.Pages), format.Size(s.Totals.Bytes))
	line("disk", "%s, the ledger's %s included", format.Size(s.Disk.Total), format.Size(s.Disk.Ledger))
	for _, kind := range slices.Sorted(maps.Keys(s.Disk.Files)) {
		line("  "+kind, "%s", format.Size(s.Disk.Files[kind]))
	}
	for _, space := range s.Disk.Spaces {
		if space.Bytes > 0 {
			line("  rows: "+space.Rows, "%s", format.Size(space.Bytes))
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
