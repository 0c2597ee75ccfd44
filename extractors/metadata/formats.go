package metadata

import (
	"context"
	"errors"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/metadata/item"
	"github.com/amblecrawl/amble/extractors/metadata/jsonld"
	"github.com/amblecrawl/amble/extractors/metadata/microdata"
	"github.com/amblecrawl/amble/extractors/metadata/microformats"
	"github.com/amblecrawl/amble/extractors/metadata/rdfa"
	"github.com/amblecrawl/amble/extractors/values"
)

func init() {
	selection := Selection{MaxRecords: DefaultMaxRecords}
	crawler.Extractors.Register("jsonld", func() crawler.Extractor { return &JSONLD{Selection: selection} })
	crawler.Extractors.Register("microdata", func() crawler.Extractor { return &Microdata{Selection: selection} })
	crawler.Extractors.Register("rdfa", func() crawler.Extractor { return &RDFa{Selection: selection} })
	crawler.Extractors.Register("microformats2", func() crawler.Extractor { return &Microformats2{Selection: selection} })
}

var errCut = errors.New("the page's things refer to each other too often: some are told by their address alone")

// JSONLD makes a record of every thing that a page's JSON-LD describes, or that a
// document of type application/ld+json does. It needs no tree and is safe for
// concurrent use.
type JSONLD struct {
	Selection `yaml:",inline"`
}

var (
	_ crawler.Extractor  = (*JSONLD)(nil)
	_ crawler.Validator  = (*JSONLD)(nil)
	_ crawler.TreeReader = (*JSONLD)(nil)
)

// NeedsTree is false: scripts are found by tokens.
func (*JSONLD) NeedsTree() bool { return false }

// Extract emits the records. A block that cannot be read is reported and costs
// no other.
func (x *JSONLD) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	items, faults, err := readJSONLD(p, item.NewBudget(ctx, len(p.Response.Body)))
	for _, f := range faults {
		e.FieldError("", f.Text, f.Lost, f.Err)
	}
	if err != nil {
		return err
	}
	x.emit(p, e, x.of(items))
	return nil
}

func readJSONLD(p *crawler.Page, budget *item.Budget) ([]*item.Item, []jsonld.Fault, error) {
	if p.Response.MediaType == "application/ld+json" {
		return jsonld.Read([]string{string(p.Response.Body)}, p.URL, budget)
	}
	if !p.IsHTML() {
		return nil, nil, nil
	}
	blocks, base, err := jsonld.Blocks(p.Response.Body, p.URL, budget)
	if err != nil {
		return nil, nil, err
	}
	return jsonld.Read(blocks, base, budget)
}

// Microdata makes a record of every thing that a page's microdata describes. It
// is safe for concurrent use.
type Microdata struct {
	Selection `yaml:",inline"`
}

var (
	_ crawler.Extractor = (*Microdata)(nil)
	_ crawler.Validator = (*Microdata)(nil)
)

// Extract emits the records.
func (x *Microdata) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	items, err := readMicrodata(p, item.NewBudget(ctx, len(p.Response.Body)))
	if err != nil {
		return err
	}
	x.emit(p, e, x.of(items))
	return nil
}

func readMicrodata(p *crawler.Page, budget *item.Budget) ([]*item.Item, error) {
	doc, err := p.Document()
	if err != nil {
		return nil, err
	}
	root := doc.Nodes[0]
	return microdata.Read(root, values.BaseURL(root, p.URL), budget)
}

// RDFa makes a record of every thing that a page's RDFa describes. It is safe for
// concurrent use.
type RDFa struct {
	Selection `yaml:",inline"`
	Untyped   bool `yaml:"untyped,omitempty" default:"false" doc:"take things without a type too, such as the page itself with its Open Graph properties"`
}

var (
	_ crawler.Extractor = (*RDFa)(nil)
	_ crawler.Validator = (*RDFa)(nil)
)

// Extract emits the records.
func (x *RDFa) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	items, err := readRDFa(p, item.NewBudget(ctx, len(p.Response.Body)))
	if err != nil {
		return err
	}
	if !x.Untyped {
		items = item.Outermost(items, func(it *item.Item) bool { return len(it.Types) > 0 })
	}
	x.emit(p, e, x.of(items))
	return nil
}

func readRDFa(p *crawler.Page, budget *item.Budget) ([]*item.Item, error) {
	doc, err := p.Document()
	if err != nil {
		return nil, err
	}
	root := doc.Nodes[0]
	return rdfa.Read(root, values.BaseURL(root, p.URL), budget)
}

// Microformats2 makes a record of every item of microformats on a page. It is
// safe for concurrent use.
type Microformats2 struct {
	Selection `yaml:",inline"`
}

var (
	_ crawler.Extractor = (*Microformats2)(nil)
	_ crawler.Validator = (*Microformats2)(nil)
)

// Extract emits the records.
func (x *Microformats2) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	items, err := readMicroformats(p, item.NewBudget(ctx, len(p.Response.Body)))
	if err != nil {
		return err
	}
	x.emit(p, e, x.of(items))
	return nil
}

func readMicroformats(p *crawler.Page, budget *item.Budget) ([]*item.Item, error) {
	doc, err := p.Document()
	if err != nil {
		return nil, err
	}
	root := doc.Nodes[0]
	return microformats.Read(root, values.BaseURL(root, p.URL), budget)
}
