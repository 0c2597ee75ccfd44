package cmd

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What the partitions of a query are summed up to is right to the last digit, and the
// same after the run has been killed again and again: in files and in a database.
func TestAggregatesAcrossKills(t *testing.T) {
	t.Parallel()
	api := newTowns(t)
	const config = `
connections: {shop: {url: "sqlite:shop.db", concurrency: 2}}
queries:
  orders: {connection: shop, sql: "select id, cast(day as text) as day, customer, total, total * 0.1 as tenth from orders where day = :day", params: {day: text}, page: {column: id, size: 7}}
  days: {connection: shop, sql: "select distinct cast(day as text) as day from orders"}
seeds: [{query: orders, partition: {query: days}}]
aggregate:
  by_customer: {of: orders, group_by: customer, count: true, sum: [total, tenth], min: day, max: day, avg: total}
  in_all: {of: orders, count: true, sum: id, only: true}
output: [{jsonl: "out/{type}.jsonl"}, {csv: "out/{type}.csv"}, {sqlite: out/copy.db}]
commit: {pages: 4, interval: 10ms}
`
	calm := shopCrawl(t, config, 40)
	out := lived(t, calm, api, 0)
	want := records(t, filepath.Join(calm, "out/by_customer.jsonl"))
	// Of 1,240 orders with the totals 0, 1.5 and so on, seven customers have each
	// seventh: customer 0 has 178 of them, 1.5 * 7 * (0 + ... + 177).
	if first := fmt.Sprintf(`"avg_total":929.25,"count":178,"customer":"c0","max_day":"2026-01-31","min_day":"2026-01-01","sum_tenth":%v,"sum_total":165406.5`, 16540.65); len(want) != 7 || !strings.Contains(strings.Join(want, "\n"), first) {
		t.Fatalf("%d groups:\n%s\n%s", len(want), strings.Join(want, "\n"), out)
	}
	all := records(t, filepath.Join(calm, "out/in_all.jsonl"))
	if len(all) != 1 || !strings.Contains(all[0], `"count":1240,"sum_id":769420`) {
		t.Errorf("%q", all)
	}
	if kept, err := os.ReadFile(filepath.Join(calm, "out/orders.jsonl")); err == nil && len(kept) > 0 {
		t.Errorf("the records themselves are written: %.200s", kept)
	}
	dir := shopCrawl(t, config, 40)
	kills := 0
	for i := range 6 {
		cmd := exec.CommandContext(t.Context(), "amble", "run", "crawl.yaml")
		cmd.Dir = dir
		// The ledger tells how far it is: a thousand bytes further each time.
		if killedWhen(t, cmd, func() bool { return sizeOf(filepath.Join(dir, ".amble/*/ledger/*")) > int64(i+1)*1000 }) {
			kills++
		}
	}
	t.Logf("%d kills", kills)
	lived(t, dir, api, 0)
	for _, name := range []string{"by_customer", "in_all"} {
		got, want := records(t, filepath.Join(dir, "out", name+".jsonl")), records(t, filepath.Join(calm, "out", name+".jsonl"))
		if !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
