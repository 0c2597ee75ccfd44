package trust

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

func mustCompile(t *testing.T, text string) *Schema {
	t.Helper()
	s, err := Compile("schema.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func record(fields ...crawler.Field) *crawler.Record {
	return &crawler.Record{Type: "book", URL: "http://books.example/a", Key: "k", Fields: fields}
}

func field(name string, value any) crawler.Field { return crawler.Field{Name: name, Value: value} }

func TestCheck(t *testing.T) {
	d := &Demand{
		Required: []string{"title", "offer.currency"},
		Schema: mustCompile(t, `{
			"required": ["price", "title"],
			"properties": {
				"price": {"type": "number", "minimum": 0},
				"stock": {"type": "integer"},
				"link": {"type": "string", "format": "uri"},
				"tags": {"items": {"maxLength": 5}},
				"offer": {"required": ["amount"], "properties": {"amount": {"type": "integer"}}},
				"data": {"properties": {"n": {"const": 9007199254740993}}}
			}
		}`),
	}
	offer := func(fields ...crawler.Field) crawler.Field { return field("offer", fields) }
	good := []crawler.Field{
		field("title", "A"), field("price", 1.5), field("stock", int64(3)), field("link", "http://a.example/"),
		field("tags", []any{"a", "b"}), offer(field("currency", "EUR"), field("amount", int64(2))),
		field("data", json.RawMessage(`{"n": 9007199254740993}`)), field("extra", nil),
	}
	if problems := d.Check(record(good...)); len(problems) != 0 {
		t.Fatalf("a good record has %v", problems)
	}
	with := func(changed ...crawler.Field) []crawler.Field {
		fields := slices.Clone(good)
		for _, c := range changed {
			i := slices.IndexFunc(fields, func(f crawler.Field) bool { return f.Name == c.Name })
			fields[i] = c
		}
		return fields
	}
	for _, tt := range []struct {
		fields []crawler.Field
		want   string // field=value of each problem
	}{
		{with(field("title", nil)), "title="},
		{with(field("price", nil)), "price="},
		{with(field("price", -1.0)), "price=-1"},
		{with(field("price", "dear")), "price=dear"},
		{with(field("price", math.NaN())), "price="},
		{with(field("stock", 1.5)), "stock=1.5"},
		{with(field("link", "not a link")), "link=not a link"},
		{with(field("tags", []any{"short", "too long"})), "tags.1=too long"},
		{with(offer(field("amount", int64(1)))), "offer.currency="},
		{with(offer(field("currency", "EUR"))), "offer.amount="},
		{with(offer(field("currency", "EUR"), field("amount", "one"))), "offer.amount=one"},
		{with(field("data", json.RawMessage(`{"n": 9007199254740992}`))), "data.n=9007199254740992"},
		{with(field("title", nil), field("price", "x")), "title= price=x"},
		{nil, "title= offer.currency= price="},
	} {
		var got []string
		for _, p := range d.Check(record(tt.fields...)) {
			if p.Err == nil || p.Err.Error() == "" {
				t.Errorf("a problem of %s has no reason", p.Field)
			}
			got = append(got, p.Field+"="+p.Value)
		}
		if text := strings.Join(got, " "); text != tt.want {
			t.Errorf("%v: problems %q, want %q", tt.fields, text, tt.want)
		}
	}
}

// Nothing that a page or a schema says makes a check panic or go on for ever.
func TestCheckBearsWhatComes(t *testing.T) {
	deep := any("end")
	for range 100_000 {
		deep = []any{deep}
	}
	for _, schema := range []string{
		`{"$ref": "#"}`, `{"anyOf": [{"$ref": "#/$defs/a"}], "$defs": {"a": {"anyOf": [{"$ref": "#"}]}}}`,
		`{"$defs": {"list": {"items": {"$ref": "#/$defs/list"}}}, "properties": {"deep": {"$ref": "#/$defs/list"}}}`,
		`{"pattern": "^(a+)+$"}`, `false`, `true`, `{"not": {}}`,
	} {
		s := mustCompile(t, schema)
		d := &Demand{Schema: s}
		problems := d.Check(record(
			field("deep", deep), field("raw", json.RawMessage("{broken")), field("a", strings.Repeat("a", 1<<16)+"!"),
			field("odd", struct{}{}), field("twice", 1), field("twice", "2"),
		))
		if len(problems) > maxLeaves {
			t.Errorf("%s: %d problems", schema, len(problems))
		}
	}
}

func TestCompileStaysInItsFolder(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("in/below/price.json", `{"type": "number"}`)
	write("secret.json", `{"type": "number"}`)
	if err := os.Symlink("../secret.json", filepath.Join(dir, "in/link.json")); err != nil {
		t.Fatal(err)
	}
	write("in/large.json", `{"title": "`+strings.Repeat("x", MaxSchema)+`"}`)
	for ref, ok := range map[string]bool{
		"below/price.json": true, "http://json-schema.org/draft-07/schema#": true,
		"../secret.json": false, "link.json": false, "/etc/hostname": false, "large.json": false, "absent.json": false,
		"http://127.0.0.1:1/price.json": false, "file://host.example/price.json": false, "data:application/json,{}": false,
	} {
		text, _ := json.Marshal(map[string]any{"properties": map[string]any{"price": map[string]any{"$ref": ref}}})
		_, err := Compile(filepath.Join(dir, "in/schema.json"), text)
		if (err == nil) != ok {
			t.Errorf("%s: %v", ref, err)
		}
		e, located := errors.AsType[*SchemaError](err)
		if err != nil && (!located || strings.Join(e.Pointer, "/") != "properties/price/$ref") {
			t.Errorf("%s: the mistake is placed at %v: %v", ref, e.Pointer, err)
		}
	}
}

func TestPosition(t *testing.T) {
	text := "{\n  \"a\": [1, {\"b\": 2,\n    \"c/d\": \"x\"}],\n  \"e\" : {}\n}\n"
	for _, tt := range []struct {
		pointer      string
		line, column int
	}{
		{"", 1, 1}, {"a", 2, 8}, {"a 0", 2, 9}, {"a 1 b", 2, 18}, {"a 1 c/d", 3, 12}, {"e", 4, 9}, {"a 1 nope", 2, 12}, {"zzz", 1, 1},
	} {
		if line, column := Position([]byte(text), strings.Fields(tt.pointer)); line != tt.line || column != tt.column {
			t.Errorf("%q is at %d:%d, want %d:%d", tt.pointer, line, column, tt.line, tt.column)
		}
	}
}

// fixed is a pipeline that gives the same records for each page.
type fixed struct {
	records []crawler.Record
	err     error
}

func (f fixed) Run(_ context.Context, _ *crawler.Page, r *crawler.Result) error {
	r.Records = append(r.Records, f.records...)
	return f.err
}

func (fixed) Types() []crawler.RecordType { return []crawler.RecordType{{Name: "book"}} }

func TestEnforce(t *testing.T) {
	before := *record(field("title", nil)) // of another pipeline, and none of ours to judge
	records := []crawler.Record{*record(field("title", "a")), *record(field("title", nil)), {Type: "page"}, *record(field("title", "b"))}
	p := Enforce(fixed{records: records}, map[string]*Demand{"book": {Required: []string{"title"}}},
		func(recordType, field string) string { return recordType + " " + field })
	r := crawler.Result{Records: []crawler.Record{before}}
	if err := p.Run(t.Context(), nil, &r); err != nil {
		t.Fatal(err)
	}
	if len(r.Records) != 4 || r.Records[1].Fields[0].Value != "a" || r.Records[2].Type != "page" || r.Records[3].Fields[0].Value != "b" {
		t.Errorf("kept %+v", r.Records)
	}
	if len(r.Rejects) != 1 || r.Rejects[0].Key != "k" || r.Rejects[0].Problems[0].Source != "book title" ||
		len(r.Errors) != 1 || !r.Errors[0].Dropped || r.Errors[0].URL != before.URL {
		t.Errorf("rejected %+v, errors %+v", r.Rejects, r.Errors)
	}
}

// FuzzCompile compiles what a file may hold and checks a record by it.
func FuzzCompile(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"type": "object", "required": ["a"]}`, `{"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#"}}}`,
		`{"properties": {"a": {"pattern": "("}}}`, `{"$id": "http://[", "$schema": "x"}`, `{"$dynamicRef": "#a", "$anchor": "a"}`, `[`, `"\ud800"`,
		`{"$schema": "http://json-schema.org/draft-04/schema#", "id": "#x", "dependencies": {"a": ["b"]}}`,
	} {
		f.Add([]byte(seed))
	}
	r := record(field("a", "x"), field("b", []any{int64(1), nil}), field("c", []crawler.Field{field("d", 1.5)}))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := Compile("schema.json", text)
		if (s == nil) == (err == nil) {
			t.Fatalf("schema %v, error %v", s, err)
		}
		if s != nil {
			(&Demand{Schema: s}).Check(r)
		}
		line, column := Position(text, []string{"a", "0"})
		if line < 1 || column < 1 {
			t.Fatalf("position %d:%d", line, column)
		}
	})
}
