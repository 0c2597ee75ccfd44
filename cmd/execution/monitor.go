package execution

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/drift"
	"github.com/amblecrawl/amble/crawler/frontier"
	"github.com/amblecrawl/amble/crawler/monitor"
	"github.com/amblecrawl/amble/politeness"
	"github.com/amblecrawl/amble/politeness/ledger"
)

// watchable gives a monitor what people who watch the run ask for.
func watchable(m *monitor.Monitor, f *frontier.Frontier, gate *politeness.Gate, tally *drift.Tally) {
	m.Attach(monitor.Sources{
		Queues: func(most int, now time.Time) []monitor.Queue { return queuesOf(f, gate, most, now) },
		Fills:  func() []monitor.Fill { return fillsOf(tally.Figures()) },
	})
}

// queuesOf joins what is queued with why it waits.
func queuesOf(f *frontier.Frontier, gate *politeness.Gate, most int, now time.Time) []monitor.Queue {
	queues := f.Queues(most)
	all := make([]monitor.Queue, 0, len(queues))
	for i := range queues {
		q := &queues[i]
		s := gate.Standing(q.Host)
		one := monitor.Queue{
			Host: q.Host, Queued: q.Queued, More: q.More, InFlight: q.InFlight, OwedS: s.Owed.Seconds(), OwedBy: s.By,
			Why: s.WaitBy, ForS: max(0, s.Until.Sub(now)).Seconds(),
		}
		if s.Until.IsZero() { // what holds it up is not the host's time
			one.ForS = 0
			if wait := q.NotBefore.Sub(now); wait > 0 {
				one.Why, one.ForS = politeness.ByOther, wait.Seconds()
			}
		}
		all = append(all, one)
	}
	return all
}

func fillsOf(figures map[string]drift.Figures) []monitor.Fill {
	all := make([]monitor.Fill, 0, len(figures))
	for _, name := range slices.Sorted(maps.Keys(figures)) {
		f := figures[name]
		fill := monitor.Fill{Type: name, Records: f.Records, Rejected: f.Rejected, Fields: []monitor.FieldFill{}}
		for _, field := range slices.Sorted(maps.Keys(f.Fields)) {
			fill.Fields = append(fill.Fields, monitor.FieldFill{Name: field, Fill: f.Fields[field].Fill})
		}
		all = append(all, fill)
	}
	return all
}

// recountIn bounds how long earlier processes of a run are read of.
const recountIn = 5 * time.Second

// recount adds to an account of hosts what earlier processes did of a run.
func recount(ctx context.Context, hosts *monitor.Hosts, state, run string) {
	ctx, cancel := context.WithTimeout(ctx, recountIn)
	defer cancel()
	for e, err := range ledger.ReadLatest(ctx, polite.LedgerFolder(state), run) {
		if errors.Is(err, ledger.ErrTorn) { // what a kill leaves behind
			return
		}
		if err != nil { // who looks at the ledger is told of what is wrong with it
			hosts.Partial()
			return
		}
		hosts.Add(&crawler.Entry{
			Host: e.Host, Kind: kindNames[e.Kind], Withheld: e.Withheld, Start: e.Start, End: e.End, Owed: e.Owed, Paid: e.Paid,
			Status: e.Status, Class: crawler.Class(e.Class), Bytes: e.Bytes, RetryAfter: e.RetryAfter,
		})
	}
}

// kindNames are the kinds of a ledger as the engine has them.
var kindNames = map[ledger.Kind]string{ledger.Page: "page", ledger.Robots: "robots", ledger.Sitemap: "sitemap"}

// detail is what the history keeps of a run beside its summary.
type detail struct {
	monitor.HostList
	Latest map[string][]monitor.Preview `json:"latest,omitempty"`
}

// Detail is the detail of a run that has ended, nil where nothing can be told. Where
// this process has seen no record, those that an earlier one has seen are the latest.
func Detail(m *monitor.Monitor, earlier json.RawMessage) json.RawMessage {
	d := detail{Latest: m.Latest()}
	if len(d.Latest) == 0 && len(earlier) > 0 {
		var before detail
		if json.Unmarshal(earlier, &before) == nil { // of another version there is none
			d.Latest = before.Latest
		}
	}
	if hosts := m.Hosts(); hosts != nil {
		d.HostList = hosts.List()
	}
	data, err := json.Marshal(d)
	if err != nil { // a figure that is no number: none of ours
		return nil
	}
	return data
}
