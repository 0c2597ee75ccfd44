package dashboard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"slices"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/daemon"
	"github.com/amblecrawl/amble/crawler/monitor"
)

// Crawl is a crawl as the API shows it.
type Crawl struct {
	daemon.Status
	State    string `json:"state"` // running, waiting, paused, scheduled or manual
	Cron     string `json:"cron,omitempty"`
	Timezone string `json:"timezone,omitempty"`
	Config   string `json:"config"` // the file
	Alerts   int    `json:"alerts"` // targets of messages
	// Mistakes are those of the file's version on the disk; the last good one is used.
	Mistakes string `json:"mistakes,omitempty"`
	Recent   []Bar  `json:"recent"` // runs that ended, the latest first
	Live     *Live  `json:"live,omitempty"`
}

// Last is the run that ended last, nil before one has.
func (c *Crawl) Last() *Bar {
	if len(c.Recent) == 0 {
		return nil
	}
	return &c.Recent[0]
}

// Live are the figures of a run that goes on.
type Live struct {
	ElapsedS       float64 `json:"elapsed_s"`
	PagesPerSecond float64 `json:"pages_per_second"` // over the last ten seconds
	Pages          int64   `json:"pages"`
	Requests       int64   `json:"requests"`
	Bytes          int64   `json:"bytes"`
	InFlight       int64   `json:"in_flight"`
	Queued         int64   `json:"queued"`
	Settled        int64   `json:"settled"`
	Failed         int64   `json:"failed"`
	Disallowed     int64   `json:"disallowed"`
	Hosts          int64   `json:"hosts"`
	HostsWaiting   int64   `json:"hosts_waiting"` // until they may be asked again
	NextDueS       float64 `json:"next_due_s"`    // until the first of them may be
	Errors         []Error `json:"errors"`
	Records        []Count `json:"records"`
	Latest         []Type  `json:"latest"` // records, the newest last

	MemoryWaiting int64           `json:"memory_waiting"` // pages in flight that wait for memory
	Queues        []monitor.Queue `json:"queues"`         // the hosts with most queued
	Types         []monitor.Fill  `json:"types"`          // the fill rates of their fields

	Revisit *revisited `json:"revisit,omitempty"`
}

// Error is a class of URLs that gave no page, with one of them.
type Error struct {
	Class  string `json:"class"`
	Count  int64  `json:"count"`
	URL    string `json:"url,omitempty"`
	Detail string `json:"detail,omitempty"`
}

// Count is a record type and its records.
type Count struct {
	Type  string `json:"type"`
	Count int64  `json:"count"`
}

// Type is a record type and some of its records.
type Type struct {
	Type    string            `json:"type"`
	Records []monitor.Preview `json:"records"`
}

// crawls gives all crawls without their runs and figures.
func (s *Server) crawls() []Crawl {
	standing := s.opt.Daemon.Status()
	configs := map[string]Config{}
	for _, c := range s.opt.Configs() {
		if c.Crawl != "" {
			configs[c.Crawl] = c
		}
	}
	all := make([]Crawl, len(standing))
	for i := range standing {
		c := configs[standing[i].Name]
		all[i] = Crawl{
			Status: standing[i], State: stateOf(&standing[i], c.Cron), Cron: c.Cron, Timezone: c.Timezone,
			Config: c.File, Alerts: c.Alerts, Mistakes: c.Mistakes, Recent: []Bar{},
		}
	}
	return all
}

func stateOf(s *daemon.Status, cron string) string {
	switch {
	case s.Running != 0:
		return "running"
	case s.Waiting:
		return "waiting"
	case s.Paused:
		return "paused"
	case cron == "":
		return "manual"
	}
	return "scheduled"
}

// fill adds what is known of a crawl's runs.
func (s *Server) fill(ctx context.Context, c *Crawl) (err error) {
	c.Live = s.live(c.Name)
	c.Recent, err = s.recentOf(ctx, &c.Status)
	return err
}

// crawl gives one crawl with everything.
func (s *Server) crawl(ctx context.Context, name string) (Crawl, error) {
	all := s.crawls()
	i := slices.IndexFunc(all, func(c Crawl) bool { return c.Name == name })
	if i < 0 {
		return Crawl{}, daemon.ErrUnknown
	}
	err := s.fill(ctx, &all[i])
	all[i].Live = s.closely(name)
	return all[i], err
}

// maxQueues is how many hosts of a run are shown.
const maxQueues = 20

// closely is live with what takes more work: the queues by host and the fill rates.
func (s *Server) closely(crawl string) *Live {
	m, l := s.opt.Board.Live(crawl), s.live(crawl)
	if m == nil || l == nil {
		return nil
	}
	if queues := m.Queues(maxQueues); queues != nil {
		l.Queues = queues
	}
	if types := m.Fills(); types != nil {
		l.Types = types
	}
	return l
}

// live gives the figures of a crawl's run, nil when none goes on.
func (s *Server) live(crawl string) *Live {
	m := s.opt.Board.Live(crawl)
	if m == nil {
		return nil
	}
	now := m.Snapshot()
	l := &Live{
		ElapsedS: tenths(now.Elapsed), PagesPerSecond: float64(int64(now.Rate*10+0.5)) / 10, Pages: now.Totals.Pages, Requests: now.Totals.Requests,
		Bytes: now.Totals.Bytes, InFlight: now.InFlight, Queued: now.Frontier.Queued, Settled: now.Frontier.Settled,
		Failed: now.Totals.Failed, Disallowed: now.Totals.Disallowed, Hosts: now.Frontier.Hosts,
		HostsWaiting: now.Frontier.Waiting, NextDueS: tenths(now.NextDue), Errors: []Error{}, Records: []Count{}, Latest: []Type{},
		Queues: []monitor.Queue{}, Types: []monitor.Fill{}, Revisit: revisitedOf(&now.Totals.Revisit),
	}
	examples := m.Examples()
	add := func(class crawler.Class, n int64) {
		e := Error{Class: string(class), Count: n}
		if known := examples[class]; len(known) > 0 {
			e.URL, e.Detail = known[0].URL, known[0].Detail
		}
		l.Errors = append(l.Errors, e)
	}
	for class, n := range now.Totals.Errors {
		add(class, n)
	}
	if now.Totals.Disallowed > 0 {
		add(crawler.ClassDisallowed, now.Totals.Disallowed)
	}
	for name, n := range now.Totals.Records {
		l.Records = append(l.Records, Count{name, n})
	}
	l.Latest, l.MemoryWaiting = typesOf(m.Latest()), now.Short
	slices.SortFunc(l.Errors, func(a, b Error) int { return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Class, b.Class)) })
	slices.SortFunc(l.Records, func(a, b Count) int { return cmp.Compare(a.Type, b.Type) })
	return l
}

func tenths(d time.Duration) float64 { return float64(d.Milliseconds()/100) / 10 }

// Watched is what those who watch one crawl are sent.
type Watched struct {
	State   string `json:"state"`
	Version string `json:"version"` // another one: the page is to be read again
	Live    *Live  `json:"live,omitempty"`
}

// watched is what there is to see of a crawl now.
func (s *Server) watched(name string) any {
	for _, c := range s.crawls() {
		if c.Name == name {
			return Watched{c.State, versionOf([]Crawl{c}), s.closely(name)}
		}
	}
	return Watched{State: "gone", Version: "gone"}
}

// WatchedAll is what those who watch all crawls are sent.
type WatchedAll struct {
	Version string        `json:"version"`
	Running []WatchedCard `json:"running"`
}

// WatchedCard are the figures of one of the crawls that run.
type WatchedCard struct {
	Name           string  `json:"name"`
	Pages          int64   `json:"pages"` // as Live.Seen has them
	PagesPerSecond float64 `json:"pages_per_second"`
}

func (s *Server) watchedAll() any {
	all := s.crawls()
	out := WatchedAll{Version: s.overallVersion(all), Running: []WatchedCard{}}
	for i := range all {
		if l := s.live(all[i].Name); l != nil {
			out.Running = append(out.Running, WatchedCard{all[i].Name, l.Seen(), l.PagesPerSecond})
		}
	}
	return out
}

// overallVersion changes with the crawls, and with the files that are no crawls.
func (s *Server) overallVersion(all []Crawl) string {
	h := fnv.New64a()
	for _, c := range s.opt.Configs() {
		fmt.Fprintf(h, "%q %q\n", c.File, c.Mistakes)
	}
	return versionOf(all) + fmt.Sprintf("-%x", h.Sum64())
}

// versionOf changes with what a page says of crawls, but for the figures of runs.
func versionOf(all []Crawl) string {
	h := fnv.New64a()
	for i := range all {
		c := &all[i]
		fmt.Fprintf(h, "%s %s %v %d %v %q %v\n", c.Name, c.State, c.Paused, c.Queued, stageOf(&c.Status), c.Mistakes, c.Next.Unix())
	}
	return fmt.Sprintf("%x", h.Sum64())
}

// act does to a crawl what a button says.
func (s *Server) act(verb, name string) error {
	do := map[string]func(string) error{
		"start": s.opt.Daemon.Start, "stop": s.opt.Daemon.Stop, "pause": s.opt.Daemon.Pause, "resume": s.opt.Daemon.Resume,
	}[verb]
	if do == nil {
		return errors.ErrUnsupported
	}
	return do(name)
}
