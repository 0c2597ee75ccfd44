package cmd

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/amblecrawl/amble/crawler/fetch/database/databasetest"
	"github.com/amblecrawl/amble/crawler/query"
)

// shop makes a database of orders, so many a day in January 2026.
func shop(t *testing.T, dir string, perDay int) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "shop.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range []string{
		"create table orders(id integer primary key, day date, customer text, total real)",
		fmt.Sprintf(`with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < %d)
			insert into orders select i + 1, date('2026-01-01', '+' || (i / %d) || ' days'), 'c' || (i %% 7), i * 1.5 from n`, 31*perDay, perDay),
	} {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

// shopCrawl makes a folder with the database and the config of a crawl.
func shopCrawl(t *testing.T, config string, perDay int) (dir string) {
	t.Helper()
	dir = t.TempDir()
	shop(t, dir, perDay)
	write(t, filepath.Join(dir, "crawl.yaml"), config)
	return dir
}

// ambleIn runs amble in a folder and returns what it printed.
func ambleIn(t *testing.T, dir string, env []string, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "amble", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// records reads a file of records, sorted, without what differs from run to run.
func records(t *testing.T, file string) []string {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range strings.Lines(string(text)) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		delete(r, "_run")
		delete(r, "_fetched_at")
		again, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(again))
	}
	slices.Sort(lines)
	return lines
}

// The example of docs/databases.md does what it says.
func TestDatabaseExample(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../docs/databases.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(doc), "```yaml\n")
	config, _, found := strings.Cut(rest, "```")
	if !found || !strings.HasPrefix(config, "# shop.yaml") {
		t.Fatal("the page does not begin with its example")
	}
	dir := t.TempDir()
	shop(t, dir, 3)
	if err := os.WriteFile(filepath.Join(dir, "shop.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"lint", "shop.yaml"},
		{"try", "shop.yaml", "sql://shop/orders_by_day?day=2026-01-02"},
		{"run", "shop.yaml"},
		{"explain", "shop.yaml", "sql://shop/orders_by_day?day=2026-01-02"},
		{"audit", ".amble/shop"},
	} {
		out, err := ambleIn(t, dir, nil, args...)
		if err != nil {
			t.Fatalf("amble %v: %v\n%s", args, err, out)
		}
		if args[0] == "try" && strings.Count(out, `"_type":"order"`) != 3 {
			t.Errorf("amble try prints\n%s", out)
		}
		if args[0] == "explain" && !strings.Contains(out, "fetched") {
			t.Errorf("amble explain prints\n%s", out)
		}
	}
	got := records(t, filepath.Join(dir, "out/order.jsonl"))
	if len(got) != 93 || !strings.Contains(got[0], `"_url":"sql://shop/orders_by_day?day=2026-01-`) {
		t.Errorf("%d records such as %s", len(got), got[0])
	}
}

// A crawl of a database that is killed again and again has the records of one that
// was not.
func TestKilledDatabaseCrawl(t *testing.T) {
	t.Parallel()
	const config = `
name: killed
connections: {shop: {url: "sqlite:shop.db", concurrency: 2}}
queries:
  orders: {connection: shop, sql: "select * from orders where day >= :first and day < :before", params: {first: date, before: date}, page: {column: id, size: 5}}
  days: {connection: shop, sql: "select distinct cast(day as text) as first, date(day, '+1 day') as before from orders where day > '2026-01-20'", page: {column: first, size: 2}}
seeds:
  - {query: orders, partition: {param: first, until: before, from: 2026-01-01, to: 2026-01-20, step: 1w}}
  - {query: orders, partition: {query: days}}
output: [{jsonl: "out/{type}.jsonl"}, {sqlite: out/copy.db}]
commit: {pages: 4, interval: 10ms}
`
	calm := shopCrawl(t, config, 60)
	if out, err := ambleIn(t, calm, nil, "run", "crawl.yaml"); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	want := records(t, filepath.Join(calm, "out/orders.jsonl"))
	if len(want) != 31*60 {
		t.Fatalf("%d records", len(want))
	}
	dir, kills := shopCrawl(t, config, 60), 0
	for i := range 6 {
		cmd := exec.CommandContext(t.Context(), "amble", "run", "crawl.yaml")
		cmd.Dir = dir
		if killedWhen(t, cmd, func() bool { return sizeOf(filepath.Join(dir, "out/orders.jsonl")) > int64((i+1)*20_000) }) {
			kills++
		}
	}
	out, err := ambleIn(t, dir, nil, "run", "crawl.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := records(t, filepath.Join(dir, "out/orders.jsonl")); !slices.Equal(got, want) {
		t.Errorf("after %d kills there are %d records, not the %d of a calm crawl", kills, len(got), len(want))
	}
	if kills == 0 {
		t.Error("it was never killed")
	}
}

// parted is a server with a query of ten rows that fails for one of its parts.
type parted struct {
	url, sql, says string
	stop           func()
}

func partedPostgres(t *testing.T) parted {
	server := databasetest.For(t, databasetest.Postgres)
	return parted{strings.Replace(server.URL, "amble@", "amble:"+partedPassword+"@", 1),
		"select n, 100 / (:part - 7) as share from generate_series(1, 10) n", "division by zero", sync.OnceFunc(server.Stop)}
}

func partedMariaDB(t *testing.T) parted {
	server := databasetest.For(t, databasetest.MariaDB)
	address, err := query.MySQLAddress(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("mysql", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range []string{"create user reader@'%' identified by '" + partedPassword + "'", "grant select on amble.* to reader@'%'"} {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	return parted{strings.Replace(server.URL, "root@", "reader:"+partedPassword+"@", 1),
		"select seq as n, (select seq from seq_1_to_2 where :part = 7) as share from seq_1_to_10", "more than 1 row", sync.OnceFunc(server.Stop)}
}

const partedPassword = "hunter2-hunter2"

// One part of a query that fails is one failure, with what the database said; the
// others are whole, and the password is nowhere.
func TestFailingPartition(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(*testing.T) parted{"postgres": partedPostgres, "mariadb": partedMariaDB} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := start(t)
			defer server.stop()
			failingPartition(t, server)
		})
	}
}

func failingPartition(t *testing.T, server parted) {
	dir := t.TempDir()
	config := `
name: parts
connections: {warehouse: {url: "${DATABASE}", concurrency: 8, timeout: 10s}}
queries:
  part: {connection: warehouse, sql: "` + server.sql + `", params: {part: integer}}
seeds: [{query: part, partition: {param: part, from: 1, to: 20, step: 1}}]
aggregate: {sums: {of: part, count: true, sum: n}}
fetch: {retries: 1}
politeness: {circuit_after: 0}
`
	if err := os.WriteFile(filepath.Join(dir, "crawl.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	env := []string{"DATABASE=" + server.url}
	out, err := ambleIn(t, dir, env, "run", "--summary", "summary.json", "crawl.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if got := records(t, filepath.Join(dir, "out/part.jsonl")); len(got) != 190 {
		t.Errorf("%d records", len(got))
	}
	if got := records(t, filepath.Join(dir, "out/sums.jsonl")); len(got) != 1 || !strings.Contains(got[0], `"count":190,"sum_n":1045`) {
		t.Errorf("they are summed up to %q", got)
	}
	if !strings.Contains(out, "part=7") || !strings.Contains(out, server.says) || strings.Contains(out, partedPassword) {
		t.Errorf("it prints\n%s", out)
	}
	var summary struct {
		Failed int            `json:"failed"`
		Errors map[string]int `json:"errors"`
		Pages  int            `json:"pages"`
	}
	text, err := os.ReadFile(filepath.Join(dir, "summary.json"))
	if err == nil {
		err = json.Unmarshal(text, &summary)
	}
	if err != nil || summary.Failed != 1 || summary.Errors["query"] != 1 || summary.Pages != 19 {
		t.Errorf("the summary is %s: %v", text, err)
	}
	if out, err := ambleIn(t, dir, env, "audit", ".amble/parts"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	// With the server gone nothing can be had, and that is said without the address.
	server.stop()
	out, err = ambleIn(t, dir, env, "run", "--fresh", "crawl.yaml")
	if err == nil || !strings.Contains(out, "refused") || strings.Contains(out, partedPassword) {
		t.Errorf("%v\n%s", err, out)
	}
}

// What is asked of records holds for the rows of queries.
func TestRejectedRowsOfQuery(t *testing.T) {
	t.Parallel()
	dir := shopCrawl(t, `
connections: {shop: {url: "sqlite:shop.db"}}
queries:
  orders:
    connection: shop
    sql: "select id, nullif(customer, 'c2') as customer, total from orders"
    required: [customer]
    schema: {properties: {total: {maximum: 100}}}
seeds: [{query: orders}]
`, 3)
	out, err := ambleIn(t, dir, nil, "run", "crawl.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	kept, rejected := records(t, filepath.Join(dir, "out/orders.jsonl")), records(t, filepath.Join(dir, "out/_rejects.jsonl"))
	// Of 93 orders 67 have a total of 100 at most, and each seventh of these is c2's.
	if len(kept) != 57 || len(rejected) != 36 || !strings.Contains(strings.Join(rejected, "\n"), "it is required and has no value") {
		t.Errorf("%d records and %d rejects\n%s", len(kept), len(rejected), out)
	}
}
