package query

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestStatements(t *testing.T) {
	for _, c := range []struct {
		driver Driver
		sql    string
		want   string // with placeholders; "!..." a part of the error
		names  string
	}{
		{Postgres, "select :a, :b, :a", "select $1, $2, $1", "a b"},
		{MySQL, "select :a, :b, :a", "select ?, ?, ?", "a b a"},
		{SQLite, "select 1;\n", "select 1", ""},
		{Postgres, "select ':a', \":b\", x::int, 'it''s :c' from t where d = :d::date", "select ':a', \":b\", x::int, 'it''s :c' from t where d = $1::date", "d"},
		{Postgres, `select E'\':a', :b`, `select E'\':a', $1`, "b"},
		{Postgres, `select name'\', :b`, `select name'\', $1`, "b"},
		{MySQL, `select '\':a', :b`, `select '\':a', ?`, "b"},
		{SQLite, `select '\', :b`, `select '\', ?`, "b"},
		{Postgres, "select 1 -- :a\n, :b /* :c /* :d */ :e */", "select 1 -- :a\n, $1 /* :c /* :d */ :e */", "b"},
		{SQLite, "select /* /* :a */ :b", "select /* /* :a */ ?", "b"},
		{MySQL, "select 1 # :a\n, :b", "select 1 # :a\n, ?", "b"},
		{Postgres, "select $$ :a $$, $x$ $$ :b $x$, :c", "select $$ :a $$, $x$ $$ :b $x$, $1", "c"},
		{Postgres, "select a$b, d ? 'k', :c", "select a$b, d ? 'k', $1", "c"},
		{Postgres, "select a[1 : 2], @x := 3, :c", "select a[1 : 2], @x := 3, $1", "c"},
		{MySQL, "select `:a`, :b", "select `:a`, ?", "b"},
		{Postgres, "select $1", "!placeholder", ""},
		{SQLite, "select ?", "!placeholder", ""},
		{Postgres, "select 1; select 2", "!one statement", ""},
		{Postgres, "select 'x", "!not closed", ""},
		{Postgres, "select /* x", "!not closed", ""},
		{Postgres, "select $x$ x", "!not closed", ""},
		{Postgres, " ; ", "!empty", ""},
		{Postgres, "select '\x00'", "!NUL", ""},
		{Postgres, strings.Repeat("x", MaxStatement+1), "!longer", ""},
	} {
		s, err := Compile(c.driver, c.sql)
		if part, bad := strings.CutPrefix(c.want, "!"); bad {
			if err == nil || !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %.50q gives the error %v", c.driver, c.sql, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %q: %v", c.driver, c.sql, err)
			continue
		}
		if sql, names := s.whole(); sql != c.want || strings.Join(names, " ") != c.names {
			t.Errorf("%s: %q gives %q with %q", c.driver, c.sql, sql, names)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, sql := range []string{"select :a, ':b', $$ :c $$ -- x\n, E'\\'' /* :d */ # :e", "a::b:=:c", "'", "$1", "`:x`\\"} {
		f.Add(sql)
	}
	f.Fuzz(func(t *testing.T, sql string) {
		for _, d := range []Driver{Postgres, SQLite, MySQL} {
			s, err := Compile(d, sql)
			if err != nil {
				continue
			}
			var again strings.Builder
			for i, text := range s.texts {
				again.WriteString(text)
				if i < len(s.names) {
					again.WriteString(":" + s.names[i])
				}
			}
			if want := strings.TrimRight(strings.TrimSpace(sql), "; \t\r\n"); again.String() != want {
				t.Fatalf("%s: %q became %q", d, want, again.String())
			}
			if _, names := s.whole(); len(names) > len(s.names) {
				t.Fatalf("%d values for %d places", len(names), len(s.names))
			}
		}
	})
}

var all = &Query{Name: "all", Connection: "w", Page: &Page{Column: "id", Size: 10}, Params: []Param{
	{"text", Text}, {"int", Integer}, {"num", Number}, {"bool", Boolean}, {"day", Date}, {"at", DateTime},
}}

// Every execution has one URL, and the URL gives the execution back.
func TestURLsAreExecutions(t *testing.T) {
	set := Set{all, {Name: "plain", Connection: "w"}}
	rapid.Check(t, func(t *rapid.T) {
		c := &Call{Query: all, Values: map[string]string{
			"text": rapid.StringOf(rapid.RuneFrom([]rune("aZ&=%+ #?/\"';é\n日"))).Draw(t, "text"),
			"int":  fmt.Sprint(rapid.Int64().Draw(t, "int")),
			"num":  fmt.Sprint(rapid.Float64Range(-1e300, 1e300).Draw(t, "num")),
			"bool": fmt.Sprint(rapid.Bool().Draw(t, "bool")),
			"day":  "2026-01-31", "at": "2026-01-31T12:00:00+01:00",
		}}
		switch rapid.IntRange(0, 3).Draw(t, "after") {
		case 1:
			c.After = rapid.Int64().Draw(t, "key")
		case 2:
			c.After = rapid.StringOf(rapid.RuneFrom([]rune("aé \"&\\"))).Draw(t, "key")
		case 3:
			c.For, c.Fixed = set[0], map[string]string{"text": "x y"}
		}
		u, err := c.URL()
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := url.Parse(u.String())
		if err != nil {
			t.Fatal(err)
		}
		back, err := set.Read(parsed)
		if err != nil {
			t.Fatalf("%s: %v", u, err)
		}
		if back.After != c.After || back.For != c.For || back.Values["text"] != c.Values["text"] || back.Values["at"] != "2026-01-31T11:00:00Z" {
			t.Fatalf("%s gives %+v for %+v", u, back, c)
		}
		if again, err := back.URL(); err != nil || again != u {
			t.Fatalf("%s became %s: %v", u, again, err)
		}
		if u.Origin() != "sql://w" {
			t.Fatalf("the host of %s is %q", u, u.Origin())
		}
	})
}

func FuzzURL(f *testing.F) {
	f.Add("sql://w/plain")
	f.Add("sql://w/all?text=x&int=1&num=1.5&bool=true&day=2026-01-31&at=2026-01-31&_after=%22x%22&_for=all&_for.int=07")
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := url.Parse(raw)
		if err != nil {
			return
		}
		c, err := Set{all, {Name: "plain", Connection: "w"}}.Read(u)
		if err != nil {
			return
		}
		first, err := c.URL()
		if err != nil {
			return // a value of another query, or too long
		}
		parsed, err := url.Parse(first.String())
		if err != nil {
			t.Fatal(err)
		}
		again, err := Set{all, {Name: "plain", Connection: "w"}}.Read(parsed)
		if err != nil {
			t.Fatalf("%s: %v", first, err)
		}
		if second, err := again.URL(); err != nil || second != first {
			t.Fatalf("%s became %s: %v", first, second, err)
		}
	})
}

func TestURLsOfNoExecution(t *testing.T) {
	plain := &Query{Name: "plain", Connection: "w", Params: []Param{{"day", Date}}}
	for _, raw := range []string{
		"http://w/plain?day=2026-01-01", "sql://other/plain?day=2026-01-01", "sql://w/none?day=2026-01-01", "sql://w/plain",
		"sql://w/plain?day=yesterday", "sql://w/plain?day=2026-01-01&day=2026-01-02", "sql://w/plain?day=2026-01-01&shop=1",
		"sql://w/plain?day=2026-01-01&_after=x", "sql://w/plain?day=2026-01-01&_after=[1]", "sql://w/plain?day=2026-01-01&_after=1+2",
		"sql://w/plain?day=2026-01-01&_for=none", "sql://w/plain?day=%zz",
	} {
		u, err := url.Parse(raw)
		if err != nil {
			t.Fatal(err)
		}
		if c, err := (Set{plain}).Read(u); err == nil {
			t.Errorf("%s is %+v", raw, c)
		}
	}
}

func TestRanges(t *testing.T) {
	for _, c := range []struct {
		of             Type
		from, to, step string
		want           string
	}{
		{Integer, "1", "10", "4", "1-5 5-9 9-11"},
		{Integer, "1", "1", "4", "1-2"},
		{Integer, "2", "1", "4", ""},
		{Integer, "9223372036854775800", "9223372036854775807", "5", "9223372036854775800-9223372036854775805 9223372036854775805-9223372036854775807"},
		{Date, "2026-02-27", "2026-03-01", "1d", "2026-02-27-2026-02-28 2026-02-28-2026-03-01 2026-03-01-2026-03-02"},
		{Date, "2026-01-31", "2026-04-01", "1mo", "2026-01-31-2026-02-28 2026-02-28-2026-03-31 2026-03-31-2026-04-02"},
		{Date, "2026-01-01", "2026-01-10", "1w", "2026-01-01-2026-01-08 2026-01-08-2026-01-11"},
		{Date, "2024-02-29", "2025-03-01", "1y", "2024-02-29-2025-02-28 2025-02-28-2025-03-02"},
		{DateTime, "2026-01-01T00:00:00Z", "2026-01-01T02:00:00Z", "90m", "2026-01-01T00:00:00Z-2026-01-01T01:30:00Z 2026-01-01T01:30:00Z-2026-01-01T02:00:00Z"},
	} {
		r := &Range{Param: &Param{"a", c.of}, Until: &Param{"b", c.of}, From: c.from, To: c.to, Step: c.step}
		var got []string
		for v, err := range r.Values() {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, v["a"]+"-"+v["b"])
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s to %s by %s: %v", c.from, c.to, c.step, got)
		}
		if n := r.Count(); n != len(got) {
			t.Errorf("%d steps are counted as %d", len(got), n)
		}
	}
	for _, bad := range []struct {
		of   Type
		step string
	}{{Integer, "0"}, {Integer, "1d"}, {Date, "1h"}, {Date, "-1d"}, {DateTime, "5"}, {Date, ""}, {Text, "1"}} {
		if CheckStep(bad.of, bad.step) == nil && Ranged(bad.of) {
			t.Errorf("%s takes the step %q", bad.of, bad.step)
		}
	}
}

// The parts of a range cover it without a gap and without an overlap.
func TestRangesCover(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		from := rapid.Int64Range(-1000, 1000).Draw(t, "from")
		to := from + rapid.Int64Range(0, 500).Draw(t, "length")
		r := &Range{Param: &Param{"a", Integer}, Until: &Param{"b", Integer}, From: fmt.Sprint(from), To: fmt.Sprint(to), Step: fmt.Sprint(rapid.Int64Range(1, 300).Draw(t, "step"))}
		next := fmt.Sprint(from)
		for v, err := range r.Values() {
			if err != nil || v["a"] != next {
				t.Fatalf("%v begins not at %s: %v", v, next, err)
			}
			next = v["b"]
		}
		if next != fmt.Sprint(to+1) {
			t.Fatalf("it ends at %s", next)
		}
	})
}

func TestAddresses(t *testing.T) {
	for address, want := range map[string]string{
		"postgres://u:p@h/d": "postgres", "postgresql://h/d": "postgres", "sqlite:x.db": "sqlite", "sqlite:///a/x.db": "sqlite",
		"mysql://u:p@h/d": "mysql", "mariadb://h:1/d?tls=true": "mysql",
		"duckdb:x": "", "x": "", "oracle://h": "", "sqlite:": "", "sqlite://x.db": "", "sqlite::memory:": "", "mysql://h": "", "mysql:///d": "",
	} {
		if d, err := DriverOf(address); (err != nil) != (want == "") || want != "" && string(d) != want {
			t.Errorf("%s is of %q: %v", address, d, err)
		}
	}
	if dsn, err := MySQLAddress("mysql://u:p%40%2Fw@[::1]:33/my%2Fdb?tls=true"); err != nil || dsn != "u:p@/w@tcp([::1]:33)/my%2Fdb?tls=true" {
		t.Errorf("%q, %v", dsn, err)
	}
	if !slices.Contains(Types, DateTime) {
		t.Error("a type is missing")
	}
}
