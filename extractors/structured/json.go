package structured

import (
	"bytes"
	"context"
	"sync"

	"github.com/andybalholm/cascadia"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/values"
)

// DefaultMaxRecords bounds the records of one page where the config does not.
const DefaultMaxRecords = 10_000

func init() {
	crawler.Extractors.Register("json", func() crawler.Extractor { return &JSON{MaxRecords: DefaultMaxRecords} })
}

// Query is a question to a JSON document; one of its two fields is set.
type Query struct {
	JSONPath string `yaml:"jsonpath,scalar,omitempty" doc:"a JSONPath (RFC 9535); alone it may stand in place of the mapping"`
	JQ       string `yaml:"jq,omitempty" doc:"a jq program"`
}

// Field is one field of a record.
type Field struct {
	Name     string `yaml:",key" doc:"the field's name in the record"`
	Query    `yaml:",inline"`
	As       string `yaml:"as,omitempty" enum:"string,raw,integer,number,boolean,date,url,json" doc:"the type of the value; without it the document's own"`
	All      bool   `yaml:"all,omitempty" default:"false" doc:"take every result as a list, not the first one"`
	Required bool   `yaml:"required,omitempty" default:"false" doc:"drop the record when this field has no value"`
}

// Next says where an API's next page is.
type Next struct {
	Query `yaml:",inline"`
	Param string `yaml:"param,omitempty" doc:"the result is not an address but goes into this parameter of the page's own query; without jsonpath or jq the number that stands there is counted up"`
	Rel   string `yaml:"rel,omitempty" doc:"the address is that of the answer's Link header (RFC 8288) with this relation, such as next"`
	Step  int    `yaml:"step,omitempty" default:"1" doc:"how far to count at a time, until a page has no records"`
}

// JSON makes records of JSON by its configuration, which is itself. Do not change
// it after its first use; Extract is safe for concurrent use.
type JSON struct {
	Script     string  `yaml:"script,omitempty" doc:"read the content of the script elements that this CSS selector finds in an HTML page, such as #__NEXT_DATA__"`
	Variable   string  `yaml:"variable,omitempty" doc:"read what a page's script assigns to this name, such as window.__STATE__"`
	Lenient    bool    `yaml:"lenient,omitempty" default:"false" doc:"allow comments, commas before a closing bracket and control characters in strings"`
	Each       *Query  `yaml:"each,omitempty" doc:"make one record per result; the fields are relative to it. Without it a document is one record"`
	Fields     []Field `yaml:"fields,omitempty" doc:"the record's fields, by name; without any, the members of the object"`
	Next       *Next   `yaml:"next,omitempty" doc:"follow to the next page"`
	MaxRecords int     `yaml:"max_records,omitempty" default:"10000" doc:"the most records taken from one page; more are cut, with an error"`

	once sync.Once
	plan plan
	err  error
}

var (
	_ crawler.Extractor   = (*JSON)(nil)
	_ crawler.Validator   = (*JSON)(nil)
	_ crawler.TreeReader  = (*JSON)(nil)
	_ crawler.FieldLister = (*JSON)(nil)
)

// NeedsTree is true where scripts are to be found by a selector.
func (x *JSON) NeedsTree() bool { return x.Script != "" }

// FieldNames lists the fields in config order; nil where the documents tell.
func (x *JSON) FieldNames() []string {
	var names []string
	for _, f := range x.Fields {
		names = append(names, f.Name)
	}
	return names
}

// Validate compiles the configuration. Its error joins a *crawler.ConfigError
// for every mistake.
func (x *JSON) Validate() error {
	x.once.Do(func() { x.plan, x.err = compile(x) })
	return x.err
}

// Extract emits the page's records. A page without the script or variable, and
// an HTML page where neither is asked for, give nothing.
func (x *JSON) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	if err := x.Validate(); err != nil {
		return err
	}
	texts, err := x.texts(p)
	if err != nil {
		return err
	}
	r := &reading{ctx: ctx, plan: &x.plan, page: p, emit: e}
	for _, text := range texts {
		if x.Lenient {
			text = values.RelaxJSON(text)
		}
		if err := r.text(text, x.Variable != ""); err != nil {
			return err
		}
	}
	r.followHeader()
	return nil
}

// texts are the pieces of JSON on a page.
func (x *JSON) texts(p *crawler.Page) ([][]byte, error) {
	body := bytes.TrimPrefix(p.Response.Body, []byte("\ufeff"))
	switch {
	case x.Script != "":
		return x.scripts(p)
	case x.Variable != "":
		return x.plan.assigned(body), nil
	case p.IsHTML():
		return nil, nil
	}
	return [][]byte{unwrapped(body)}, nil
}

func (x *JSON) scripts(p *crawler.Page) ([][]byte, error) {
	doc, err := p.Document()
	if err != nil {
		return nil, err
	}
	var texts [][]byte
	for _, n := range cascadia.QueryAll(doc.Nodes[0], x.plan.script) {
		text, err := values.RawText(n, nil)
		if err != nil {
			return nil, err
		}
		if x.Variable != "" {
			texts = append(texts, x.plan.assigned([]byte(text))...)
		} else if text = values.TrimScript(text); text != "" {
			texts = append(texts, []byte(text))
		}
	}
	return texts, nil
}
