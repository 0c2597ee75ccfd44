package database

import (
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/query"
)

func TestTypesOfMariaDB(t *testing.T) {
	url := mariadbURL(t)
	fill(t, url, "drop table if exists typed", `create table typed(i8 tinyint, i64 bigint, u64 bigint unsigned, f4 float, f8 double, n decimal(10,2), ok boolean,
		t varchar(20), none int, d date, dt datetime(1), ts timestamp, y year, clock time, j json, raw varbinary(4), b bit(9), e enum('a','b'), u uuid, long_text longtext)`,
		`insert into typed values(-7, 9223372036854775807, 18446744073709551615, 1.5, 2, 12.30, true, 'x"<é', null, '2026-01-31',
		 '2026-01-31 10:00:00.5', '2026-01-31 10:00:00', 2026, '10:20:30', '{"a": [1, 2]}', x'00ff', b'100000001', 'b', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'long')`)
	a := newAsk(t, url, Options{}, &query.Query{Name: "q", Type: "select * from typed"})
	got, err := a.lines(t, "sql://db/q")
	if err != nil {
		t.Fatal(err)
	}
	want := `[-7,9223372036854775807,18446744073709551615,1.5,2.0,12.30,1,"x\"\u003cé",null,"2026-01-31",` +
		`"2026-01-31T10:00:00.5Z","2026-01-31T10:00:00Z",2026,"10:20:30","{\"a\": [1, 2]}","AP8=","AQE=","b","a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11","long"]`
	if got[1] != want {
		t.Errorf("got  %s\nwant %s", got[1], want)
	}
}

// A date that is none is neither another date nor the end of its partition.
func TestZeroDatesOfMariaDB(t *testing.T) {
	url := mariadbURL(t)
	fill(t, url, "drop table if exists hollow", "create table hollow(id int, d date, dt datetime(3))",
		"set sql_mode = ''", "insert into hollow values(1, '0000-00-00', '0000-00-00 00:00:00'), (2, '2026-01-00', '0001-01-01 00:00:00'), (3, null, '2026-01-31 10:00:00')")
	a := newAsk(t, url, Options{},
		&query.Query{Name: "q", Type: "select * from hollow order by id"},
		&query.Query{Name: "zone", Type: "select @@session.time_zone as z"},
		&query.Query{Name: "paged", Type: "select dt, id from hollow where id > 1", Page: &query.Page{Column: "dt", Size: 1}})
	for name, want := range map[string]string{
		"q":     `[1,"0000-00-00","0000-00-00 00:00:00.000"] [2,"2026-01-00","0001-01-01T00:00:00Z"] [3,null,"2026-01-31T10:00:00Z"]`,
		"zone":  `["+00:00"]`, // that of TIMESTAMP
		"paged": `["0001-01-01T00:00:00Z",2]`,
	} {
		got, err := a.lines(t, "sql://db/"+name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := strings.Join(got[1:len(got)-1], " "); got != want {
			t.Errorf("%s gives %s, want %s", name, got, want)
		}
	}
}

func TestFailuresOfMariaDB(t *testing.T) {
	url := mariadbURL(t)
	fill(t, url, "drop table if exists words", "create table words(w varchar(10))", "insert into words values('x')")
	brief := newAsk(t, url, Options{Connections: []Connection{{Timeout: 500 * time.Millisecond}}},
		&query.Query{Name: "slow", Type: "select sleep(10)"},
		&query.Query{Name: "busy", Type: "select benchmark(1000000000, md5('x'))"},
		&query.Query{Name: "two", Type: "select 1 as a"})
	a := newAsk(t, url, Options{},
		&query.Query{Name: "syntax", Type: "selekt 1"},
		&query.Query{Name: "none", Type: "select * from nothing"},
		&query.Query{Name: "late", Type: "select seq, (select w from words where seq < 20000 union all select 'x' from words) as x from seq_1_to_30000"},
		&query.Query{Name: "twice", Type: "select 1 as a, 2 as a"},
		&query.Query{Name: "writes", Type: "insert into words values('y') returning w"})
	for name, want := range map[string]struct {
		class     crawler.Class
		temporary bool
		says      string
	}{
		"syntax": {crawler.ClassQuery, false, "Error 1064"},
		"none":   {crawler.ClassQuery, false, "Error 1146"},
		"slow":   {crawler.ClassTimeout, true, ""},
		"busy":   {crawler.ClassTimeout, true, ""},
		"late":   {crawler.ClassQuery, false, "Error 1242"},
		"twice":  {crawler.ClassQuery, false, "two columns"},
		"writes": {crawler.ClassQuery, false, "READ ONLY"},
	} {
		on := a
		if want.class == crawler.ClassTimeout {
			on = brief
		}
		_, err := on.lines(t, "sql://db/"+name)
		if class, temporary := classOf(t, err); class != want.class || temporary != want.temporary || !strings.Contains(err.Error(), want.says) {
			t.Errorf("%s: %s, again %t: %v", name, class, temporary, err)
		}
	}
	// The server has ended what took too long, and the pool goes on.
	if got, err := newAsk(t, url, Options{}, brief.set[2]).lines(t, "sql://db/two"); err != nil || got[1] != "[1]" {
		t.Errorf("%q, %v", got, err)
	}
}

func TestTLSOfMariaDB(t *testing.T) {
	url := mariadbURL(t)
	fill(t, url, "create user if not exists secured@'%' identified by 'hunter22' require ssl", "grant select on amble.* to secured@'%'", "flush privileges")
	secured := strings.Replace(url, "root@", "secured:hunter22@", 1)
	ask := func(options string) (string, error) {
		a := newAsk(t, secured+options, Options{}, &query.Query{Name: "q", Type: "show status like 'ssl_version'"})
		got, err := a.lines(t, "sql://db/q")
		if err != nil {
			return "", err
		}
		return got[1], nil
	}
	if got, err := ask("?tls=skip-verify"); err != nil || !strings.Contains(got, "TLSv1") {
		t.Errorf("with TLS: %s, %v", got, err)
	}
	for options, want := range map[string]struct {
		class crawler.Class
		says  string
	}{"": {crawler.ClassQuery, "Error 1045"}, "?tls=false": {crawler.ClassQuery, "Error 1045"}, "?tls=true": {crawler.ClassTLS, "certificate"}} {
		_, err := ask(options)
		if err == nil {
			t.Errorf("%q is let in", options)
			continue
		}
		if strings.Contains(err.Error(), "hunter22") {
			t.Errorf("%q shows the password: %v", options, err)
		}
		if class, _ := classOf(t, err); class != want.class || !strings.Contains(err.Error(), want.says) {
			t.Errorf("%q: %s: %v", options, class, err)
		}
	}
}
