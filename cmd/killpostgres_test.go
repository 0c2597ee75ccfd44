package cmd

import (
	"database/sql"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler/fetch/database/databasetest"
	"github.com/amblecrawl/amble/fixtures"
)

// TestKilledPostgres kills a crawl that writes to a server, in a test of its own since
// not every machine has one. By the files beside it the moments are known.
func TestKilledPostgres(t *testing.T) {
	t.Parallel()
	server := databasetest.For(t, databasetest.Postgres)
	t.Cleanup(server.Stop)
	db, err := sql.Open("pgx", server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	begin := func(schema string) *fixtureCrawl {
		settings, _, _ := strings.Cut(killConfig, "output:\n")
		return newFixtureCrawl(t, settings+"output:\n  - jsonl: \"{type}.jsonl\"\n  - postgres: {url: \""+server.URL+"\", schema: "+schema+"}\n", fixtures.Options{Hosts: contentHosts})
	}
	calm := begin("calm")
	calm.run(t)
	c := begin("killed")
	c.whole = calm.distinct()
	n := killUntilDone(t, c, rand.New(rand.NewPCG(seed(t), 11)), 0, min(kills(t), 2*len(moments)))
	t.Logf("finished after %d kills", n)
	for _, kind := range killKinds {
		records := readRelation(t, db, `"killed"."`+kind+`"`)
		compareCounts(t, "postgres "+kind, withoutTimes(t, records), withoutTimes(t, readRelation(t, db, `"calm"."`+kind+`"`)))
		sameRun(t, records)
		tell(t, "records compared in postgres", len(records))
	}
}

// readRelation gives the rows of a table, but for the column that amble needs.
func readRelation(t *testing.T, db *sql.DB, name string) (records []record) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT to_jsonb(r) - '_batch' FROM "+name+" r")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var line []byte
		if err := rows.Scan(&line); err != nil {
			t.Fatal(err)
		}
		records = append(records, parseLines(t, line)...)
	}
	if err := rows.Err(); err != nil || len(records) == 0 {
		t.Fatalf("%s: %d rows, %v", name, len(records), err)
	}
	return records
}
