package selectors

import (
	"context"

	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler"
)

// Trace tells where a field of a record was looked for, and what was there. It is
// for people at work on a config: a crawl makes none.
type Trace struct {
	Record int // from 0, in the order of the page
	Field  string
	CSS    string     // as the config has it, "" where it is no plain CSS selector
	Within *html.Node // the element that it was looked for in, nil for JSON
	Node   *html.Node // the first element that was found, nil for none
	Found  bool       // the page had something there
	Value  any        // what it became
}

// Trace reads a page as Extract does and tells of each field of the first records,
// at most max of them. Its errors are those of Extract.
func (x *Extractor) Trace(ctx context.Context, p *crawler.Page, max int) ([]Trace, error) {
	if err := x.Validate(); err != nil {
		return nil, err
	}
	w := x.work(ctx, p)
	defer w.end()
	root, ok, err := x.root(w)
	if err != nil || !ok {
		return nil, err
	}
	if root.node != nil { // the whole tree, which tells what else there is
		doc, err := p.Document()
		if err != nil {
			return nil, err
		}
		root.node = doc.Nodes[0]
	}
	var out []Trace
	var result crawler.Result
	r := &reading{plan: &x.plan, work: w, page: p, root: root, emit: crawler.NewEmitter("", p, &result)}
	r.trace = func(f *field, at match, got outcome) {
		if r.records > max {
			return
		}
		t := Trace{Record: r.records - 1, Field: f.Name, CSS: f.CSS, Within: at.node, Found: got.seen, Value: got.value}
		if len(f.sources) > 0 && f.sources[0].carried == "" {
			if m, ok, err := f.sources[0].find(r.work, r.context(&f.sources[0], at))(); ok && err == nil {
				t.Node = m.node
			}
		}
		out = append(out, t)
	}
	if x.plan.each == nil {
		err = r.record(r.root)
	} else {
		err = r.each()
	}
	return out, err
}
