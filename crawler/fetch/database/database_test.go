package database

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/fetch/database/databasetest"
	"github.com/amblecrawl/amble/crawler/query"
)

// servers are those that tests have asked for.
var servers = map[string]*databasetest.Server{}

func TestMain(m *testing.M) {
	code := m.Run()
	for _, s := range servers {
		s.Stop()
	}
	os.Exit(code)
}

// addresses are those of the databases that queries can be put to.
var addresses = map[string]func(*testing.T) string{"sqlite": sqliteURL, "postgres": postgresURL, "mariadb": mariadbURL}

// mariadbURL is a real server's, started by the first test that asks.
func mariadbURL(t *testing.T) string {
	t.Helper()
	return running(t, "mariadb", databasetest.MariaDB).URL
}

// postgresURL is a real server's, started by the first test that asks.
func postgresURL(t *testing.T) string {
	t.Helper()
	return running(t, "postgres", databasetest.Postgres).URL
}

func running(t *testing.T, name string, start func() (*databasetest.Server, error)) *databasetest.Server {
	t.Helper()
	if servers[name] == nil {
		servers[name] = databasetest.For(t, start)
	}
	return servers[name]
}

// sqliteURL is a new file's.
func sqliteURL(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "test.db") }

// fill executes statements outside of what is tested.
func fill(t *testing.T, address string, statements ...string) {
	t.Helper()
	driver, dsn := "pgx", address
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		driver, dsn = "sqlite", path
	}
	if strings.HasPrefix(address, "mysql:") {
		driver = "mysql"
		var err error
		if dsn, err = query.MySQLAddress(address); err != nil {
			t.Fatal(err)
		}
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
}

// ask is a transport with one connection "db" and the queries.
type ask struct {
	*Transport
	set query.Set
}

func newAsk(t *testing.T, address string, o Options, queries ...*query.Query) *ask {
	t.Helper()
	kind, err := query.DriverOf(address)
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range queries {
		q.Connection = "db"
		if q.Statement, err = query.Compile(kind, q.Type); err != nil { // tests write the SQL there
			t.Fatal(err)
		}
	}
	c := Connection{Name: "db", URL: address, Concurrency: 2, Timeout: 10 * time.Second}
	if len(o.Connections) > 0 {
		c.Timeout = o.Connections[0].Timeout
	}
	o.Connections, o.Queries, o.Name = []Connection{c}, queries, "test"
	if o.MaxBody == 0 {
		o.MaxBody = 1 << 20
	}
	tr, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tr.Close(); err != nil {
			t.Error(err)
		}
	})
	return &ask{tr, queries}
}

func (a *ask) open(ctx context.Context, u string) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, err
	}
	return a.RoundTrip(req)
}

// lines is the answer to a URL.
func (a *ask) lines(t *testing.T, u string) ([]string, error) {
	t.Helper()
	resp, err := a.open(t.Context(), u)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n"), err
}

// pages reads a result to its end and returns its rows and the number of pages.
func (a *ask) pages(t *testing.T, u string) (rows []string, pages int, err error) {
	t.Helper()
	for u != "" {
		got, err := a.lines(t, u)
		if err != nil {
			return rows, pages, err
		}
		var tail query.Tail
		if err := json.Unmarshal([]byte(got[len(got)-1]), &tail); err != nil || tail.Rows != len(got)-2 {
			t.Fatalf("%s ends with %s: %v", u, got[len(got)-1], err)
		}
		rows, pages, u = append(rows, got[1:len(got)-1]...), pages+1, tail.Next
	}
	return rows, pages, nil
}

func classOf(t *testing.T, err error) (class crawler.Class, temporary bool) {
	t.Helper()
	var fe *crawler.FetchError
	if !errors.As(err, &fe) {
		t.Fatalf("%v (%T) is no FetchError", err, err)
	}
	return fe.Class, fe.Temporary
}

func TestTypesOfPostgres(t *testing.T) {
	a := newAsk(t, postgresURL(t), Options{}, &query.Query{Name: "q", Type: `
		select 7::int2 as i2, 9223372036854775807::int8 as i8, 1.5::float4 as f4, 2::float8 as f8, 'NaN'::float8 as nan,
		 12.30::numeric as n, 5::numeric as whole, true as b, 'x"<é' as t, null::int as none, '2026-01-31'::date as d,
		 '2026-01-31 10:00:00.5'::timestamp as ts, '2026-01-31 10:00:00+02'::timestamptz as tz, '{"a": [1,
		 2]}'::jsonb as j, '\x00ff'::bytea as raw, 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::uuid as u, array[1,2] as arr, '1 day'::interval as iv`})
	got, err := a.lines(t, "sql://db/q")
	if err != nil {
		t.Fatal(err)
	}
	want := `[7,9223372036854775807,1.5,2.0,"NaN",12.30,5.0,true,"x\"\u003cé",null,"2026-01-31",` +
		`"2026-01-31T10:00:00.5Z","2026-01-31T08:00:00Z",{"a":[1,2]},"AP8=","a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","{1,2}","1 day"]`
	if got[1] != want {
		t.Errorf("got  %s\nwant %s", got[1], want)
	}
	if got[2] != `{"rows":1}` {
		t.Errorf("it ends with %s", got[2])
	}
}

func TestTypesOfSQLite(t *testing.T) {
	address := sqliteURL(t)
	fill(t, address, `create table t(i integer, r real, t text, b blob, d date, at datetime, ok boolean, j json, any)`,
		`insert into t values(1, 2, 'x', x'00ff', '2026-01-31', '2026-01-31 10:00:00', 1, '{"a": 1}', 'text'), (null, 1.5, null, null, null, null, 0, 'x', 3)`)
	a := newAsk(t, address, Options{}, &query.Query{Name: "q", Type: "select * from t order by i desc"})
	got, err := a.lines(t, "sql://db/q")
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		`[1,2.0,"x","AP8=","2026-01-31","2026-01-31T10:00:00Z",true,{"a":1},"text"]`,
		`[null,1.5,null,null,null,null,false,"x",3]`,
	} {
		if got[1+i] != want {
			t.Errorf("got  %s\nwant %s", got[1+i], want)
		}
	}
}

// A value stays a value, whatever it holds.
func TestParametersAreBound(t *testing.T) {
	for name, address := range addresses {
		t.Run(name, func(t *testing.T) {
			url := address(t)
			fill(t, url, "drop table if exists people", "create table people(name text, born date, height float)", "insert into people values('ada', '1815-12-10', 1.6)")
			a := newAsk(t, url, Options{}, &query.Query{Name: "q", Type: `select name from people where name = :name and height > :height and born = :born and :name <> ''`,
				Params: []query.Param{{Name: "name", Type: query.Text}, {Name: "height", Type: query.Number}, {Name: "born", Type: query.Date}}})
			for value, rows := range map[string]int{"ada": 1, "' or '1'='1": 0, "ada'; drop table people; --": 0, `\' or 1=1 --`: 0, "$1": 0, ":name": 0, "日'\"": 0} {
				u, err := (&query.Call{Query: a.set[0], Values: map[string]string{"name": value, "height": "1.5", "born": "1815-12-10"}}).URL()
				if err != nil {
					t.Fatal(err)
				}
				got, err := a.lines(t, u.String())
				if err != nil || len(got)-2 != rows {
					t.Errorf("%q gives %q, %v", value, got, err)
				}
			}
		})
	}
}

func TestStatementsDoNotWrite(t *testing.T) {
	for name, address := range addresses {
		t.Run(name, func(t *testing.T) {
			url := address(t)
			fill(t, url, "drop table if exists kept", "create table kept(n int)", "insert into kept values(1)")
			a := newAsk(t, url, Options{}, &query.Query{Name: "q", Type: "delete from kept returning n"}, &query.Query{Name: "n", Type: "select count(*) as n from kept"})
			if got, err := a.lines(t, "sql://db/q"); err == nil {
				t.Errorf("it gives %q", got)
			} else if class, temporary := classOf(t, err); class != crawler.ClassQuery || temporary {
				t.Errorf("it ends as %s: %v", class, err)
			}
			if got, err := a.lines(t, "sql://db/n"); err != nil || got[1] != "[1]" {
				t.Errorf("then there are %q, %v", got, err)
			}
		})
	}
}

// Pages give every row once, whatever ends them.
func TestPages(t *testing.T) {
	for name, address := range addresses {
		t.Run(name, func(t *testing.T) {
			url := address(t)
			statements := []string{"drop table if exists many", "create table many(id int, name text, wide text, at timestamp)"}
			for i := range 100 {
				statements = append(statements, "insert into many values("+strconv.Itoa(i*i)+", 'n"+strconv.Itoa(1000+i)+"', '"+strings.Repeat("x", 300)+"', '2026-01-31 10:00:00.0"+strconv.Itoa(10+i%90)+"')")
			}
			fill(t, url, statements...)
			pages := func(column string, size int, sql string) *query.Query {
				return &query.Query{Name: column, Type: sql, Page: &query.Page{Column: column, Size: size}}
			}
			a := newAsk(t, url, Options{}, pages("id", 7, "select id from many -- by id"), pages("name", 50, "select name from many order by id desc"))
			for u, want := range map[string]int{"sql://db/id": 15, "sql://db/name": 2} {
				rows, n, err := a.pages(t, u)
				if err != nil || len(rows) != 100 || n != want || !inOrder(rows) {
					t.Errorf("%s: %d rows in %d pages, %v", u, len(rows), n, err)
				}
			}
			a = newAsk(t, url, Options{MaxBody: tailRoom + 3200}, pages("id", 1000, "select id, wide from many"))
			if rows, n, err := a.pages(t, "sql://db/id"); err != nil || len(rows) != 100 || n < 10 {
				t.Errorf("short of room: %d rows in %d pages, %v", len(rows), n, err)
			}
		})
	}
}

func inOrder(rows []string) bool {
	for i := 1; i < len(rows); i++ {
		if len(rows[i]) < len(rows[i-1]) || len(rows[i]) == len(rows[i-1]) && rows[i] <= rows[i-1] {
			return false
		}
	}
	return true
}

// What pages would lose in silence fails the query.
func TestPagesThatWouldLoseRows(t *testing.T) {
	for name, address := range addresses {
		t.Run(name, func(t *testing.T) {
			url := address(t)
			fill(t, url, "drop table if exists odd", "create table odd(id int, twice int, hole int)")
			for i := range 9 {
				fill(t, url, "insert into odd values("+strconv.Itoa(i)+", "+strconv.Itoa(i/2)+", case when "+strconv.Itoa(i)+" = 4 then null else "+strconv.Itoa(i)+" end)")
			}
			q := func(column string) *query.Query {
				return &query.Query{Name: column, Type: "select * from odd", Page: &query.Page{Column: column, Size: 3}}
			}
			a := newAsk(t, url, Options{}, q("id"), q("twice"), q("hole"), q("nothing"))
			for column, want := range map[string]string{"twice": "unique", "hole": "null", "nothing": "nothing"} {
				_, _, err := a.pages(t, "sql://db/"+column)
				if err == nil || !strings.Contains(err.Error(), want) {
					t.Errorf("pages by %s: %v", column, err)
				}
			}
			if rows, _, err := a.pages(t, "sql://db/id"); err != nil || len(rows) != 9 {
				t.Errorf("pages by id: %d rows, %v", len(rows), err)
			}
		})
	}
}

func TestResultsBeyondTheBounds(t *testing.T) {
	a := newAsk(t, postgresURL(t), Options{MaxBody: 100 << 10},
		&query.Query{Name: "rows", Type: "select n from generate_series(1, 50001) n"},
		&query.Query{Name: "endless", Type: "select repeat('x', 1000) as x, generate_series(1, 1000000000) as n"},
		&query.Query{Name: "wide", Type: "select n, repeat('x', 200000) as x from generate_series(1, 3) n", Page: &query.Page{Column: "n", Size: 2}})
	for _, name := range []string{"rows", "endless", "wide"} {
		_, err := a.lines(t, "sql://db/"+name)
		if class, temporary := classOf(t, err); class != crawler.ClassTooLarge || temporary {
			t.Errorf("%s: %s: %v", name, class, err)
		}
	}
}

func TestRowsThatAreCalls(t *testing.T) {
	address := sqliteURL(t)
	fill(t, address, "create table shops(shop text, opened date)", "insert into shops values('a b', '2026-01-31'), ('c', '2026-02-01')")
	target := &query.Query{Name: "target", Type: "select :shop, :opened, :region",
		Params: []query.Param{{Name: "shop", Type: query.Text}, {Name: "opened", Type: query.Date}, {Name: "region", Type: query.Text}}}
	other := &query.Query{Name: "other", Type: "select :least", Params: []query.Param{{Name: "least", Type: query.Integer}}}
	a := newAsk(t, address, Options{}, &query.Query{Name: "shops", Type: "select * from shops order by shop"}, target, other)
	got, err := a.lines(t, "sql://db/shops?_for=target&_for.region=north")
	if err != nil || len(got) != 4 || got[1] != `"sql://db/target?opened=2026-01-31\u0026region=north\u0026shop=a%20b"` {
		t.Errorf("%q, %v", got, err)
	}
	if _, err := a.lines(t, "sql://db/shops?_for=other"); err == nil || !strings.Contains(err.Error(), "least") {
		t.Errorf("without a column: %v", err)
	}
}

func TestFailures(t *testing.T) {
	brief := newAsk(t, postgresURL(t), Options{Connections: []Connection{{Timeout: 300 * time.Millisecond}}}, &query.Query{Name: "slow", Type: "select pg_sleep(10)"})
	a := newAsk(t, postgresURL(t), Options{},
		&query.Query{Name: "syntax", Type: "selekt 1"},
		&query.Query{Name: "late", Type: "select n, 1 / (n - 20000) as x from generate_series(1, 30000) n"},
		&query.Query{Name: "twice", Type: "select 1 as a, 2 as a"},
		&query.Query{Name: "hidden", Type: "select 1 as _url"},
		&query.Query{Name: "gone", Type: "select pg_terminate_backend(pg_backend_pid())"},
		&query.Query{Name: "lock", Type: "select raise from (select 1 as raise) x where :n > 0", Params: []query.Param{{Name: "n", Type: query.Text}}})
	for name, want := range map[string]struct {
		class     crawler.Class
		temporary bool
		says      string
	}{
		"syntax":     {crawler.ClassQuery, false, "SQLSTATE 42601"},
		"late":       {crawler.ClassQuery, false, "division by zero"},
		"slow":       {crawler.ClassTimeout, true, ""},
		"twice":      {crawler.ClassQuery, false, "two columns"},
		"hidden":     {crawler.ClassQuery, false, "_url"},
		"gone":       {crawler.ClassReset, true, ""},
		"lock?n=abc": {crawler.ClassQuery, false, ""},
		"none":       {crawler.ClassQuery, false, "no query none"},
	} {
		on := a
		if name == "slow" {
			on = brief
		}
		_, err := on.lines(t, "sql://db/"+name)
		if class, temporary := classOf(t, err); class != want.class || temporary != want.temporary || !strings.Contains(err.Error(), want.says) {
			t.Errorf("%s: %s, again %t: %v", name, class, temporary, err)
		}
	}
}

// A server that ends in the middle of a result gives no end, and another attempt
// gives the whole.
func TestServerRestarts(t *testing.T) {
	for name, sql := range map[string]string{
		"postgres": "select n, repeat('x', 1000) as x from generate_series(1, 40000) n",
		"mariadb":  "select seq as n, repeat('x', 1000) as x from seq_1_to_40000",
	} {
		t.Run(name, func(t *testing.T) {
			a := newAsk(t, addresses[name](t), Options{MaxBody: 64 << 20}, &query.Query{Name: "q", Type: sql})
			resp, err := a.open(t.Context(), "sql://db/q")
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.CopyN(io.Discard, resp.Body, 100<<10); err != nil {
				t.Fatal(err)
			}
			if err := servers[name].Restart(); err != nil {
				t.Fatal(err)
			}
			_, err = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if class, temporary := classOf(t, err); class != crawler.ClassReset || !temporary {
				t.Errorf("it ends as %s: %v", class, err)
			}
			got, err := a.lines(t, "sql://db/q")
			if err != nil || len(got) != 40002 {
				t.Errorf("then it gives %d lines, %v", len(got), err)
			}
		})
	}
}

func TestAddressesAreNotShown(t *testing.T) {
	for _, address := range []string{"postgres://u:hunter2@h:port/d", "mysql://u:hunter2@h:1/d?tls=hunter2"} {
		_, err := New(Options{Connections: []Connection{{Name: "db", URL: address, Concurrency: 1}}})
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "connections.db") {
			t.Errorf("%v", err)
		}
	}
}

// A query of a file reaches no other one, and makes none.
func TestQueriesOpenNoOtherFiles(t *testing.T) {
	address := sqliteURL(t)
	fill(t, address, "create table t (n integer)")
	made := filepath.Join(t.TempDir(), "made.db")
	for _, statement := range []string{"attach '" + made + "' as e", "vacuum into '" + made + "'"} {
		a := newAsk(t, address, Options{}, &query.Query{Name: "q", Type: statement})
		if _, err := a.lines(t, "sql://db/q"); err == nil {
			t.Errorf("%s is executed", statement)
		} else if class, _ := classOf(t, err); class != crawler.ClassQuery {
			t.Errorf("%s: %v", statement, err)
		}
		if _, err := os.Stat(made); err == nil {
			t.Fatalf("%s has made a file", statement)
		}
	}
}
