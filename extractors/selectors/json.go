package selectors

import (
	"bytes"
	"context"
	"errors"
	"strings"

	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/extractors/query"
	"github.com/amblecrawl/amble/extractors/values"
)

var errNotJSON = errors.New("not valid JSON")

// island is a place of JSON on a page: an element, or an attribute of it.
type island struct {
	node *html.Node
	attr string
}

// document is the JSON of an island, read once however many fields look into it.
type document struct {
	value any
	bad   error
	none  bool // there is no text
}

// findJSON gives what the query finds in each document that m leads to.
func (f *finder) findJSON(w *work, m match) finding {
	places := once(m)
	if !m.isJSON {
		if f.css == nil && f.xpath == nil && f.attr == "" {
			return nothing // an HTML page is no JSON
		}
		places = f.findElements(w, m)
	}
	var results []match
	return func() (match, bool, error) {
		for len(results) == 0 {
			place, ok, err := places()
			if err != nil || !ok {
				return match{}, false, err
			}
			if results, err = f.results(w, place); err != nil {
				return match{}, false, err
			}
		}
		next := results[0]
		results = results[1:]
		return next, true, nil
	}
}

// results are what the query finds at one place.
func (f *finder) results(w *work, place match) ([]match, error) {
	doc := document{value: place.json}
	if !place.isJSON {
		var err error
		if doc, err = w.document(place, f.attr); err != nil || doc.none {
			return nil, err
		}
	}
	if doc.bad != nil {
		return []match{{isJSON: true, bad: doc.bad}}, nil
	}
	var out []match
	err := f.query.Each(w.ctx, doc.value, maxResults, func(v any) bool {
		if v != nil {
			out = append(out, match{json: v, isJSON: true})
		}
		return w.step(1) == nil
	})
	switch {
	case w.steps < 0:
		return nil, errTooMuchWork
	case w.ctx.Err() != nil:
		return nil, context.Cause(w.ctx)
	case err != nil:
		out = append(out, match{isJSON: true, bad: err})
	}
	return out, nil
}

func (w *work) document(place match, attr string) (document, error) {
	key := island{place.node, attr}
	if doc, known := w.islands[key]; known && place.node != nil {
		return doc, nil
	}
	text := place.text
	if attr != "" {
		text = ""
		if place.node != nil {
			text, _ = values.Attribute(place.node, attr)
		}
	} else if place.node != nil {
		var err error
		if text, err = values.RawText(place.node, w.step); err != nil {
			return document{}, err
		}
	}
	if err := w.step(len(text) / values.BytesPerStep); err != nil {
		return document{}, err
	}
	if err := w.hold(len(text)); err != nil {
		return document{}, err
	}
	doc, err := w.parseJSON([]byte(values.TrimScript(text)))
	if err != nil {
		return document{}, err
	}
	if w.islands == nil {
		w.islands = map[island]document{}
	}
	if place.node != nil {
		w.islands[key] = doc
	}
	return doc, nil
}

// parseJSON reads a text; its error is that there is no memory for it.
func (w *work) parseJSON(text []byte) (document, error) {
	if len(text) == 0 {
		return document{none: true}, nil
	}
	done, err := query.Reserve(w.ctx, w.page, text, 0, false)
	if err != nil {
		return document{}, err
	}
	w.done = append(w.done, done)
	for v, err := range query.Documents(text) {
		if err != nil {
			return document{bad: errNotJSON}, nil
		}
		return document{value: v}, nil
	}
	return document{none: true}, nil
}

// jsonPage is the document of a page that is JSON; ok is false for another.
func (w *work) jsonPage() (m match, ok bool, err error) {
	p := w.page
	body := bytes.TrimSpace(bytes.TrimPrefix(p.Response.Body, []byte("\ufeff")))
	says := strings.Contains(p.Response.MediaType, "json")
	if p.IsHTML() || len(body) == 0 || !says && body[0] != '{' && body[0] != '[' {
		return match{}, false, nil
	}
	doc, err := w.parseJSON(body)
	if err != nil {
		return match{}, false, err
	}
	if doc.bad != nil && !says {
		return match{}, false, nil // it only looked like it
	}
	return match{json: doc.value, isJSON: true}, !doc.none, doc.bad
}
