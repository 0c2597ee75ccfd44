package rows_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/rows"
)

// told writes a dataset as one line for each row.
func told(t testing.TB, text string, format rows.Format, delimiter rune) string {
	t.Helper()
	r, err := rows.NewReader(strings.NewReader(text), format, delimiter)
	if err != nil {
		return "error: " + err.Error()
	}
	var b strings.Builder
	for {
		row, err := r.Next()
		if err == io.EOF {
			return b.String()
		}
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "%d@%d", row.Number, row.Line)
		for _, f := range row.Fields {
			fmt.Fprintf(&b, " %s=%#v", f.Name, f.Value)
		}
		if row.Err != nil {
			fmt.Fprintf(&b, " ! %v", row.Err)
		}
		b.WriteByte('\n')
	}
}

func TestCSV(t *testing.T) {
	for _, c := range []struct {
		name, text string
		comma      rune
		want       string
	}{
		{"plain", "city,lang\nKyiv,en\r\nKöln,de", 0, `1@2 city="Kyiv" lang="en"` + "\n" + `2@3 city="Köln" lang="de"` + "\n"},
		{"byte order mark", "\ufeffcity\nKyiv\n", 0, `1@2 city="Kyiv"` + "\n"},
		{"semicolon", "a;b\n1,5;2\n", ';', `1@2 a="1,5" b="2"` + "\n"},
		{"lines in a cell", "a,b\n\"x\ny\",2\nz,3\n", 0, `1@2 a="x\ny" b="2"` + "\n" + `2@4 a="z" b="3"` + "\n"},
		{"empty lines", "a\n\n1\n\n\n2\n", 0, `1@3 a="1"` + "\n" + `2@6 a="2"` + "\n"},
		{"too few and too many", "a,b\n1\n2,3\n4,5,6\n", 0,
			`1@2 a="1" ! 1 column where the header has 2` + "\n" + `2@3 a="2" b="3"` + "\n" + `3@4 a="4" b="5" ! 3 columns where the header has 2` + "\n"},
		{"broken encoding", "a,b\nK\xf6ln,1\nBonn,2\n", 0, `1@2 a="K�ln" b="1" ! a: the text is not UTF-8` + "\n" + `2@3 a="Bonn" b="2"` + "\n"},
		{"a quote without end", "a,b\n\"x,1\ny,2\nz,3\n", 0,
			"1@2 ! a quote is opened and not closed\n" + `2@3 a="y" b="2"` + "\n" + `3@4 a="z" b="3"` + "\n"},
		{"a bare quote", "a,b\n5\" pipe,1\ny,2\n", 0,
			`1@2 ! a cell that does not begin with a quote has one in it; write "a ""quoted"" word"` + "\n" + `2@3 a="y" b="2"` + "\n"},
		{"a quote that is not doubled", "a,b\n\"5\" pipe\",1\ny,2\n", 0,
			`1@2 ! a quote within a quoted cell is not doubled; write "a ""quoted"" word"` + "\n" + `2@3 a="y" b="2"` + "\n"},
		{"nothing", "", 0, "error: the file is empty; its first line must name the columns"},
		{"no name", "a,,b\n", 0, "error: the header has no name for column 2"},
		{"a name twice", "a,b,a\n", 0, `error: the header names "a" twice`},
		{"UTF-16", "\xff\xfea\x00", 0, "error: the file is UTF-16; write it as UTF-8"},
		{"a delimiter that is none", "a\n", '"', `error: '"' cannot be a delimiter`},
	} {
		if got := told(t, c.text, rows.CSV, c.comma); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.name, got, c.want)
		}
	}
}

func TestJSONLines(t *testing.T) {
	text := "\ufeff{\"id\": 7, \"price\": 1.5, \"name\": \"Köln\", \"on\": true, \"none\": null, \"tags\": [1, 2], \"big\": 12345678901234567890}\n" +
		"\n[1]\n{\"a\": 1\n{\"a\": 1} x\n{\"a\": 1, \"a\": 2}\n{\"a\": \"\xff\"}\n{\"a\": 2}"
	want := `1@1 id=7 price=1.5 name="Köln" on=true none=<nil> tags=json.RawMessage{0x5b, 0x31, 0x2c, 0x20, 0x32, 0x5d} big=json.RawMessage{` +
		strings.TrimSuffix(strings.Join(strings.Fields(fmt.Sprintf("% #x", "12345678901234567890")), ", "), ", ") + "}\n" +
		"2@3 ! the line is not a JSON object\n" +
		"3@4 a=1 ! the JSON object has no end\n" +
		"4@5 a=1 ! more stands behind the JSON object\n" +
		"5@6 a=1 ! \"a\" stands twice\n" +
		"6@7 ! the text is not UTF-8\n" +
		"7@8 a=2\n"
	if got := told(t, text, rows.JSONLines, 0); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// A row of any length, or a quote without end, takes no more than its bound, and
// the rows behind it are read.
func TestLongRows(t *testing.T) {
	long := strings.Repeat("x", rows.MaxRow+10)
	if got := told(t, "a\n"+long+"\nend\n", rows.CSV, 0); got != "1@2 ! the row is longer than 256 KiB\n2@3 a=\"end\"\n" {
		t.Errorf("%.300s", got)
	}
	if got := told(t, `{"a": "`+long+"\"}\n{\"a\": 1}\n", rows.JSONLines, 0); got != "1@1 ! the row is longer than 256 KiB\n2@2 a=1\n" {
		t.Errorf("%.300s", got)
	}
	many := strings.Repeat("some text\n", 2*rows.MaxRow/10)
	got := told(t, "a\n\"open\n"+many, rows.CSV, 0)
	if !strings.HasPrefix(got, "1@2 ! a quote is opened and not closed\n2@3 a=\"some text\"\n") || strings.Count(got, "!") != 1 {
		t.Errorf("%.300s", got)
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	for name, want := range map[string]string{
		"x.tsv":  "",
		"x.xlsx": ".xlsx is none of the formats that are read: .csv, .tsv, .jsonl, .parquet",
		"x":      "a name without an ending is none of the formats that are read: .csv, .tsv, .jsonl, .parquet",
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte("a\tb\n1\t2\n"), 0o644); err != nil {
			t.Fatal(err)
		}
		r, err := rows.Open(path, 0)
		if err != nil {
			if err.Error() != want {
				t.Errorf("%s: %v, want %s", name, err, want)
			}
			continue
		}
		if !slices.Equal(r.Columns(), []string{"a", "b"}) {
			t.Errorf("%s: %q", name, r.Columns())
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	if _, err := rows.Open(filepath.Join(dir, "none.csv"), 0); err == nil || strings.Contains(err.Error(), dir) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := rows.Open(dir, 0); err == nil {
		t.Error("a folder is opened")
	}
}

// What encoding/csv writes is read as it was.
func TestCSVRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.OneOf(rapid.StringMatching(`[a-c",; \r\n]{0,8}`), rapid.String())
		table := rapid.SliceOfN(rapid.SliceOfN(cell, 2, 2), 0, 12).Draw(t, "table")
		var b bytes.Buffer
		w := csv.NewWriter(&b)
		_ = w.Write([]string{"a", "b"})
		for _, cells := range table {
			_ = w.Write(cells)
		}
		w.Flush()
		r, err := rows.NewReader(&b, rows.CSV, 0)
		if err != nil {
			t.Fatal(err)
		}
		for i, cells := range table {
			row, err := r.Next()
			if err != nil || row.Err != nil {
				t.Fatalf("row %d: %v %v", i, err, row)
			}
			for n, f := range row.Fields {
				if f.Value != cells[n] {
					t.Fatalf("row %d: %q, want %q", i, f.Value, cells[n])
				}
			}
		}
		if _, err := r.Next(); err != io.EOF {
			t.Fatalf("at the end: %v", err)
		}
	})
}

// The ends of lines are those of cells too, whichever the file has.
func TestLineEndsInCells(t *testing.T) {
	if got := told(t, "a,b\r\n\"x\r\ny\n\",\"\"\"\r\n\"\r\nz,\"\"\r\n\"open\r\nz,1\r\n", rows.CSV, 0); got != "1@2 a=\"x\\r\\ny\\n\" b=\"\\\"\\r\\n\"\n"+
		"2@6 a=\"z\" b=\"\"\n3@7 ! a quote is opened and not closed\n4@8 a=\"z\" b=\"1\"\n" {
		t.Errorf("%s", got)
	}
	for _, format := range []rows.Format{rows.CSV, rows.JSONLines} {
		if _, err := rows.NewReader(strings.NewReader("a,b\r1,2\r"), format, 0); err == nil || !strings.Contains(err.Error(), "the lines end in CR alone") {
			t.Error(err)
		}
	}
}

func row(fields ...any) *rows.Row {
	r := &rows.Row{}
	for i := 0; i < len(fields); i += 2 {
		r.Fields = append(r.Fields, crawler.Field{Name: fields[i].(string), Value: fields[i+1]})
	}
	return r
}

func TestTemplates(t *testing.T) {
	r := row("city", `Köln & "Bonn"`, "n", int64(7), "f", 1.5, "none", nil, "on", true, "list", json.RawMessage(`[1,"a"]`),
		"path", "a/b?c", "up", "..", "url", "https://x.example/a?b=c", "My Column", "v")
	for _, c := range []struct {
		text string
		in   rows.Context
		want string
	}{
		{"https://api.example/v1?q={{city}}&n={{ n }}", rows.URL, "https://api.example/v1?q=K%C3%B6ln%20%26%20%22Bonn%22&n=7"},
		{"https://api.example/{{path}}/x", rows.URL, "https://api.example/a%2Fb%3Fc/x"},
		{"https://api.example/{{up}}/x", rows.URL, "! a value makes the path segment . or .., which would lead to another path"},
		{"https://api.example/?a=/{{up}}/", rows.URL, "https://api.example/?a=/../"},
		{"https://api.example/{{none}}{{f}}", rows.URL, "https://api.example/1.5"},
		{"https://api.example/?l={{list}}&o={{on}}", rows.URL, "https://api.example/?l=%5B1%2C%22a%22%5D&o=true"},
		{"https://api.example/?l={{city|json}}", rows.URL, "https://api.example/?l=%22K%C3%B6ln%20%26%20%5C%22Bonn%5C%22%22"},
		{"{{url|raw}}", rows.URL, "https://x.example/a?b=c"},
		{"{{My Column}}", rows.Text, "v"},
		{`{"q": "in {{city}}!", "n": {{n}}, "l": {{list|json}}, "s": {{city}}, "none": {{none}}}`, rows.JSON,
			`{"q": "in Köln & \"Bonn\"!", "n": 7, "l": [1,"a"], "s": "Köln & \"Bonn\"", "none": null}`},
		{`{"a\"{{n}}": 1}`, rows.JSON, `{"a\"7": 1}`},
		{`{"n": {{city|raw}}}`, rows.JSON, "! the body is not JSON with the values of this row"},
		{"q={{city}}", rows.Form, "q=K%C3%B6ln%20%26%20%22Bonn%22"},
		{"{{nothing}}", rows.Text, "! the row has no nothing"},
		{"nothing", rows.URL, "nothing"},
		{"a {{b", rows.URL, "!! {{ has no }} at 2"},
		{"a {{ | raw }}", rows.URL, "!! {{}} names no column at 2"},
		{"a {{b|upper}}", rows.URL, `!! "upper" is not a filter at 6`},
		{`"{{b|json}}"`, rows.JSON, "!! {{b|json}} stands within quotes, and brings its own at 1"},
	} {
		got := ""
		tmpl, err := rows.Parse(c.text, c.in)
		if err != nil {
			got = fmt.Sprintf("!! %v at %d", err, err.(*rows.SyntaxError).Offset)
		} else if got, err = tmpl.Fill(r); err != nil {
			got = "! " + err.Error()
		}
		if got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.text, got, c.want)
		}
	}
}

// Whatever a value is, it stays one value.
func TestValuesStayValues(t *testing.T) {
	link, err := rows.Parse("https://api.example/a/{{v}}/b?q={{v}}&r=1", rows.URL)
	if err != nil {
		t.Fatal(err)
	}
	body, err := rows.Parse(`{"in": "<{{v}}>", "out": {{v}}, "last": 1}`, rows.JSON)
	if err != nil {
		t.Fatal(err)
	}
	form, err := rows.Parse("q={{v}}&r=1", rows.Form)
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		v := rapid.String().Draw(t, "v")
		r := row("v", v)
		text, err := link.Fill(r)
		if v == "." || v == ".." {
			if err == nil {
				t.Fatalf("%q makes %s", v, text)
			}
		} else if u, parsed := url.Parse(text); err != nil || parsed != nil || u.Host != "api.example" || u.Path != "/a/"+v+"/b" ||
			u.Query().Get("q") != v || len(u.Query()) != 2 {
			t.Fatalf("%q makes %s: %v %v", v, text, err, parsed)
		}
		if text, err = form.Fill(r); err != nil {
			t.Fatal(err)
		}
		if q, err := url.ParseQuery(text); err != nil || q.Get("q") != v || len(q) != 2 {
			t.Fatalf("%q makes %s: %v", v, text, err)
		}
		if text, err = body.Fill(r); err != nil {
			t.Fatal(err)
		}
		var got map[string]any
		if err := json.Unmarshal([]byte(text), &got); err != nil || got["in"] != "<"+v+">" || got["out"] != v || len(got) != 3 {
			t.Fatalf("%q makes %s: %v", v, text, err)
		}
	})
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("a,b\n1,2\n\"x\ny\",3\n\"open\n"), uint8(0), ',')
	f.Add([]byte("{\"a\": 1}\n{\"b\": [}\n"), uint8(1), ',')
	f.Add([]byte("\ufeffa;b\r\n\"\"\"\";\xff\n"), uint8(0), ';')
	f.Fuzz(func(t *testing.T, data []byte, format uint8, comma rune) {
		r, err := rows.NewReader(bytes.NewReader(data), rows.Format(format%2), comma)
		if err != nil {
			return
		}
		var last *rows.Row
		for {
			row, err := r.Next()
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			if last != nil && (row.Line <= last.Line || row.Number != last.Number+1) {
				t.Fatalf("row %d at line %d follows row %d at line %d", row.Number, row.Line, last.Number, last.Line)
			}
			if lines := int64(bytes.Count(data, []byte("\n")) + 1); row.Line < 1 || row.Line > lines {
				t.Fatalf("row %d at line %d of %d", row.Number, row.Line, lines)
			}
			if row.Err == nil && len(r.Columns()) > 0 && len(row.Fields) != len(r.Columns()) {
				t.Fatalf("%d fields of %d columns", len(row.Fields), len(r.Columns()))
			}
			last = row
		}
	})
}

func FuzzTemplate(f *testing.F) {
	f.Add("https://api.example/{{a}}?q={{a|json}}", uint8(0), "x")
	f.Add(`{"a": "{{a}}", "b": {{a|raw}}}`, uint8(1), "\"")
	f.Add("{{", uint8(2), "")
	f.Fuzz(func(t *testing.T, text string, in uint8, v string) {
		tmpl, err := rows.Parse(text, rows.Context(in%4))
		if err != nil {
			return
		}
		r := row("a", v)
		for _, ref := range tmpl.Columns() {
			if text[ref.Offset:ref.Offset+len(ref.Column)] != ref.Column {
				t.Fatalf("%q is not at %d of %q", ref.Column, ref.Offset, text)
			}
		}
		filled, err := tmpl.Fill(r)
		if err == nil && in%4 == uint8(rows.JSON) && !tmpl.Constant() && !json.Valid([]byte(filled)) {
			t.Fatalf("%q is not JSON", filled)
		}
	})
}

func TestBatches(t *testing.T) {
	b := &rows.Batch{Separator: ",", Columns: []string{"id", "city"}, Rows: []*rows.Row{
		row("id", int64(1), "city", `Köln "1"`, "n", nil), row("id", "2", "city", "a&b", "n", 1.5),
	}}
	for _, c := range []struct {
		text string
		in   rows.Context
		want string
	}{
		{"https://api.example/?ids={{id}}&q={{city}}", rows.URL, "https://api.example/?ids=1,2&q=K%C3%B6ln%20%221%22,a%26b"},
		{"https://api.example/?q={{rows}}", rows.URL, "https://api.example/?q=%5B%7B%22id%22%3A1%2C%22city%22%3A%22K%C3%B6ln%20%5C%221%5C%22%22%7D%2C%7B%22id%22%3A%222%22%2C%22city%22%3A%22a%26b%22%7D%5D"},
		{"https://api.example/?q={{n|json}}", rows.URL, "https://api.example/?q=%5Bnull%2C1.5%5D"},
		{`{"rows": {{rows}}, "ids": {{id}}, "text": "in {{city}}"}`, rows.JSON, `{"rows": [{"id":1,"city":"Köln \"1\""},{"id":"2","city":"a&b"}], "ids": [1,"2"], "text": "in Köln \"1\",a&b"}`},
		{`{"rows": "{{rows}}"}`, rows.JSON, "! rows: all rows stand within quotes; leave out the quotes"},
		{"{{city|raw}}", rows.Text, `Köln "1",a&b`},
		{"{{rows}}", rows.Text, `[{"id":1,"city":"Köln \"1\""},{"id":"2","city":"a&b"}]`},
		{"{{none}}", rows.Text, "! the row has no none"},
	} {
		tmpl, err := rows.Parse(c.text, c.in)
		if err != nil {
			t.Fatal(err)
		}
		got, err := tmpl.FillAll(b)
		if err != nil {
			got = "! " + err.Error()
		}
		if got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.text, got, c.want)
		}
	}
	b.Rows = append(b.Rows, row("id", "3,4", "city", "x"))
	if tmpl, _ := rows.Parse("https://api.example/?ids={{id}}", rows.URL); tmpl != nil {
		if text, err := tmpl.FillAll(b); err == nil {
			t.Errorf("a value with the separator makes %s", text)
		}
	}
}

// Whatever values are, a body of a batch is JSON with each of them.
func FuzzBatch(f *testing.F) {
	f.Add("a", "b", ",")
	f.Add("\"", "\\", "")
	f.Fuzz(func(t *testing.T, one, two, separator string) {
		b := &rows.Batch{Separator: separator, Rows: []*rows.Row{row("v", one), row("v", two)}}
		body, err := rows.Parse(`{"rows": {{rows}}, "list": {{v}}}`, rows.JSON)
		if err != nil {
			t.Fatal(err)
		}
		text, err := body.FillAll(b)
		if !utf8.ValidString(one) || !utf8.ValidString(two) {
			return
		}
		var got struct {
			Rows []map[string]string
			List []string
		}
		if err != nil || json.Unmarshal([]byte(text), &got) != nil || len(got.Rows) != 2 || got.Rows[0]["v"] != one || got.Rows[1]["v"] != two || !slices.Equal(got.List, []string{one, two}) {
			t.Fatalf("%q and %q make %s: %v", one, two, text, err)
		}
		link, err := rows.Parse("https://api.example/?ids={{v}}", rows.URL)
		if err != nil {
			t.Fatal(err)
		}
		b.Separator = ","
		if text, err := link.FillAll(b); err == nil {
			if u, err := url.Parse(text); err != nil || u.Query().Get("ids") != one+","+two || len(u.Query()) != 1 {
				t.Fatalf("%q and %q make %s", one, two, text)
			}
		}
	})
}
