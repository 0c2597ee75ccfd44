package cmd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/fixtures"
)

// A damaged ledger stops a run before its first request, which says what helps, and
// does help: the next account is whole, and the old one can be read up to the damage.
func TestDamagedLedger(t *testing.T) {
	t.Parallel()
	c := newFixtureCrawl(t, `name: quotes
seeds: [http://quotes.example/]
scope: {max_pages: 3}
politeness: {contact: qa@shop.example, delay: 10ms}
fetch:
  allow_private: true
extract: {quote: {each: .quote, fields: {text: .text}}}
output: [{jsonl: "{type}.jsonl"}]
`, fixtures.Options{Hosts: []string{"quotes.example"}})
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
