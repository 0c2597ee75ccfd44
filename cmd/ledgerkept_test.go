package cmd

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/politeness/ledger"
)

// plantLedger puts the account of an earlier process into a state.
func plantLedger(t *testing.T, folder string, started time.Time, anew bool) {
	t.Helper()
	l, err := ledger.Open(folder, ledger.RunInfo{Run: "earlier", Crawl: "quotes", Agent: "amble", Started: started, Anew: anew})
	if err != nil {
		t.Fatal(err)
	}
	at := started.Add(time.Second)
	err = l.Append([]ledger.Entry{{Start: at, End: at, Host: "http://old.example", URL: "http://old.example/robots.txt", Kind: ledger.Robots, Status: 404, Concurrency: 1}}, nil)
	if err := errors.Join(err, l.Close()); err != nil {
		t.Fatal(err)
	}
}

// A ledger that is kept for some days loses what is older when a run begins, the run that
// the account can begin with reads robots.txt itself, and the account holds. Without the
// key amble run keeps all.
func TestLedgerIsKeptForSomeDays(t *testing.T) {
	t.Parallel()
	c := fewQuotes(t)
	state := filepath.Join(c.dir, ".amble", "quotes")
	folder := filepath.Join(state, "ledger")
	c.run(t) // so that the state knows the robots.txt
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	plantLedger(t, folder, now.AddDate(0, 0, -9), false)
	plantLedger(t, folder, now.AddDate(0, 0, -5), true)
	plantLedger(t, folder, now.AddDate(0, 0, -4), false)
	for i, step := range []struct {
		set   string
		put   bool // the first file goes
		files int
	}{
		{"history.ledger_days=7", false, 3}, {"history.ledger_days=7", false, 3}, {"history.ledger_days=0", false, 3}, {"history.ledger_days=3", true, 2}, {"history.days=1", true, 2},
	} {
		robots := c.web.Account().Host("quotes.example").Paths["/robots.txt"]
		c.run(t, "--set", step.set)
		files, _ := filepath.Glob(filepath.Join(folder, "*.ledger"))
		_, err := os.Stat(filepath.Join(folder, "000001.ledger"))
		if len(files) != step.files || errors.Is(err, fs.ErrNotExist) != step.put {
			t.Fatalf("%s: %v, %v", step.set, files, err)
		}
		again := c.web.Account().Host("quotes.example").Paths["/robots.txt"] - robots
		if (again == 1) != (i == 0) {
			t.Errorf("%s: robots.txt was asked for %d times", step.set, again)
		}
		out, err := ambleIn(t, c.dir, nil, "audit", state)
		held := "the account is held from " + now.AddDate(0, 0, -5).UTC().Format("2006-01-02T15:")
		if err != nil || strings.Contains(out, held) != step.put {
			t.Errorf("%s: %v\n%s", step.set, err, out)
		}
	}
}
