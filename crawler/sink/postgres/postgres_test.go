package postgres

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/fetch/database/databasetest"
	"github.com/amblecrawl/amble/crawler/sink/sinktest"
)

var server *databasetest.Server

func TestMain(m *testing.M) {
	flag.Parse()
	if checks := flag.Lookup("rapid.checks"); checks.Value.String() == checks.DefValue {
		_ = checks.Value.Set("12") // each is some dozens of connections
	}
	var err error
	if server, err = databasetest.Postgres(); err != nil {
		fmt.Println("tests with a server are skipped:", err)
	}
	code := m.Run()
	server.Stop()
	os.Exit(code)
}

func needServer(t *testing.T) {
	t.Helper()
	if server == nil {
		t.Skip("no PostgreSQL is installed here")
	}
}

// schema stands for a folder of the suite.
func schema(folder string) string {
	sum := sha256.Sum256([]byte(folder))
	return "s" + hex.EncodeToString(sum[:8])
}

func at(folder string) crawler.Sink {
	return &Postgres{URL: server.URL, Table: "{type}", Schema: schema(folder)}
}

func connect(t *testing.T) *sql.DB {
	t.Helper()
	db, err := sql.Open("pgx", server.URL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func TestPostgres(t *testing.T) {
	needServer(t)
	db := connect(t)
	sinktest.RunTables(t, sinktest.Subject{New: at, Read: func(folder string) ([]sinktest.Row, error) {
		var all []sinktest.Row
		for _, name := range []string{"book", "page", "quote"} {
			var there bool
			table := schema(folder) + "." + name
			if err := db.QueryRow("SELECT to_regclass($1) IS NOT NULL", table).Scan(&there); err != nil || !there {
				return nil, err
			}
			rows, err := db.Query(`SELECT _type, _key, text, number FROM ` + table)
			if err != nil {
				return nil, err
			}
			if all, err = sinktest.Scan(all, rows); err != nil {
				return nil, err
			}
		}
		return all, nil
	}})
}

var info = crawler.RunInfo{Crawl: "shop", ID: "r1", Started: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC), Types: []crawler.RecordType{{Name: "book", Fields: []string{"a", "Price", "never"}}}}

func flushed(t *testing.T, p *Postgres, batches ...[]crawler.Record) {
	t.Helper()
	if err := p.Open(t.Context(), info, nil); err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for _, records := range batches {
		if err := p.Write(t.Context(), records); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

func one(t *testing.T, db *sql.DB, query, want string) {
	t.Helper()
	var got string
	if err := db.QueryRow(query).Scan(&got); err != nil || got != want {
		t.Errorf("%s: %q, %v, want %q", query, got, err, want)
	}
}

// Columns take the type of their values and widen, whether the records come in
// one batch or in one each.
func TestMixedValues(t *testing.T) {
	needServer(t)
	db := connect(t)
	mixed := sinktest.Mixed()
	var each [][]crawler.Record
	for i := range mixed {
		each = append(each, mixed[i:i+1])
	}
	for name, batches := range map[string][][]crawler.Record{"together": {mixed}, "each": each} {
		s := schema(t.Name() + name)
		flushed(t, &Postgres{URL: server.URL, Table: "{type}", Schema: s}, batches...)
		one(t, db, `SELECT string_agg(coalesce("Price"::text, 'null'), ' ' ORDER BY _key) || pg_typeof(min("Price")) FROM `+s+".book", "3 2.5 1 nulldouble precision")
		one(t, db, `SELECT string_agg("select", ' ' ORDER BY _key) FROM `+s+".book", "true neither")
		one(t, db, `SELECT string_agg("a", ' ' ORDER BY _key) FROM `+s+".book", "text\uFFFDnul {\"deep\":1.5}")
		one(t, db, `SELECT "späte"->>1 FROM `+s+".book WHERE _key = 'm1'", "b")
		one(t, db, `SELECT _extra->>'price' FROM `+s+".book WHERE _key = 'm2'", "second")
		one(t, db, `SELECT _batch_2 || _url_2 || "_" FROM `+s+".book WHERE _key = 'm3'", "minetakennameless")
		one(t, db, `SELECT count("never")::text || pg_typeof(max("never")) FROM `+s+".book", "0text")
		one(t, db, `SELECT (_fetched_at AT TIME ZONE 'UTC')::text FROM `+s+".book WHERE _key = 'm0'", "2024-03-01 00:00:01")
	}
}

// A batch that goes by COPY gives what one by inserts gives.
func TestCopy(t *testing.T) {
	needServer(t)
	db := connect(t)
	var batch []crawler.Record
	for i := range 3 * copyFrom {
		batch = append(batch, crawler.Record{
			Type: []string{"book", "page"}[i%2], Key: fmt.Sprint(i), Run: "r1", FetchedAt: info.Started,
			Fields: []crawler.Field{{Name: "n", Value: int64(i)}, {Name: "tags", Value: []any{"a", "b"}}, {Name: "Ünïcode\t", Value: "x\ty\\"}},
		})
	}
	s := schema(t.Name())
	again := batch[1]
	again.Fields = []crawler.Field{{Name: "n", Value: int64(-1)}}
	flushed(t, &Postgres{URL: server.URL, Table: "{type}", Schema: s}, batch, append(batch[2:], again))
	for _, table := range []string{"book", "page"} {
		one(t, db, `SELECT count(*)::text FROM `+s+"."+table, fmt.Sprint(3*copyFrom/2))
		one(t, db, `SELECT count(*)::text FROM `+s+"."+table+` WHERE tags->>1 = 'b' AND "Ünïcode	" = E'x\ty\\'`, fmt.Sprint(3*copyFrom/2-map[string]int{"page": 1}[table]))
	}
	one(t, db, `SELECT n::text FROM `+s+".page WHERE _key = '1'", "-1")
}

// The server is stopped and started between batches: nobody notices.
func TestServerRestarts(t *testing.T) {
	own := databasetest.For(t, databasetest.Postgres)
	defer own.Stop()
	p := &Postgres{URL: own.URL, Table: "{type}"}
	if err := p.Open(t.Context(), info, nil); err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for i, r := range sinktest.Mixed() {
		if i == 2 {
			if err := own.Restart(); err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Write(t.Context(), []crawler.Record{r}); err != nil {
			t.Fatal(err)
		}
		if _, err := p.Flush(t.Context()); err != nil {
			t.Fatalf("batch %d: %v", i, err)
		}
	}
	db, err := sql.Open("pgx", own.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	one(t, db, `SELECT count(*)::text FROM book`, "4")
}

func TestUnusable(t *testing.T) {
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := nobody.Addr().String()
	nobody.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err = (&Postgres{URL: "postgres://me:secret@" + address + "/x", Table: "{type}"}).Open(ctx, info, nil)
	if !errors.Is(err, crawler.ErrStop) || !strings.Contains(err.Error(), address) || strings.Contains(err.Error(), "secret") {
		t.Errorf("nobody listens: %v", err)
	}
	for _, c := range []struct {
		sink Postgres
		want string
	}{
		{Postgres{URL: "postgres://me@localhost/x", Table: "{type}"}, ""},
		{Postgres{URL: "", Table: "{type}"}, "no database"},
		{Postgres{URL: "postgres://me:secret@local host:x/", Table: "{type}"}, "not the address"},
		{Postgres{URL: "postgres://me@localhost/x", Table: "a{b}"}, "{b}"},
	} {
		err := c.sink.Validate()
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%+v: %v, want %q", c.sink, err, c.want)
		}
	}
}

// A wrong password is told at once, and not tried again.
func TestRefusedByServer(t *testing.T) {
	needServer(t)
	err := (&Postgres{URL: strings.Replace(server.URL, "/postgres?", "/missing?", 1), Table: "{type}"}).Open(t.Context(), info, nil)
	if !errors.Is(err, crawler.ErrStop) || !strings.Contains(err.Error(), `"missing" does not exist`) {
		t.Errorf("no such database: %v", err)
	}
}

// Whatever a record holds, its batch is taken: by inserts and by COPY, and where a
// column takes another kind for it.
func TestAwkwardRecords(t *testing.T) {
	needServer(t)
	db := connect(t)
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		s := schema(fmt.Sprint(t.Name(), n))
		var batches [][]crawler.Record
		records := sinktest.Awkward().Draw(rt, "records")
		for i := range records {
			batches = append(batches, records[i:i+1])
		}
		var many []crawler.Record
		for i := range copyFrom + 1 {
			r := records[i%min(len(records), 2)]
			r.Key = fmt.Sprint("many", i)
			if i > 1 {
				r.Fields = nil
			}
			many = append(many, r)
		}
		flushed(t, &Postgres{URL: server.URL, Table: "{type}", Schema: s}, append(batches, many)...)
		one(t, db, "SELECT count(*)::text FROM "+s+".book", fmt.Sprint(len(records)+len(many)))
	})
}

// JSON may hold what jsonb refuses: none of it ends a run.
func TestJSONThatIsRefused(t *testing.T) {
	needServer(t)
	db := connect(t)
	for n, c := range []struct{ raw, want string }{
		{`{"a\u0000":"\u0000"}`, "{\"a\uFFFD\": \"\uFFFD\"}"},
		{`["\ud800","\ude00","\ud83d\ude00","\\u0000","\\\ud800"]`, "[\"\uFFFD\", \"\uFFFD\", \"😀\", \"\\\\u0000\", \"\\\\\uFFFD\"]"},
		{`[1e200000,-1e-99999999999999999999,1e3]`, `["1e200000", "-1e-99999999999999999999", 1000]`},
		{`1e200000`, `"1e200000"`}, {`18446744073709551615`, "18446744073709551615"}, {`9223372036854775809`, "9223372036854775809"},
	} {
		s := schema(fmt.Sprint(t.Name(), n))
		flushed(t, &Postgres{URL: server.URL, Table: "{type}", Schema: s}, []crawler.Record{{Type: "book", Key: "1", FetchedAt: info.Started, Fields: []crawler.Field{{Name: "j", Value: json.RawMessage(c.raw)}}}})
		one(t, db, "SELECT j::text FROM "+s+".book", c.want)
	}
	s := schema(t.Name())
	flushed(t, &Postgres{URL: server.URL, Table: "{type}", Schema: s}, []crawler.Record{
		{Type: "book", Key: "1", FetchedAt: info.Started, Fields: []crawler.Field{{Name: "n", Value: int64(7)}}},
		{Type: "book", Key: "2", FetchedAt: info.Started, Fields: []crawler.Field{{Name: "n", Value: json.RawMessage("18446744073709551615")}}},
	})
	one(t, db, "SELECT string_agg(n::text, ' ' ORDER BY _key) FROM "+s+".book", "7 18446744073709551615")
}

// A column of nothing but nulls takes the kind of its first value, also where the same
// statement has been sent before.
func TestColumnTakesAKindLater(t *testing.T) {
	needServer(t)
	s := schema(t.Name())
	var batches [][]crawler.Record
	for i, v := range []any{nil, nil, int64(1), 2.5, json.RawMessage("{}"), nil, "text"} {
		batches = append(batches, []crawler.Record{{Type: "book", Key: fmt.Sprint(i), FetchedAt: info.Started, Fields: []crawler.Field{{Name: "later", Value: v}}}})
	}
	flushed(t, &Postgres{URL: server.URL, Table: "{type}", Schema: s}, batches...)
	one(t, connect(t), "SELECT string_agg(later, ' ' ORDER BY _key) FROM "+s+".book", "1 2.5 {} text")
}
