package selectors

import (
	"fmt"
	"math"
	"strconv"
	"sync"

	"github.com/antchfx/htmlquery"
	"github.com/antchfx/xpath"
	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/extractors/values"
)

// xpathExpr is a compiled XPath. The library's expressions keep state while they
// are evaluated, so each evaluation takes one of its own from the pool.
type xpathExpr struct {
	pool sync.Pool // of *xpath.Expr
}

func compileXPath(source string) (*xpathExpr, error) {
	first, err := xpath.Compile(source)
	if err != nil {
		return nil, err
	}
	x := &xpathExpr{}
	x.pool.New = func() any {
		again, err := xpath.Compile(source)
		if err != nil { // it compiled before
			panic(err)
		}
		return again
	}
	x.pool.Put(first)
	return x, nil
}

// stop carries an error out of the library through a panic.
type stop struct{ err error }

// find evaluates the expression at n.
func (x *xpathExpr) find(w *work, n *html.Node) finding {
	var rest *xpath.NodeIterator
	started := false
	return func() (m match, ok bool, err error) {
		defer caught(&ok, &err)
		if !started {
			started = true
			expr := x.pool.Get().(*xpath.Expr) // not put back after a panic
			v := expr.Evaluate(&navigator{NodeNavigator: htmlquery.CreateXPathNavigator(n), work: w})
			x.pool.Put(expr)
			if rest, ok = v.(*xpath.NodeIterator); !ok {
				m.text, ok = scalar(v)
				return m, ok, nil
			}
		}
		if rest == nil || !rest.MoveNext() {
			return match{}, false, nil
		}
		return rest.Current().(*navigator).match(), true, nil
	}
}

// caught turns a panic of the library into an error: it panics on arguments it
// cannot use, which the page may decide.
func caught(ok *bool, err *error) {
	switch v := recover().(type) {
	case nil:
		return
	case stop:
		*err = v.err
	default:
		*err = fmt.Errorf("evaluating the XPath: %v", v)
	}
	*ok = false
}

// scalar is the text of a result that is no node-set. NaN is no value.
func scalar(v any) (text string, ok bool) {
	switch v := v.(type) {
	case string:
		return v, true
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), !math.IsNaN(v)
	case bool:
		return strconv.FormatBool(v), true
	}
	return "", false
}

// navigator counts the steps of htmlquery's, so that no expression takes longer
// on any page than the page may cost.
type navigator struct {
	*htmlquery.NodeNavigator
	work *work
}

func (nav *navigator) match() match {
	switch n := nav.Current(); {
	case nav.NodeType() == xpath.AttributeNode:
		return match{text: nav.NodeNavigator.Value()}
	case n.Type == html.ElementNode, n.Type == html.DocumentNode:
		return match{node: n}
	default:
		return match{text: n.Data}
	}
}

func (nav *navigator) step(n int) {
	if err := nav.work.step(n); err != nil {
		panic(stop{err})
	}
}

func (nav *navigator) Value() string {
	if nav.NodeType() != xpath.ElementNode {
		v := nav.NodeNavigator.Value()
		nav.step(1 + len(v)/values.BytesPerStep)
		return v
	}
	v, err := values.RawText(nav.Current(), nav.work.step)
	if err != nil {
		panic(stop{err})
	}
	return v
}

func (nav *navigator) Copy() xpath.NodeNavigator {
	inner := nav.NodeNavigator.Copy().(*htmlquery.NodeNavigator)
	return &navigator{NodeNavigator: inner, work: nav.work}
}

func (nav *navigator) MoveTo(other xpath.NodeNavigator) bool {
	o, ok := other.(*navigator)
	return ok && nav.NodeNavigator.MoveTo(o.NodeNavigator)
}

func (nav *navigator) MoveToRoot() {
	if nav.NodeType() == xpath.AttributeNode {
		nav.NodeNavigator.MoveToParent() // leaves the attribute
	}
	nav.NodeNavigator.MoveToRoot()
}

func (nav *navigator) MoveToParent() bool {
	nav.step(1)
	return nav.NodeNavigator.MoveToParent()
}

func (nav *navigator) MoveToNextAttribute() bool {
	nav.step(1)
	return nav.NodeNavigator.MoveToNextAttribute()
}

func (nav *navigator) MoveToChild() bool {
	nav.step(1)
	return nav.NodeNavigator.MoveToChild()
}

func (nav *navigator) MoveToFirst() bool {
	moved := false
	for nav.MoveToPrevious() {
		moved = true
	}
	return moved
}

func (nav *navigator) MoveToNext() bool {
	nav.step(1)
	return nav.NodeNavigator.MoveToNext()
}

func (nav *navigator) MoveToPrevious() bool {
	nav.step(1)
	return nav.NodeNavigator.MoveToPrevious()
}
