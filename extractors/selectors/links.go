package selectors

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"

	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/query"
	"github.com/amblecrawl/amble/extractors/values"
)

func init() {
	crawler.LinkFinders.Register(ID, func() crawler.LinkFinder { return &LinkRule{} })
}

// LinkRule finds links by its configuration, which is itself. Do not change it after
// its first use; Find is safe for concurrent use.
type LinkRule struct {
	Selector `yaml:",inline"`
	Attr     string            `yaml:"attr,omitempty" default:"href" doc:"the attribute that holds the URL"`
	Regex    string            `yaml:"regex,omitempty" doc:"the URL is what this regular expression (RE2) finds in the attribute, or in the source of the page where there is no selector: its first group, or the whole match"`
	Each     *Selector         `yaml:"each,omitempty" doc:"look for the link, and for the values that it carries, in each of these elements"`
	URL      string            `yaml:"url,omitempty" doc:"the URL itself, where {{link}} stands for what the selector finds and {{name}} for a value that is carried"`
	Carry    []Field           `yaml:"carry,omitempty" doc:"values of this page for the records of the page that the link leads to, which take them by carried: NAME"`
	Form     *Form             `yaml:"form,omitempty" doc:"fill in and send a form of the page"`
	Method   string            `yaml:"method,omitempty" enum:"GET,POST" default:"GET" doc:"the request's method"`
	Body     string            `yaml:"body,omitempty" doc:"the request's body, with {{link}} and {{name}} as in url"`
	Header   map[string]string `yaml:"header,omitempty" doc:"fields of the request's header, with {{link}} and {{name}}"`
	Repeat   bool              `yaml:"repeat,omitempty" default:"false" doc:"a POST may be sent again after a failure, as it does no harm: a search, say"`

	once sync.Once
	plan linkPlan
	err  error
}

var (
	_ crawler.LinkFinder = (*LinkRule)(nil)
	_ crawler.Validator  = (*LinkRule)(nil)
	_ crawler.TreeReader = (*LinkRule)(nil)
)

// linkPlan is a compiled rule.
type linkPlan struct {
	source *source // nil: none
	each   *finder
	carry  []field
	url    template
	body   template
	header map[string]template
	form   *formPlan
	tree   bool // HTML pages are read
	any    bool // pages of any kind are, whose document is not looked into
	raw    bool // the regex goes over the page's source
	json   bool // the body that is sent is JSON
	simple string
}

// defaultAttr holds the URL of a link.
const defaultAttr = "href"

// Simple implements crawler.LinkFinder.
func (x *LinkRule) Simple() (css, attr string, ok bool) {
	if x.Validate() != nil || x.plan.simple == "" {
		return "", "", false
	}
	return x.CSS, x.plan.simple, true
}

// NeedsTree is false for rules that look into JSON, or into a page's source.
func (x *LinkRule) NeedsTree() bool { return x.Validate() != nil || x.plan.tree }

// Validate compiles the configuration. Its error joins a *crawler.ConfigError for
// every mistake.
func (x *LinkRule) Validate() error {
	x.once.Do(func() { x.plan, x.err = compileLink(x) })
	return x.err
}

func compileLink(x *LinkRule) (linkPlan, error) {
	c := &compiler{}
	var p linkPlan
	p.each = c.each(x.Each, "each")
	p.carry = c.fields(x.Carry, []string{"carry"}, "carry.")
	p.form = c.form(x)
	p.raw = x.Selector.empty() && x.Regex != "" && x.Each == nil
	selects := !x.Selector.empty() || x.Regex != "" || x.Each != nil && x.URL == ""
	if p.raw {
		s := source{}
		c.regex(&s, Source{Regex: x.Regex}, nil)
		p.source = &s
	} else if selects {
		own := Source{Selector: x.Selector, Attr: x.Attr, Regex: x.Regex}
		if x.JSONPath == "" && x.JQ == "" && x.Attr == "" {
			own.Attr = defaultAttr
		}
		s := c.source(own, nil)
		p.source = &s
	}
	switch {
	case p.form != nil && (selects || x.URL != "" || x.Method != "" || x.Body != ""):
		c.wrong.add("the form says where it leads, and how", "form excludes a selector, url, method and body", "form")
	case p.form == nil && !selects && x.URL == "":
		c.wrong.add("such as css: a.next", "the rule selects nothing")
	}
	c.call(x, &p, selects)
	p.tree, p.any = c.tree, !c.tree && !c.json
	if x.isSimple() {
		p.simple = strings.ToLower(cmp.Or(x.Attr, defaultAttr))
	}
	return p, errors.Join(c.wrong...)
}

// isSimple reports whether css and attr are all that is given.
func (x *LinkRule) isSimple() bool {
	return x.CSS != "" && x.Selector == (Selector{CSS: x.CSS}) && x.Each == nil && x.Form == nil && len(x.Carry) == 0 && len(x.Header) == 0 &&
		x.Regex == "" && x.URL == "" && x.Method == "" && x.Body == "" && !x.Repeat
}

// call compiles what the rule sends.
func (c *compiler) call(x *LinkRule, p *linkPlan, selects bool) {
	known := names(x.Carry)
	if selects {
		known = append(known, theLink)
	}
	p.url = c.template(x.URL, known, "url")
	p.body = c.template(x.Body, known, "body")
	p.header = make(map[string]template, len(x.Header))
	fixed := http.Header{}
	for name, text := range x.Header {
		p.header[http.CanonicalHeaderKey(name)] = c.template(text, known, "header", name)
		fixed.Set(name, text)
		if strings.EqualFold(name, "Content-Type") {
			p.json = strings.Contains(text, "json")
		}
	}
	if x.Body != "" && (x.Method == "" || x.Method == http.MethodGet) {
		c.wrong.add("add method: POST", "a GET has no body", "body")
	}
	if x.Repeat && x.Form == nil && x.Method != http.MethodPost {
		c.wrong.add("remove it", "only a POST is not repeated by itself", "repeat")
	}
	if err := (&crawler.Call{Method: x.Method, Header: fixed, Body: x.Body}).Check(); err != nil {
		c.wrong.add("", err.Error(), "header")
	}
}

// Find implements crawler.LinkFinder.
func (x *LinkRule) Find(ctx context.Context, p *crawler.Page, e *crawler.Emitter, found func(crawler.Reference) bool) error {
	if err := x.Validate(); err != nil {
		return err
	}
	r := &reading{plan: &plan{}, work: &work{ctx: ctx, steps: maxSteps, values: maxValues, page: p}, page: p, emit: e}
	defer r.work.end()
	defer r.reportRest()
	switch {
	case x.plan.tree:
		doc, err := p.Document()
		if err != nil {
			return err
		}
		r.root = match{node: doc.Nodes[0]}
	case x.plan.any:
	default:
		root, ok, err := r.work.jsonPage()
		if err != nil || !ok {
			return err
		}
		r.root = root
	}
	f := &linkFinding{reading: r, rule: x, plan: &x.plan, found: found}
	if x.plan.each == nil {
		_, err := f.within(r.root)
		return err
	}
	next := x.plan.each.find(r.work, r.root)
	for {
		m, ok, err := next()
		if err != nil || !ok {
			return err
		}
		if !m.holds() {
			continue
		}
		if more, err := f.within(m); err != nil || !more {
			return err
		}
	}
}

// linkFinding is the work of a rule on one page.
type linkFinding struct {
	*reading
	rule  *LinkRule
	plan  *linkPlan
	found func(crawler.Reference) bool
}

// within finds the links in one element, or in the page.
func (f *linkFinding) within(m match) (more bool, err error) {
	carry, ok, err := f.carry(m)
	if err != nil || !ok {
		return true, err
	}
	if f.plan.form != nil {
		return f.forms(m, carry)
	}
	if f.plan.source == nil {
		return f.link("", false, carry), nil
	}
	if f.plan.raw {
		return f.cutLinks(string(f.page.Response.Body), false, carry)
	}
	next := f.plan.source.find(f.work, m)
	for {
		m, ok, err := next()
		if err != nil || !ok {
			return true, err
		}
		text, noFollow := f.reference(m)
		if text == "" {
			continue
		}
		if more, err := f.cutLinks(text, noFollow, carry); err != nil || !more {
			return more, err
		}
	}
}

// carry reads the values that go with the links; ok is false where a required one
// is missing.
func (f *linkFinding) carry(m match) (carry []crawler.Field, ok bool, err error) {
	if len(f.plan.carry) == 0 {
		return nil, true, nil
	}
	o, err := f.object(f.plan.carry, m)
	if err != nil {
		return nil, false, err
	}
	for _, b := range o.bad {
		f.failure(b.field, b.value, b.err, false)
	}
	if o.dropped {
		return nil, false, nil
	}
	carry = slices.DeleteFunc(o.fields, func(v crawler.Field) bool { return v.Value == nil })
	if n := crawler.SizeOfFields(carry); n > crawler.MaxCarried {
		f.emit.FieldError("carry", "", false, fmt.Errorf("values of %d bytes are more than the %d KiB that a link carries", n, crawler.MaxCarried>>10))
		return nil, false, nil
	}
	return carry, true, nil
}

// reference is what a match says of where to go.
func (f *linkFinding) reference(m match) (text string, noFollow bool) {
	switch {
	case m.bad != nil:
		f.emit.FieldError("", "", false, m.bad)
		return "", false
	case m.isJSON:
		text, _ = query.Scalar(m.json)
		return strings.TrimSpace(text), false
	case m.node == nil:
		return strings.TrimSpace(m.text), false
	case inert(m.node):
		return "", false
	}
	text, _ = values.Attribute(m.node, f.plan.source.attr)
	rel, _ := values.Attribute(m.node, "rel")
	return strings.TrimSpace(text), isNoFollow(rel)
}

// inert reports whether an element stands in a template, of which a browser shows
// nothing.
func inert(n *html.Node) bool {
	for up := n.Parent; up != nil; up = up.Parent {
		if up.Type == html.ElementNode && up.Data == "template" && up.Namespace == "" {
			return true
		}
	}
	return false
}

// isNoFollow reports whether rel asks that a link be given no weight.
func isNoFollow(rel string) bool {
	for token := range strings.FieldsSeq(strings.ToLower(rel)) {
		if token == "nofollow" || token == "ugc" || token == "sponsored" {
			return true
		}
	}
	return false
}

// cutLinks links to a text, or to what the regex finds in it.
func (f *linkFinding) cutLinks(text string, noFollow bool, carry []crawler.Field) (more bool, err error) {
	s := f.plan.source
	if s.regex == nil {
		return f.link(text, noFollow, carry), nil
	}
	if err := f.work.step(len(text) / values.BytesPerStep); err != nil {
		return false, err
	}
	for len(text) > 0 {
		at := s.regex.FindStringSubmatchIndex(text)
		if at == nil {
			return true, nil
		}
		if from, to := at[2*s.group], at[2*s.group+1]; from >= 0 && to > from {
			if !f.link(text[from:to], noFollow, carry) {
				return false, nil
			}
		}
		text = text[max(at[1], 1):]
	}
	return true, nil
}

// link gives a link whose text is what the selector found, in the rule's way.
func (f *linkFinding) link(text string, noFollow bool, carry []crawler.Field) (more bool) {
	ref := crawler.Reference{Ref: text, NoFollow: noFollow, Carry: carry}
	x, missing := f.rule, ""
	fill := func(t *template, escape func(string) string) string {
		filled, lacks := t.fill(text, carry, escape)
		missing = cmp.Or(missing, lacks)
		return filled
	}
	if x.URL != "" {
		ref.Ref = fill(&f.plan.url, escapeURL)
	}
	call := crawler.Call{Method: x.Method, Repeat: x.Repeat}
	call.Body = fill(&f.plan.body, f.escapeBody)
	for name, t := range f.plan.header {
		if call.Header == nil {
			call.Header = http.Header{}
		}
		call.Header.Set(name, fill(&t, escapeHeader))
	}
	if missing != "" {
		f.emit.FieldError("", "", false, fmt.Errorf("a link was left out: there is no value for {{%s}}", missing))
		return true
	}
	if !call.Plain() {
		ref.Call = &call
	}
	return f.found(ref)
}

func (f *linkFinding) escapeBody(s string) string {
	if f.plan.json {
		return escapeJSON(s)
	}
	if t, given := f.plan.header["Content-Type"]; !given || strings.Contains(t.text, "urlencoded") {
		return escapeURL(s)
	}
	return s
}
