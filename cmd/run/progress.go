package run

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler/monitor"
)

// How often each kind of progress speaks.
const (
	displayEvery = 200 * time.Millisecond
	plainEvery   = 5 * time.Second
	jsonEvery    = time.Second
)

// showProgress shows a run on w until the returned function is called: a calm
// display on a terminal, JSON lines when asked for, plain lines otherwise. The
// returned writer is where logs go meanwhile, so that they do not tear it.
func showProgress(w io.Writer, m *monitor.Monitor, asJSON bool, maxPages int64) (logs io.Writer, stop func()) {
	if bare, hide := cli.Beneath(w); hide != nil { // a display shows counts and rates only
		logs, stop = showProgress(bare, m, asJSON, maxPages)
		return hide(logs), stop
	}
	file, isFile := w.(*os.File)
	switch {
	case asJSON:
		return w, every(jsonEvery, func() { printJSONProgress(w, m.Snapshot()) })
	case isFile && term.IsTerminal(int(file.Fd())):
		return display(w, m, maxPages)
	}
	return w, every(plainEvery, func() { fmt.Fprintln(w, plainProgress(m.Snapshot(), maxPages)) })
}

// every calls do at each tick until the returned function is called.
func every(d time.Duration, do func()) (stop func()) {
	ticker := time.NewTicker(d)
	quit, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case <-ticker.C:
				do()
			case <-quit:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(quit)
		<-ended
	}
}

// display draws three lines that are redrawn in place and vanish at the end.
func display(w io.Writer, m *monitor.Monitor, maxPages int64) (io.Writer, func()) {
	p := mpb.New(mpb.WithOutput(w), mpb.WithRefreshRate(displayEvery))
	var bars []*mpb.Bar
	for i := range displayLines(monitor.Snapshot{}, 0) {
		line := func(out io.Writer, st decor.Statistics) error {
			text := []rune(displayLines(m.Snapshot(), maxPages)[i])
			if width := max(10, st.AvailableWidth-1); len(text) > width {
				text = text[:width]
			}
			_, err := io.WriteString(out, string(text))
			return err
		}
		bars = append(bars, p.MustAdd(0, mpb.BarFillerFunc(line), mpb.BarRemoveOnComplete()))
	}
	return p, func() {
		for _, b := range bars {
			b.Abort(true)
		}
		p.Wait()
	}
}

func displayLines(s monitor.Snapshot, maxPages int64) []string {
	t, f := &s.Totals, &s.Frontier
	pages := fmt.Sprintf("  pages %s   %.1f/s   records %s", format.Count(t.Pages), s.Rate, format.Count(format.Sum(t.Records)))
	if eta := eta(s, maxPages); eta != "" {
		pages += "   " + eta
	}
	queue := fmt.Sprintf("  in flight %d   queued %s   hosts %s", s.InFlight, format.Count(f.Queued), format.Count(f.Hosts))
	if f.Waiting > 0 {
		queue += fmt.Sprintf(" (%s waiting", format.Count(f.Waiting))
		if s.NextDue >= time.Second {
			queue += ", next in " + format.Duration(s.NextDue)
		}
		queue += ")"
	}
	trouble := fmt.Sprintf("  failed %s   disallowed %s   retries %s   %s in %s",
		format.Count(t.Failed), format.Count(t.Disallowed), format.Count(t.Retries), format.Size(t.Bytes), format.Duration(s.Elapsed))
	return []string{pages, queue, trouble}
}

func plainProgress(s monitor.Snapshot, maxPages int64) string {
	var parts []string
	for _, line := range displayLines(s, maxPages) {
		parts = append(parts, strings.TrimSpace(line))
	}
	return strings.Join(parts, "   ")
}

// eta is the time to the bound at the present rate: the page bound when there
// is one, else what is queued by now, which grows while links are found.
func eta(s monitor.Snapshot, maxPages int64) string {
	if s.Rate < 0.01 {
		return ""
	}
	left, qualifier := s.Frontier.Queued, "at least "
	if maxPages > 0 {
		if bound := maxPages - s.Totals.Pages; bound < left {
			left, qualifier = bound, "about "
		}
	}
	if left <= 0 {
		return ""
	}
	return qualifier + format.Duration(time.Duration(float64(left)/s.Rate*float64(time.Second))) + " left"
}

type progressLine struct {
	Event      string           `json:"event"`
	ElapsedS   float64          `json:"elapsed_s"`
	Pages      int64            `json:"pages"`
	Requests   int64            `json:"requests"`
	Records    map[string]int64 `json:"records"`
	Rate       float64          `json:"rate"`
	InFlight   int64            `json:"in_flight"`
	Queued     int64            `json:"queued"`
	Hosts      int64            `json:"hosts"`
	Waiting    int64            `json:"waiting"`
	NextDueS   float64          `json:"next_due_s"`
	Failed     int64            `json:"failed"`
	Disallowed int64            `json:"disallowed"`
	Bytes      int64            `json:"bytes"`
}

func printJSONProgress(w io.Writer, s monitor.Snapshot) {
	line := progressLine{
		Event: "progress", ElapsedS: s.Elapsed.Seconds(), Pages: s.Totals.Pages, Requests: s.Totals.Requests,
		Records: s.Totals.Records, Rate: s.Rate, InFlight: s.InFlight, Queued: s.Frontier.Queued,
		Hosts: s.Frontier.Hosts, Waiting: s.Frontier.Waiting, NextDueS: s.NextDue.Seconds(),
		Failed: s.Totals.Failed, Disallowed: s.Totals.Disallowed, Bytes: s.Totals.Bytes,
	}
	_ = json.NewEncoder(w).Encode(line) // a closed stderr is nobody's loss
}
