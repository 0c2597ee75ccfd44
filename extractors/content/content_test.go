package content

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

func try(t testing.TB, x crawler.Extractor, body string) (*crawler.Result, error) {
	t.Helper()
	u, err := urls.Parse("https://s.example/dir/page.html")
	if err != nil {
		t.Fatal(err)
	}
	p := crawler.NewPage(&crawler.Request{URL: u}, &crawler.Response{
		Body: []byte(body), MediaType: "text/html", Header: http.Header{"Content-Language": {"sv"}},
	})
	r := &crawler.Result{}
	err = x.Extract(context.Background(), p, crawler.NewEmitter("row", p, r))
	return r, err
}

// shown is one line a record and error: name=value pairs, nulls left out.
func shown(t testing.TB, x crawler.Extractor, body string) string {
	t.Helper()
	r, err := try(t, x, body)
	var lines []string
	for _, rec := range r.Records {
		var parts []string
		for _, f := range rec.Fields {
			if f.Value != nil {
				parts = append(parts, fmt.Sprintf("%s=%v", f.Name, f.Value))
			}
		}
		lines = append(lines, strings.Join(parts, "|"))
	}
	for _, e := range r.Errors {
		lines = append(lines, "! "+e.Err.Error())
	}
	if err != nil {
		lines = append(lines, "!! "+err.Error())
	}
	return strings.Join(lines, "\n")
}

func TestPage(t *testing.T) {
	const body = `<html lang=" de-AT "><head><base href="/b/"><title>Über  Eichen</title>
<meta name=Description content=" Ein
 Baum "><link rel="nofollow Canonical" href="eiche"></head>
<body><svg><title>icon</title></svg><p>Eine <b>Eiche</b></p><script>no()</script>
<a href="x#1">x</a> <a href="x#2">x</a> <a href="mailto:a@b.example">m</a> <a>none</a></body>`
	want := "title=Über Eichen|description=Ein Baum|canonical=https://s.example/b/eiche|language=de-AT|hash="
	got := shown(t, NewPage(), body)
	if !strings.HasPrefix(got, want) || !strings.Contains(got, "|text=icon Eine Eiche x x m none|links=[https://s.example/b/x]") {
		t.Errorf("got %s", got)
	}
	a, b := shown(t, &Page{}, body), shown(t, &Page{}, strings.Replace(body, "Eine <b>Eiche</b>", "<i>Eine</i> Eiche", 1))
	if a != b || strings.Contains(a, "text=") {
		t.Errorf("pages that read the same differ:\n%s\n%s", a, b)
	}
	if c := shown(t, &Page{}, strings.Replace(body, "Eiche", "Esche", 2)); a == c {
		t.Error("pages that read differently do not differ")
	}
	if got := shown(t, &Page{}, "text"); !strings.HasPrefix(got, "language=sv|") {
		t.Errorf("the header's language: %s", got)
	}
}

func TestTables(t *testing.T) {
	const plain = `<table><caption>Trees</caption><thead><tr><th>Name<th>Height (m)<th>Name<th></thead>
<tr><td>Oak<td>30<td>Quercus<td>x<tr><td>Ash<td>25,5<td>Fraxinus<tfoot><tr><td>Sum<td>55</tfoot></table>`
	for _, c := range []struct {
		name string
		x    *Table
		body string
		want string
	}{
		{"thead", &Table{}, plain, "name=Oak|height_m=30|name_2=Quercus|col_4=x\nname=Ash|height_m=25,5|name_2=Fraxinus"},
		{"names as they are", &Table{Names: "text"}, plain, "Name=Oak|Height (m)=30|Name_2=Quercus|col_4=x\nName=Ash|Height (m)=25,5|Name_2=Fraxinus"},
		{"numbers", &Table{Numbers: true, Title: "of"}, plain, "of=Trees|name=Oak|height_m=30|name_2=Quercus|col_4=x\nof=Trees|name=Ash|height_m=25.5|name_2=Fraxinus"},
		{"another caption", &Table{Caption: "Shrubs"}, plain, ""},
		{"first row", &Table{Header: "first"}, "<table><tr><td>A<td>B<tr><td>1<td>2</table>", "a=1|b=2"},
		{"no header", &Table{}, "<table><tr><td>A<td>B<tr><td>1<td>2</table>", "col_1=A|col_2=B\ncol_1=1|col_2=2"},
		{"header unwanted", &Table{Header: "none"}, "<table><tr><th>A<tr><td>1</table>", "col_1=A\ncol_1=1"},
		{"rows of th", &Table{}, "<table><tr><th colspan=2>Size<th rowspan=2>Kind<tr><th>min<th>max<tr><td>1<td>2<td>k</table>", "size_min=1|size_max=2|kind=k"},
		{"corner", &Table{}, "<table><tr><td><th>2025<th>2026<tr><th>Oak<td>1<td>2</table>", "col_1=Oak|2025=1|2026=2"},
		{"spans", &Table{Header: "none"}, "<table><tr><td rowspan=2>a<td>b<tr><td>c<tr><td colspan=2>d</table>", "col_1=a|col_2=b\ncol_1=a|col_2=c\ncol_1=d|col_2=d"},
		{"to the end of the group", &Table{Header: "none"}, "<table><tbody><tr><td rowspan=0>a<td>b<tr><td>c<tbody><tr><td>d</table>", "col_1=a|col_2=b\ncol_1=a|col_2=c\ncol_1=d"},
		{"units", &Table{Numbers: true, Header: "first"}, "<table><tr><td>w<td>p<tr><td>12 kg<td>£3<tr><td>1.5 t<td>4</table>", "w=12|w_unit=kg|p=3\nw=1.5|w_unit=t|p=4"},
		{"not all numbers", &Table{Numbers: true, Header: "first"}, "<table><tr><td>w<tr><td>12 kg<tr><td>about 3</table>", "w=12 kg\nw=about 3"},
		{"nested", &Table{}, "<table><tr><th>A<tr><td>x <table><tr><th>B<tr><td>y</table> z</table>", "a=x z\nb=y"},
		{"layout", &Table{}, `<table role=presentation><tr><td><table><tr><th>B<tr><td>y</table></table>`, "b=y"},
		{"heading between", &Table{}, "<table><tr><th>A<th>B<tr><th colspan=2>Group<tr><td>1<td>2</table>", "a_group=1|b_group=2"},
		{"bounded", &Table{MaxRecords: 1, Header: "none"}, "<table><tr><td>1<tr><td>2</table>", "col_1=1\n! more than 1 records on one page: the rest was left out"},
		{"empty rows", &Table{}, "<table><tr><th>A<tr><td><tr><tr><td>1</table>", "a=1"},
		{"bad spans", &Table{Header: "none"}, "<table><tr><td colspan=x rowspan=-1>1<td colspan=0>2</table>", "col_1=1|col_2=2"},
	} {
		if got := shown(t, c.x, c.body); got != c.want {
			t.Errorf("%s: got\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

// Whatever a table says of its size, the work and the columns are bounded.
func TestHugeTables(t *testing.T) {
	for name, body := range map[string]string{
		"wide":   "<table>" + strings.Repeat("<tr><td colspan=1000>x<td colspan=1000>y", 200) + "</table>",
		"tall":   "<table><tr><td rowspan=65534>x" + strings.Repeat("<tr><td>y", 20_000) + "</table>",
		"both":   "<table><tr>" + strings.Repeat("<td rowspan=65534 colspan=1000>x", 50) + strings.Repeat("<tr><td>", 1000) + "</table>",
		"nested": strings.Repeat("<table><tr><td>", 100) + "x",
	} {
		r, err := try(t, &Table{MaxRecords: 500}, body)
		if err != nil && !errors.Is(err, errTooMuchWork) {
			t.Errorf("%s: %v", name, err)
		}
		if len(r.Records) > 500 {
			t.Errorf("%s: %d records", name, len(r.Records))
		}
		for _, rec := range r.Records {
			if len(rec.Fields) > maxColumns {
				t.Fatalf("%s: %d columns", name, len(rec.Fields))
			}
		}
	}
}

func TestTableMistakes(t *testing.T) {
	err := (&Table{CSS: "[", Header: "top", Names: "x", Title: "_t", MaxRecords: -1}).Validate()
	for _, key := range []string{"css", "header", "names", "title_field", "max_records"} {
		if err == nil || !strings.Contains(err.Error(), key+": ") {
			t.Errorf("%s is not told: %v", key, err)
		}
	}
}

func FuzzTable(f *testing.F) {
	f.Add("<table><tr><th colspan=2>a<tr><td rowspan=0>1<td>2 kg</table>")
	f.Add("<table><thead><tr><td rowspan=3><tbody><tr><table>")
	f.Fuzz(func(t *testing.T, body string) {
		for _, x := range []crawler.Extractor{&Table{Numbers: true}, &Table{Header: "first"}, NewPage()} {
			r, _ := try(t, x, body)
			for _, rec := range r.Records {
				seen := map[string]bool{}
				for _, f := range rec.Fields {
					if f.Name == "" {
						t.Fatal("a field without a name")
					}
					seen[f.Name] = true
				}
			}
		}
	})
}

// Times and shares are no numbers with a unit.
func TestMeasure(t *testing.T) {
	for text, want := range map[string]string{"4.1 m": "4.1 m true", "12 kg": "12 kg true", "5 /day": "5 /day true", "7": "7  true", "04:12": "0  false", "3/4": "0  false"} {
		n, unit, ok := measure(text)
		if got := fmt.Sprint(n, " ", unit, " ", ok); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
