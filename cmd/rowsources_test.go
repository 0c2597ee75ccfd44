package cmd

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	library "github.com/parquet-go/parquet-go"
)

// towns is an API that tells of single towns, and of many at a time.
type towns struct {
	*httptest.Server
	asked atomic.Int64
}

func newTowns(t *testing.T) *towns {
	t.Helper()
	a := &towns{}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /town/{id}", func(w http.ResponseWriter, r *http.Request) {
		a.asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"echo": %q}`, r.PathValue("id"))
	})
	mux.HandleFunc("POST /towns", a.many)
	mux.HandleFunc("GET /people", a.people)
	a.Server = httptest.NewServer(mux)
	t.Cleanup(a.Close)
	return a
}

// many answers batches: backwards, and not all of them well.
func (a *towns) many(w http.ResponseWriter, r *http.Request) {
	a.asked.Add(1)
	body, err := io.ReadAll(r.Body)
	var in struct {
		Rows []struct {
			ID   any    `json:"id"`
			City string `json:"city"`
		} `json:"rows"`
	}
	if err != nil || json.Unmarshal(body, &in) != nil {
		http.Error(w, "not JSON", http.StatusUnsupportedMediaType)
		return
	}
	var items []string
	for _, row := range in.Rows {
		switch row.City {
		case "bad":
			http.Error(w, "a bad town", http.StatusBadRequest)
			return
		case "down":
			http.Error(w, "no", http.StatusNotImplemented)
			return
		case "html":
			_, _ = io.WriteString(w, "<p>Sorry</p>")
			return
		case "missing":
		default:
			items = append(items, fmt.Sprintf(`{"id": %q, "mayor": "of %v"}`, fmt.Sprint(row.ID), row.City))
		}
	}
	if r.URL.Query().Get("order") == "" {
		slices.Reverse(items)
		items = append(items, `{"id": "nobody", "mayor": "x"}`)
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprintf(w, `{"items": [%s]}`, strings.Join(items, ","))
}

// crawlRows writes a crawl of the API, with a dataset or whatever make adds.
func (a *towns) crawlRows(t *testing.T, config string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	host := strings.TrimPrefix(a.URL, "http://")
	config = strings.ReplaceAll(config, "API", host) + fmt.Sprintf(`
output: [{jsonl: out/towns.jsonl}]
politeness: {contact: https://me.example, hosts: {%q: {api: true, delay: 0s, concurrency: 8}}}
commit: {pages: 8, interval: 10ms}
`, host)
	if !strings.Contains(config, "fetch:") {
		config += "fetch: {allow_private: true, retries: 0}\n"
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "crawl.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// lived runs a crawl to its end, in several lives where kills are asked for.
func lived(t *testing.T, dir string, a *towns, kills int) string {
	t.Helper()
	killed := 0
	for i := range kills {
		cmd := exec.CommandContext(t.Context(), "amble", "run", "crawl.yaml")
		cmd.Dir = dir
		until := a.asked.Load() + int64(10*i)
		if killedWhen(t, cmd, func() bool { return a.asked.Load() >= until }) {
			killed++
		}
	}
	out, err := ambleIn(t, dir, nil, "run", "crawl.yaml")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if kills > 0 && killed == 0 {
		t.Error("it was never killed")
	}
	return out
}

func sqliteIn(t *testing.T, dir string, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", filepath.Join(dir, "shop.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, s := range statements {
		if _, err := db.ExecContext(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

const manyTowns = `with recursive n(i) as (select 1 union all select i + 1 from n where i < 300)
	insert into towns select i, 'town ' || (i % 50), i * 1.5 from n`

// The rows of a query each get their answer once, however often the run is killed
// and whatever happens to the table meanwhile behind its page.
func TestRowsOfQueryAcrossKills(t *testing.T) {
	t.Parallel()
	for name, from := range map[string]string{
		"a named query in pages": "{query: towns, params: {least: 1}}",
		"SQL":                    `{connection: shop, query: "select id, city, size from towns order by id"}`,
		"SQL in pages":           `{connection: shop, query: "select id, city, size from towns", page: {column: id, size: 20}}`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := newTowns(t)
			config := `
connections: {shop: {url: "sqlite:shop.db"}}
queries: {towns: {connection: shop, sql: "select id, city, size from towns where id >= :least", params: {least: integer}, page: {column: id, size: 25}}}
seeds: [{rows: ` + from + `, url: "http://API/town/{{id}}"}]
extract: {town: {plugin: json, fields: {echo: $.echo}}}
`
			create := []string{"create table towns(id integer primary key, city text, size real)", manyTowns}
			calm := api.crawlRows(t, config, nil)
			sqliteIn(t, calm, create...)
			out, err := ambleIn(t, calm, nil, "lint", "crawl.yaml")
			if err != nil {
				t.Fatal(out)
			}
			lived(t, calm, api, 0)
			want := records(t, filepath.Join(calm, "out/towns.jsonl"))
			if len(want) != 300 || !strings.Contains(want[0], `"city":"town `) || !strings.Contains(want[0], `"echo":"`) {
				t.Fatalf("%d records such as %s", len(want), want[0])
			}
			dir := api.crawlRows(t, config, nil)
			sqliteIn(t, dir, create...)
			lived(t, dir, api, 5)
			if got := records(t, filepath.Join(dir, "out/towns.jsonl")); !slices.Equal(got, want) {
				t.Errorf("%d records, want %d", len(got), len(want))
			}
		})
	}
}

// A column that the query has not is told in each row's record.
func TestRowsOfQueryWithoutColumn(t *testing.T) {
	t.Parallel()
	api := newTowns(t)
	dir := api.crawlRows(t, `
connections: {shop: {url: "sqlite:shop.db"}}
seeds: [{rows: {connection: shop, query: "select id from towns"}, url: "http://API/town/{{ident}}"}]
extract: {town: {plugin: json, fields: {echo: $.echo}}}
`, nil)
	sqliteIn(t, dir, "create table towns(id integer)", "insert into towns values (1), (2)")
	out, _ := ambleIn(t, dir, nil, "run", "crawl.yaml")
	got := records(t, filepath.Join(dir, "out/towns.jsonl"))
	if len(got) != 2 || !strings.Contains(strings.Join(got, ""), `"error":"bad_row","error_detail":"rows of shop: row 1: url: the row has no ident"`) {
		t.Errorf("%s\n%q", out, got)
	}
}

// Parquet gives the rows that CSV gives, with their types.
func TestRowsOfParquetAcrossKills(t *testing.T) {
	t.Parallel()
	api := newTowns(t)
	dir := api.crawlRows(t, `
seeds: [{rows: towns.parquet, url: "http://API/town/{{id}}"}]
extract: {town: {plugin: json, fields: {echo: $.echo}}}
`, nil)
	type town struct {
		ID   int64    `parquet:"id"`
		City string   `parquet:"city"`
		Tags []string `parquet:"tags,list"`
	}
	var list []town
	for i := range 300 {
		list = append(list, town{int64(i), fmt.Sprint("town ", i), []string{"a"}})
	}
	list[7].City = "K\xf6ln"
	if err := library.WriteFile(filepath.Join(dir, "towns.parquet"), list); err != nil {
		t.Fatal(err)
	}
	if out, err := ambleIn(t, dir, nil, "lint", "crawl.yaml"); err != nil || !strings.Contains(out, "warning: row 8: city: the text is not UTF-8") {
		t.Errorf("%v\n%s", err, out)
	}
	lived(t, dir, api, 4)
	got := records(t, filepath.Join(dir, "out/towns.jsonl"))
	if len(got) != 300 || !strings.Contains(strings.Join(got, "\n"), `"echo":"42","id":42,"tags":["a"]`) {
		t.Errorf("%d records such as %s", len(got), got[0])
	}
	if bad := slices.IndexFunc(got, func(s string) bool { return strings.Contains(s, "bad_row") }); bad < 0 || !strings.Contains(got[bad], "towns.parquet: row 8: city: the text is not UTF-8") {
		t.Errorf("no bad row: %d", bad)
	}
}

// A key makes a record's _key the same wherever its row stands, and one that stands
// twice is told of, also when the run is killed between the two.
func TestRowKeys(t *testing.T) {
	t.Parallel()
	api := newTowns(t)
	const config = `
seeds: [{rows: towns.csv, key: [country, id], url: "http://API/town/{{id}}"}]
extract: {town: {plugin: json, fields: {echo: $.echo}}}
`
	forth, back := "country,id\n", "country,id\n"
	for i := range 200 {
		forth += fmt.Sprintf("de,%d\n", i)
		back += fmt.Sprintf("de,%d\n", 199-i)
	}
	forth += "de,7\nfr,7\n,\n"
	keys := func(dir string) (keys map[string]string, errors []string) {
		keys = map[string]string{}
		for _, line := range records(t, filepath.Join(dir, "out/towns.jsonl")) {
			var r struct {
				Country, ID, Error string
				Detail             string `json:"error_detail"`
				Key                string `json:"_key"`
			}
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			if r.Error != "" {
				errors = append(errors, r.Detail)
				continue
			}
			keys[r.Country+r.ID] = r.Key
		}
		slices.Sort(errors)
		return keys, errors
	}
	dir := api.crawlRows(t, config, map[string]string{"towns.csv": forth})
	if out, err := ambleIn(t, dir, nil, "lint", "crawl.yaml"); err != nil || !strings.Contains(out, `towns.csv:202:1: warning: the key "de", "7" stands twice, first in row 8`) {
		t.Errorf("%v\n%s", err, out)
	}
	lived(t, dir, api, 4)
	one, errors := keys(dir)
	if want := []string{`towns.csv:202: the key "de", "7" stands twice`, "towns.csv:204: the row has no value of its key, country, id"}; !slices.Equal(errors, want) {
		t.Errorf("%q, want %q", errors, want)
	}
	if len(one) != 201 || one["de7"] == one["fr7"] {
		t.Errorf("%d keys", len(one))
	}
	dir = api.crawlRows(t, config, map[string]string{"towns.csv": back})
	lived(t, dir, api, 0)
	other, _ := keys(dir)
	for id, key := range other {
		if one[id] != key {
			t.Fatalf("%s has the key %s, and %s elsewhere in the file", id, key, one[id])
		}
	}
}

// Rows that share a request have a line each, whatever becomes of it.
func TestBatchesAcrossKills(t *testing.T) {
	t.Parallel()
	api := newTowns(t)
	const config = `
seeds:
  - rows: towns.csv
    url: "http://API/towns"
    method: POST
    body: '{"rows": {{rows}}}'
    idempotency: true
    batch: {size: 10, columns: [id, city], by: id, split: true}
extract: {town: {plugin: json, each: "$.items[*]", fields: {id: $.id, mayor: $.mayor}}}
`
	data := "id,city,size\n"
	for i := range 200 {
		city := map[int]string{12: "bad", 17: "bad", 25: "missing", 33: "down", 48: "html", 51: "K\xf6ln"}[i]
		if city == "" {
			city = fmt.Sprint("town ", i)
		}
		data += fmt.Sprintf("%d,%s,%d\n", i, city, i*2)
	}
	for _, kills := range []int{0, 4} {
		dir := api.crawlRows(t, config, map[string]string{"towns.csv": data})
		out := lived(t, dir, api, kills)
		got := map[string]string{}
		for _, line := range records(t, filepath.Join(dir, "out/towns.jsonl")) {
			var r map[string]any
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			id := fmt.Sprint(r["id"])
			if got[id] != "" {
				t.Errorf("row %s has two lines", id)
			}
			got[id] = fmt.Sprint(r["city"], "|", r["size"], "|", r["mayor"], "|", r["error"], "|", r["error_detail"])
		}
		for i := range 200 {
			id, want := fmt.Sprint(i), fmt.Sprintf("town %d|%d|of town %d|<nil>|<nil>", i, i*2, i)
			switch {
			case i == 12 || i == 17:
				want = fmt.Sprintf("bad|%d|<nil>|http_4xx|status 400: a bad town", i*2)
			case i == 25:
				want = "missing|50|<nil>|no_record|the answer has no record for the row"
			case i/10 == 3:
				want = "|http_5xx|status 501: no"
			case i/10 == 4:
				want = "|no_record|the answer, of type text/html, gave no record"
			case i == 51:
				want = "K�ln|102|<nil>|bad_row|towns.csv:53: city: the text is not UTF-8"
			}
			if !strings.HasSuffix(got[id], want) {
				t.Errorf("row %s: %s, want %s", id, got[id], want)
			}
		}
		if kills == 0 && !strings.Contains(out, "200 records") {
			t.Errorf("%s", out)
		}
	}
}

// By order, an answer that has another number of records than there are rows is
// joined to none of them.
func TestBatchesByOrder(t *testing.T) {
	t.Parallel()
	api := newTowns(t)
	dir := api.crawlRows(t, `
seeds: [{rows: towns.csv, url: "http://API/towns?order=1", method: POST, body: '{"rows": {{rows}}}', batch: 2}]
extract: {town: {plugin: json, each: "$.items[*]", fields: {mayor: $.mayor}}}
`, map[string]string{"towns.csv": "id,city\n1,a\n2,b\n3,c\n4,missing\n5,d\n"})
	lived(t, dir, api, 0)
	var got []string
	for _, line := range records(t, filepath.Join(dir, "out/towns.jsonl")) {
		var r map[string]any
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		got = append(got, fmt.Sprint(r["id"], r["mayor"], r["error_detail"]))
	}
	slices.Sort(got)
	const none = "<nil>the answer gave 1 records for 2 rows, so that they cannot be joined by order"
	if want := []string{"1of a<nil>", "2of b<nil>", "3" + none, "4" + none, "5of d<nil>"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
