package selectors

import (
	"context"
	"errors"
	"fmt"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/query"
	"github.com/amblecrawl/amble/extractors/values"
)

// The bounds of the work on one page.
const (
	maxSteps   = 20_000_000 // nodes visited, a second or so
	maxValues  = 32 << 20   // bytes of values held
	maxResults = 100_000    // of one jsonpath or jq
)

var (
	errTooMuchWork = errors.New("the selectors visit too many elements of this page")
	errTooLarge    = fmt.Errorf("the values of this page are over %d MiB", maxValues>>20)
	errNotElement  = errors.New("the selector does not lead to elements")
	errMissing     = errors.New("required, but not found")
)

// work is what a page may still cost, in steps and bytes, and the JSON that was
// found on it so far.
type work struct {
	ctx     context.Context
	steps   int
	values  int
	islands map[island]document
	page    *crawler.Page
	done    []func() // give back what was reserved of memory
}

// end gives back what the work holds.
func (w *work) end() {
	for _, done := range w.done {
		done()
	}
}

// step accounts for n visited nodes.
func (w *work) step(n int) error {
	before := w.steps
	w.steps -= n
	if w.steps < 0 {
		return errTooMuchWork
	}
	if before>>10 != w.steps>>10 && w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	return nil
}

// hold accounts for a value of n bytes.
func (w *work) hold(n int) error {
	if w.values -= n + 16; w.values < 0 {
		return errTooLarge
	}
	return nil
}

// match is one thing that a selector found: an element, a text where an XPath
// gives an attribute, a string, a number or a boolean, or a value of JSON.
type match struct {
	node   *html.Node
	text   string
	json   any
	isJSON bool
	bad    error // where JSON was to be, or a jq program failed
}

// finder is a compiled Selector.
type finder struct {
	css   cascadia.SelectorGroup
	wide  bool // matching one element may look at thousands of others
	xpath *xpathExpr
	query *query.Query
	attr  string // that holds the JSON
}

// finding gives one match after the other; ok is false after the last.
type finding func() (m match, ok bool, err error)

// find starts a search below m; without a selector m itself is the match. CSS
// gives document order, XPath the order of its axes.
func (f *finder) find(w *work, m match) finding {
	if f.query != nil {
		return f.findJSON(w, m)
	}
	return f.findElements(w, m)
}

func (f *finder) findElements(w *work, m match) finding {
	switch {
	case f.css == nil && f.xpath == nil:
		return once(m)
	case m.node == nil:
		return nothing
	case f.xpath != nil:
		return f.xpath.find(w, m.node)
	}
	return findCSS(w, m.node, f.css, f.wide)
}

func nothing() (match, bool, error) { return match{}, false, nil }

func once(m match) finding {
	done := false
	return func() (match, bool, error) {
		first := !done
		done = true
		return m, first, nil
	}
}

// findCSS walks by itself, so that a long walk can be stopped.
func findCSS(w *work, root *html.Node, css cascadia.SelectorGroup, wide bool) finding {
	n := root
	return func() (match, bool, error) {
		for n != nil {
			if n = values.Following(n, root, true); n == nil {
				break
			}
			if err := w.step(1); err != nil {
				return match{}, false, err
			}
			if n.Type != html.ElementNode {
				continue
			}
			if wide && w.ctx.Err() != nil {
				return match{}, false, context.Cause(w.ctx)
			}
			if matches(css, n) {
				return match{node: n}, true, nil
			}
		}
		return match{}, false, nil
	}
}

func matches(css cascadia.SelectorGroup, n *html.Node) bool {
	for _, s := range css {
		if s.Match(n) {
			return true
		}
	}
	return false
}
