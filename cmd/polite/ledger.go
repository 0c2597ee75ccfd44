package polite

import (
	"path/filepath"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/politeness"
	"github.com/amblecrawl/amble/politeness/ledger"
)

// LedgerFolder is where a state keeps its account with the hosts. It outlives
// the runs whose requests it holds.
func LedgerFolder(state string) string { return filepath.Join(state, "ledger") }

// Account writes the engine's entries to a ledger.
type Account struct {
	*ledger.Ledger
	veil *config.Veil
	// Tell is told of entries that are in the ledger; nil for nobody.
	Tell func([]crawler.Entry)
}

var _ crawler.Ledger = Account{}

// OpenLedger begins the account of this process.
func OpenLedger(cfg *config.Config, state, run string, anew bool) (Account, error) {
	l, err := ledger.Open(LedgerFolder(state), ledger.RunInfo{
		Run: run, Crawl: cfg.Name, Agent: cfg.Politeness.Agent, Contact: cfg.Politeness.Contact, Started: time.Now(), Policy: promised(cfg), Anew: anew,
	})
	return Account{Ledger: l, veil: cfg.Veil()}, err
}

// promised is what a config promises to hosts, as the ledger states it.
func promised(cfg *config.Config) ledger.Policy {
	p := &cfg.Politeness
	policy := ledger.Policy{
		Delay: p.Delay, Concurrency: p.Concurrency, IgnoreRobots: p.Robots == "ignore",
		MaxCrawlDelay: p.MaxCrawlDelay, MaxRetryAfter: p.MaxRetryAfter,
		Backoff: politeness.BackoffFirst, BackoffMost: politeness.BackoffMost,
		CircuitAfter: p.CircuitAfter, CircuitPause: politeness.CircuitFirst, CircuitMost: politeness.CircuitMost,
		Hours: p.Hours, Hosts: make(map[string]ledger.HostPolicy, len(p.Hosts)),
	}
	if p.Hours != "" {
		policy.Zone = p.Timezone
	}
	for host, x := range exceptionsOf(cfg) {
		policy.Hosts[host] = ledger.HostPolicy{Delay: x.delay, Concurrency: x.concurrency, Hours: x.hours, Zone: x.zone, API: x.api, CircuitMost: x.circuitMost}
	}
	return policy
}

// Append implements crawler.Ledger.
func (a Account) Append(entries []crawler.Entry) error {
	lines := make([]ledger.Entry, 0, len(entries))
	var versions []ledger.RobotsVersion
	for i := range entries {
		e := &entries[i]
		lines = append(lines, ledger.Entry{
			Start: e.Start, End: e.End, Decided: e.Decided, Answered: e.Answered, Booked: e.Booked, Failed: e.Failed, Host: e.Host, Group: e.Group, URL: a.veil.Hide(e.URL), Kind: kindOf(e.Kind), Method: e.Method, Call: e.Call,
			Withheld: e.Withheld, Reason: a.veil.Hide(e.Reason), RobotsHash: e.RobotsHash, Line: e.RobotsLine,
			Owed: e.Owed, By: e.By, Paid: e.Paid, Status: e.Status, Class: string(e.Class), Bytes: e.Bytes,
			Attempt: e.Attempt, RetryAfter: e.RetryAfter, Concurrency: e.Concurrency,
		})
		if v, ok := versionOf(e); ok {
			versions = append(versions, v)
		}
	}
	if err := a.Ledger.Append(lines, versions); err != nil {
		return err
	}
	if a.Tell != nil {
		a.Tell(entries)
	}
	return nil
}

// versionOf is the version of robots.txt that an exchange brought: a file, the
// lack of one, or that the last one is still current.
func versionOf(e *crawler.Entry) (ledger.RobotsVersion, bool) {
	v := ledger.RobotsVersion{Origin: e.RobotsOf, FetchedAt: e.End, Status: e.Status, Body: e.RobotsBody}
	switch {
	case e.RobotsOf == "", e.Class != "":
		return v, false
	case e.Status/100 == 2:
		return v, true
	case e.Status == 304:
		v.Body, v.Hash = nil, e.RobotsHash
		return v, true
	case e.Status/100 == 4 && e.Status != 429:
		v.Body = []byte{}
		return v, true
	}
	return v, false
}

func kindOf(kind string) ledger.Kind {
	switch kind {
	case "page":
		return ledger.Page
	case "robots":
		return ledger.Robots
	case "sitemap":
		return ledger.Sitemap
	}
	return ledger.Other
}
