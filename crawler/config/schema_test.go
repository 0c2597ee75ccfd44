package config

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/amblecrawl/amble/crawler"
)

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(schemaID, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(schemaID) // checks it against the meta-schema of 2020-12
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// asJSON is a YAML text as a schema validator sees it.
func asJSON(t *testing.T, text []byte) (any, bool) {
	t.Helper()
	var v any
	if err := yaml.Unmarshal(bytes.TrimPrefix(text, []byte("\ufeff")), &v); err != nil {
		return nil, false
	}
	j, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(j))
	if err != nil {
		t.Fatal(err)
	}
	return out, true
}

// The schema takes what the decoder takes, and refuses what is wrong by form.
func TestSchemaAgreesWithTheDecoder(t *testing.T) {
	s := compileSchema(t)
	good, err := filepath.Glob("testdata/good-*.yaml")
	if err != nil || len(good) == 0 {
		t.Fatal(good, err)
	}
	for _, file := range good {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		doc, ok := asJSON(t, text)
		if !ok {
			t.Fatal(file)
		}
		if err := s.Validate(doc); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	for _, name := range []string{
		"unknown-keys", "types", "later", "enum", "list", "scalar", "seeds-missing", "links", "extract-list", "long-line", "output",
	} {
		text, err := os.ReadFile("testdata/bad-" + name + ".yaml")
		if err != nil {
			t.Fatal(err)
		}
		doc, ok := asJSON(t, text)
		if !ok {
			t.Fatal(name)
		}
		if err := s.Validate(doc); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

// Each single mistake of form is refused by both.
func TestSchemaRefusesSingleMistakes(t *testing.T) {
	s := compileSchema(t)
	for _, text := range []string{
		"seeds: https://a.example/\nsedes: 1\n",
		"seeds: {ulr: https://a.example/}\n",
		"seeds: https://a.example/\npoliteness: {dealy: 1s}\n",
		"seeds: https://a.example/\npoliteness: {delay: 1}\n",
		"seeds: https://a.example/\npoliteness: {delay: soon}\n",
		"seeds: https://a.example/\npoliteness: {robots: maybe}\n",
		"seeds: https://a.example/\nfetch: {workers: 0}\n",
		"seeds: https://a.example/\nfetch: {workers: many}\n",
		"seeds: https://a.example/\nfetch: {max_body: 10}\n",
		"seeds: https://a.example/\nextract: {a: {fields: {b: {ccs: x}}}}\n",
		"seeds: https://a.example/\nextract: {a: {plugin: nope}}\n",
		"seeds: https://a.example/\nextract: {a: {plugin: jsonld, fields: {}}}\n",
		"seeds: https://a.example/\noutput: [{jsonl: {paht: x}}]\n",
		"seeds: https://a.example/\noutput: [{xml: x}]\n",
	} {
		doc, ok := asJSON(t, []byte(text))
		if !ok {
			t.Fatal(text)
		}
		if err := s.Validate(doc); err == nil {
			t.Errorf("the schema takes %s", text)
		}
		if len(mistakes(text)) < 2 { // one is the missing contact
			t.Errorf("the decoder takes %s", text)
		}
	}
}

func TestSchemaDescribes(t *testing.T) {
	text, err := Schema()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`"description": "Time between the end of a host's response and the next request to it."`,
		`"default": 64`, `"const": "jsonld"`, `"default": "1s"`, `"description": "An attribute in place of the text."`,
	} {
		if !strings.Contains(string(text), want) {
			t.Errorf("the schema lacks %s", want)
		}
	}
}

// docsPage is the page that holds the reference between two marks.
const docsPage = "../../docs/config.md"

func TestDocsAreCurrent(t *testing.T) {
	page, err := os.ReadFile(docsPage)
	if err != nil {
		t.Fatal(err)
	}
	const from, to = "<!-- keys: made by go test ./crawler/config -run Docs -update -->\n\n", "\n<!-- end of keys -->"
	before, rest, ok := strings.Cut(string(page), from)
	old, after, ok2 := strings.Cut(rest, to)
	if !ok || !ok2 {
		t.Fatal("the page lacks the marks of the reference")
	}
	if old == Reference() {
		return
	}
	if !*update {
		t.Fatal("docs/config.md is not current: go test ./crawler/config -run Docs -update")
	}
	if err := os.WriteFile(docsPage, []byte(before+from+Reference()+to+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Every key has a line of documentation.
func TestEveryKeyIsDocumented(t *testing.T) {
	for line := range strings.Lines(Reference()) {
		if strings.HasSuffix(line, "|  |\n") {
			t.Error(line)
		}
	}
	plugins := OutputReference()
	for _, id := range crawler.Extractors.IDs() {
		text, _ := ExtractorReference(id)
		plugins += text
	}
	for _, want := range []string{"### jsonld", "### csv", "`fields.NAME.css`", "It takes no options."} {
		if !strings.Contains(plugins, want) {
			t.Errorf("no %s", want)
		}
	}
}
