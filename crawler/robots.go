package crawler

import (
	"cmp"
	"context"
	"errors"

	"github.com/amblecrawl/amble/crawler/urls"
)

// RobotsLimit is what a robots.txt is read to; RFC 9309 section 2.5 asks for
// at least 500 KiB.
const RobotsLimit = 512 << 10

// fetchRobots performs one step of reading a host's robots.txt, or another file that is
// read before its pages, under the lease of a page that needs it. The page goes back to
// its queue: the host now owes a delay like after any other request.
func (w *worker) fetchRobots(flight context.Context, l *Lease, v Verdict) {
	e := w.engine
	start := e.Clock.Now()
	var resp *Response
	u, err := urls.Parse(v.Robots)
	if err == nil {
		resp, err = w.fetcher.Fetch(v.Grant.Context(flight), u, FetchOptions{MaxBody: RobotsLimit, Truncate: true, Raw: true, Header: v.Header, Admit: w.admitFile})
	}
	if errors.Is(err, ErrNotSent) {
		w.lapsed(flight, l, v.Grant, err)
		return
	}
	state := v.Grant.Done(resp, err)
	e.Frontier.Free(l.ID, state)
	e.Frontier.GiveBack(l.ID)
	if errors.Is(err, ErrStop) {
		w.stop = err
	}
	f := finished{host: l.Host(), state: state, weight: w.weight, small: w.small, requests: requestsSent(err)}
	f.elsewhere, f.elsewhereState = v.Grant.Elsewhere()
	entry := v.Grant.Entry()
	entry.Kind, entry.URL, entry.Host = cmp.Or(v.File, kindRobots), v.Robots, u.Origin()
	if resp != nil {
		f.bytes = resp.Wire
	}
	if entry.Kind == kindRobots {
		entry.RobotsOf = l.Host()
		if resp != nil {
			entry.RobotsBody = resp.Body
		}
	}
	f.entries = []Entry{sent(entry, resp, err)}
	f.urgent = asksForTime(&f.entries[0])
	f.size = int64(len(entry.RobotsBody) + len(state.Robots) + len(state.File))
	if from := storedIn(resp, err); from != "" {
		f.requests, f.bytes, f.urgent = 0, 0, false
		f.entries[0].unsent(from, start)
	} else {
		w.observe(v.Robots, true, start, resp, err)
	}
	e.hand(f)
}
