package ledger

import (
	"bufio"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"text/tabwriter"
	"time"
)

// alignedRows is how many hosts share their column widths; a table is held in
// memory until it is aligned.
const alignedRows = 1000

// WriteText writes the report for a terminal. Whatever the ledger holds, it is
// printable.
func (r *Report) WriteText(w io.Writer) error {
	out := bufio.NewWriter(w)
	if r.Processes == 0 {
		fmt.Fprintln(out, "nothing of the ledger could be read")
		return flush(out)
	}
	fmt.Fprintf(out, "crawl %s, run %s, agent %s: %d processes, %s to %s\n",
		printable(r.Run.Crawl), printable(r.Run.Run), printable(r.Run.Agent), r.Processes, stamp(r.First), stamp(r.Last))
	fmt.Fprintf(out, "%d requests sent, %d withheld, %d hosts, %d violations\n", r.Requests, r.Withheld, len(r.Hosts), r.Found)
	r.writeBefore(out)
	if r.Run.Policy.IgnoreRobots {
		fmt.Fprintln(out, "robots.txt was ignored, as configured")
	}
	for _, host := range slices.Sorted(maps.Keys(r.Run.Policy.Hosts)) {
		if r.Run.Policy.Hosts[host].API {
			fmt.Fprintf(out, "%s was declared an API, to which robots.txt does not apply\n", printable(host))
		}
	}
	if r.Torn != "" {
		fmt.Fprintln(out, "the last frame is incomplete: "+printable(r.Torn))
		fmt.Fprintln(out, "A crash in the middle of a write leaves this behind. It is no violation: the pages of the")
		fmt.Fprintln(out, "requests in that frame were not committed either, and are asked for again. They are not judged.")
	}
	for from := 0; from < len(r.Hosts); from += alignedRows {
		fmt.Fprintln(out)
		if err := writeRows(out, r.Hosts[from:min(from+alignedRows, len(r.Hosts))]); err != nil {
			return fmt.Errorf("ledger: report: %w", err)
		}
	}
	if r.Found > 0 {
		fmt.Fprintln(out, "\nviolations")
	}
	for _, v := range r.Violations {
		fmt.Fprintln(out, v)
	}
	if more := r.Found - int64(len(r.Violations)); more > 0 {
		fmt.Fprintf(out, "and %d more\n", more)
	}
	return flush(out)
}

// writeBefore says from when on the account is held.
func (r *Report) writeBefore(out io.Writer) {
	if b := r.Before; b != nil {
		fmt.Fprintf(out, "the account is held from %s on; what is older was audited and put away:\n", stamp(r.First))
		fmt.Fprintf(out, "  %d requests sent, %d withheld, %d violations, %d processes, %s to %s\n", b.Requests, b.Withheld, b.Violations, b.Processes, stamp(b.First), stamp(b.Last))
		fmt.Fprintf(out, "  SHA-256 of its files, to %s: %s\n", filepath.Base(segmentFile("", b.Through)), b.Digest)
	}
	if r.Missing > 0 {
		fmt.Fprintf(out, "the account begins with %s: the files before it are missing, and nothing says why\n", filepath.Base(segmentFile("", r.Missing+1)))
	}
}

func flush(out *bufio.Writer) error {
	if err := out.Flush(); err != nil {
		return fmt.Errorf("ledger: report: %w", err)
	}
	return nil
}

func writeRows(out io.Writer, rows []HostRow) error {
	t := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "host\tsent\twithheld\tviolations\towed\tby\tleast gap\tmedian gap\tat once\trobots.txt\tdebts")
	for i := range rows {
		h := &rows[i]
		least, median := "-", "-"
		if h.Gaps > 0 {
			least, median = brief(h.LeastGap), brief(h.MedianGap)
		}
		by := h.OwedBy
		if by == "" {
			by = "-"
		}
		fmt.Fprintf(t, "%s\t%d\t%d\t%d\t%s\t%s\t%s\t%s\t%d of %d\t%d read, %d versions\t%d\n",
			printable(h.Host), h.Requests, h.Withheld, h.Violations, brief(h.Owed), printable(by), least, median,
			h.AtOnce, h.Allowed, h.ReadRobots, len(h.Versions), h.Debts)
	}
	return t.Flush()
}

// brief gives a duration in milliseconds at the finest, rounded down, so that
// a gap never looks longer than it was.
func brief(d time.Duration) string {
	if d < 0 {
		return "-" + brief(-d)
	}
	if d < time.Second {
		return d.Truncate(Precision).String()
	}
	return d.Truncate(time.Millisecond).String()
}
