package selectors

import (
	"context"
	"fmt"
	"sync"

	"github.com/amblecrawl/amble/crawler"
)

// ID is the name of this plugin in configs.
const ID = "selectors"

// DefaultMaxRecords bounds the records of one page where the config does not.
const DefaultMaxRecords = 10_000

func init() {
	crawler.Extractors.Register(ID, func() crawler.Extractor { return &Extractor{MaxRecords: DefaultMaxRecords} })
}

// Extractor makes records from a page by its configuration, which is itself. Do
// not change it after its first use; Extract is safe for concurrent use.
type Extractor struct {
	Each       *Selector  `yaml:"each,omitempty" doc:"make one record per matching element; the fields are relative to it"`
	When       *Condition `yaml:"when,omitempty" doc:"make a record only where this holds"`
	Fields     []Field    `yaml:"fields" required:"true" doc:"the record's fields, by name"`
	MaxRecords int        `yaml:"max_records,omitempty" default:"10000" doc:"the most records taken from one page; more are cut, with an error"`

	once sync.Once
	plan plan
	err  error

	steps, values int // lower bounds than maxSteps and maxValues, for tests
}

var (
	_ crawler.Extractor   = (*Extractor)(nil)
	_ crawler.Validator   = (*Extractor)(nil)
	_ crawler.FieldLister = (*Extractor)(nil)
	_ crawler.TreeReader  = (*Extractor)(nil)
)

// Validate compiles the configuration. Its error joins a *crawler.ConfigError
// for every mistake.
func (x *Extractor) Validate() error {
	x.once.Do(func() { x.plan, x.err = compile(x) })
	return x.err
}

// FieldNames lists the fields in config order.
func (x *Extractor) FieldNames() []string {
	names := make([]string, len(x.Fields))
	for i, f := range x.Fields {
		names[i] = f.Name
	}
	return names
}

// Extract emits the page's records. Its errors are those of the whole page: no
// tree, too much work, ctx ended.
func (x *Extractor) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	if err := x.Validate(); err != nil {
		return err
	}
	w := x.work(ctx, p)
	defer w.end()
	root, ok, err := x.root(w)
	if err != nil || !ok {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	r := &reading{plan: &x.plan, work: w, page: p, root: root, emit: e}
	defer r.reportRest()
	if x.plan.each == nil {
		return r.record(r.root)
	}
	return r.each()
}

// root is the document that a page holds; ok is false where it is none that the
// selectors look into.
func (x *Extractor) root(w *work) (root match, ok bool, err error) {
	p := w.page
	if !x.plan.tree {
		root, ok, err = w.jsonPage()
		if err != nil {
			err = fmt.Errorf("reading the JSON: %w", err)
		}
		return root, ok, err
	}
	if !p.IsHTML() {
		return match{}, false, nil
	}
	n, err := x.tree(p)
	return match{node: n}, err == nil, err
}

func (x *Extractor) work(ctx context.Context, p *crawler.Page) *work {
	w := &work{ctx: ctx, steps: maxSteps, values: maxValues, page: p}
	if x.steps > 0 {
		w.steps, w.values = x.steps, x.values
	}
	return w
}
