package execution

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/politeness"
	"github.com/amblecrawl/amble/politeness/ledger"
)

const (
	// anewParts is into how many parts the time is divided for which a ledger is kept:
	// that much more of it stays at most.
	anewParts = 16
	// leastAnew is the least time from one beginning to the next. A copy of robots.txt
	// holds no longer, so that it hardly costs a request.
	leastAnew = 24 * time.Hour
	// debtsFor is how long it is remembered of a host that was not asked any more how
	// it was to be treated.
	debtsFor = 30 * 24 * time.Hour
)

// beginAnew makes the ledger ready for a new run, and tells whether the account is to be
// one that can begin with it: then the state forgets what hosts' files said.
func (x *Execution) beginAnew(ctx context.Context) bool {
	x.anew = x.Fresh && x.putAside() || x.putAway(ctx)
	return x.anew
}

// putAside has a run that starts over leave a damaged ledger aside.
func (x *Execution) putAside() bool {
	folder := polite.LedgerFolder(x.State)
	damage := ledger.Sound(folder)
	if !errors.As(damage, new(*ledger.CorruptError)) {
		return false
	}
	to, err := ledger.PutAside(folder)
	if err != nil { // opening it will say what is wrong
		x.Log.Error("the damaged ledger could not be put aside", "error", err)
		return false
	}
	x.Log.Warn("the damaged ledger was put aside; amble audit reads what came before the damage", "error", damage, "folder", to)
	return true
}

// putAway has the ledger forget what is older than it is to be kept, and tells whether
// the run that begins is to be one that the account can begin with. A ledger that cannot
// be pruned stays as it is: that stops no run.
func (x *Execution) putAway(ctx context.Context) (anew bool) {
	if x.LedgerFor <= 0 {
		return false
	}
	now := time.Now()
	done, err := ledger.Prune(ctx, polite.LedgerFolder(x.State), now.Add(-x.LedgerFor))
	switch {
	case errors.As(err, new(*ledger.CorruptError)):
		x.Log.Warn("the ledger is damaged: none of it is put away", "error", err)
		return false
	case err != nil:
		x.Log.Warn("nothing of the ledger could be put away", "error", err)
	case done.Put > 0:
		x.Log.Info("the beginning of the ledger was put away", "files", done.Put, "last", done.Before.Last, "requests", done.Before.Requests, "violations", done.Before.Violations)
	}
	if done.Anew.IsZero() { // there is no ledger yet
		return false
	}
	return now.Sub(done.Anew) >= max(x.LedgerFor/anewParts, leastAnew)
}

// spent tells what a state need not know of hosts any more.
func spent(now time.Time) func(name string, value []byte) bool {
	return func(name string, value []byte) bool {
		return strings.HasPrefix(name, crawler.KeyDebts) && politeness.Outlived(value, now.Add(-debtsFor))
	}
}
