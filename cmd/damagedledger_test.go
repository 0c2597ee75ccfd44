package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A damaged ledger stops a run before its first request, which says what helps, and
// does help: the next account is whole, and the old one can be read up to the damage.
func TestDamagedLedger(t *testing.T) {
	t.Parallel()
	c := fewQuotes(t)
	c.run(t)
	file := filepath.Join(c.dir, ".amble", "quotes", "ledger", "000001.ledger")
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	write(t, file, string(data))
	before := c.served()
	out, err := c.command(t).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "is damaged at offset") || !strings.Contains(string(out), "run with --fresh to start over") || c.served() != before {
		t.Fatalf("%v after %d requests\n%s", err, c.served()-before, out)
	}
	c.run(t, "--fresh")
	state := filepath.Join(c.dir, ".amble", "quotes")
	c.run(t) // relies on what the new account holds
	if out, err := ambleIn(t, c.dir, nil, "audit", state); err != nil {
		t.Errorf("the new account: %v\n%s", err, out)
	}
	out2, err := ambleIn(t, c.dir, nil, "audit", filepath.Join(state, "ledger", "damaged-1"))
	if err == nil || !strings.Contains(out2, "is damaged at offset") || !strings.Contains(out2, " requests sent") {
		t.Errorf("the old account: %v\n%s", err, out2)
	}
}
