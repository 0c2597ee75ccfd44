package serve

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"

	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler/daemon"
	"github.com/amblecrawl/amble/crawler/dashboard"
	"github.com/amblecrawl/amble/politeness/ledger"
)

// Bounds of what the page of a host reads.
const (
	hostRequests = 500
	hostRead     = 32 << 20 // of the ledger's files, the last one in any case
)

// hostAccount reads what the ledger of a crawl says of a host.
func (s *server) hostAccount(ctx context.Context, crawl, host string) (*dashboard.HostAccount, error) {
	cfg := (*s.byName.Load())[crawl]
	if cfg == nil {
		return nil, daemon.ErrUnknown
	}
	r, err := ledger.ReadRecent(ctx, polite.LedgerFolder(cfg.State), host, hostRequests, hostRead)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, dashboard.ErrNoHost
	case err != nil:
		return nil, err
	case len(r.Entries)+len(r.Versions) == 0:
		return nil, dashboard.ErrNoHost
	}
	a := &dashboard.HostAccount{Host: host, Whole: r.Whole, From: r.From, Requests: []dashboard.HostRequest{}, Robots: []dashboard.HostRobots{}}
	for i := range r.Entries {
		e := &r.Entries[i]
		a.Requests = append(a.Requests, dashboard.HostRequest{
			At: e.Start, URL: cfg.Redact(e.URL), Kind: e.Kind.String(), Method: e.Method, Withheld: e.Withheld, Reason: cfg.Redact(e.Reason),
			Status: e.Status, Class: e.Class, Bytes: e.Bytes, TookS: max(0, e.End.Sub(e.Start)).Seconds(),
			OwedS: e.Owed.Seconds(), OwedBy: e.By, PaidS: max(0, e.Paid).Seconds(), RetryAfterS: e.RetryAfter.Seconds(), RobotsLine: e.Line,
		})
		if e.Withheld {
			a.Requests[i].TookS = 0
		}
	}
	for i := range r.Versions {
		v := &r.Versions[i]
		a.Robots = append(a.Robots, dashboard.HostRobots{At: v.FetchedAt, Status: v.Status, Hash: hex.EncodeToString(v.Hash[:4])})
	}
	return a, nil
}
