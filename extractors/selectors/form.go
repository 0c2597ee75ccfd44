package selectors

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/charset"
	"golang.org/x/text/encoding"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/values"
)

// Form says how a form of a page is filled in.
type Form struct {
	Selector `yaml:",inline"`
	Fields   map[string][]string `yaml:"fields,omitempty" doc:"values by the names of the form's fields; with several values each makes a request of its own. The other fields keep what the page gives them"`
	Submit   string              `yaml:"submit,omitempty" doc:"the name of the button to press, where it is not the form's first"`
}

// formPlan is a compiled Form.
type formPlan struct {
	finder
	fillings []map[string]string // of the fields, one for each request
	submit   string
}

// maxFillings bounds the requests that one form makes.
const maxFillings = 1000

var errFormKind = errors.New("a form that sends files or plain text (its enctype) is not filled in")

func (c *compiler) form(x *LinkRule) *formPlan {
	if x.Form == nil {
		return nil
	}
	if x.Form.CSS == "" && x.Form.XPath == "" || x.Form.JSONPath != "" || x.Form.JQ != "" {
		c.wrong.add("such as css: form.search", "the form is found by css or xpath", "form")
	}
	p := &formPlan{finder: c.finder(x.Form.Selector, "", "form"), submit: x.Form.Submit, fillings: []map[string]string{{}}}
	c.tree = true
	for _, name := range slices.Sorted(maps.Keys(x.Form.Fields)) {
		list := x.Form.Fields[name]
		if len(list) == 0 {
			list = []string{""}
		}
		if len(p.fillings)*len(list) > maxFillings {
			c.wrong.add("", fmt.Sprintf("these are more than %d requests", maxFillings), "form", "fields", name)
			return p
		}
		var next []map[string]string
		for _, filling := range p.fillings {
			for _, v := range list {
				one := maps.Clone(filling)
				one[name] = v
				next = append(next, one)
			}
		}
		p.fillings = next
	}
	return p
}

// forms sends the forms below m.
func (f *linkFinding) forms(m match, carry []crawler.Field) (more bool, err error) {
	next := f.plan.form.find(f.work, m)
	for {
		m, ok, err := next()
		if err != nil || !ok {
			return true, err
		}
		if m.node == nil || inert(m.node) {
			continue
		}
		if m.node.Data != "form" {
			f.emit.FieldError("form", "", false, fmt.Errorf("the selector finds <%s>, which is no form", m.node.Data))
			continue
		}
		controls, err := f.controls(m.node)
		if err != nil {
			return false, err
		}
		for _, filling := range f.plan.form.fillings {
			ref, err := f.submission(m.node, controls, filling)
			if err != nil {
				f.emit.FieldError("form", "", false, err)
				break
			}
			if ref == nil { // method=dialog, which asks for nothing
				break
			}
			ref.Carry = carry
			if !f.found(*ref) {
				return false, nil
			}
		}
	}
}

// controls are the elements of a form in document order: those in it, and those that
// name it (HTML section 4.10.18.3).
func (f *linkFinding) controls(form *html.Node) ([]*html.Node, error) {
	id, _ := values.Attribute(form, "id")
	var list []*html.Node
	for n := f.root.node; n != nil; n = values.Following(n, f.root.node, true) {
		if err := f.work.step(1); err != nil {
			return nil, err
		}
		switch {
		case n.Type != html.ElementNode:
			continue
		case !slices.Contains([]string{"input", "button", "select", "textarea"}, n.Data):
			continue
		}
		if owner, named := values.Attribute(n, "form"); named {
			if owner == id && id != "" {
				list = append(list, n)
			}
			continue
		}
		for up := n.Parent; up != nil; up = up.Parent {
			if up == form {
				list = append(list, n)
				break
			}
		}
	}
	return list, nil
}

// pair is one entry of a form's data set.
type pair struct{ name, value string }

// submission is the request that a form makes, filled in (HTML section 4.10.21.3),
// or nil.
func (f *linkFinding) submission(form *html.Node, controls []*html.Node, filling map[string]string) (*crawler.Reference, error) {
	button := f.button(controls)
	attr := func(name string) string {
		if button != nil {
			if v, ok := values.Attribute(button, "form"+name); ok {
				return strings.TrimSpace(v)
			}
		}
		v, _ := values.Attribute(form, name)
		return strings.TrimSpace(v)
	}
	method, action := strings.ToLower(attr("method")), attr("action")
	if method == "dialog" {
		return nil, nil
	}
	if action == "" {
		action = f.page.URL.Fetch()
	}
	encode, name := f.encoder(form)
	var query strings.Builder
	for i, p := range dataSet(controls, button, filling, name) {
		if i > 0 {
			query.WriteByte('&')
		}
		query.WriteString(url.QueryEscape(encode(p.name)) + "=" + url.QueryEscape(encode(p.value)))
	}
	if method != "post" {
		action, _, _ = strings.Cut(action, "#")
		action, _, _ = strings.Cut(action, "?")
		return &crawler.Reference{Ref: action + "?" + query.String()}, nil
	}
	if kind := strings.ToLower(attr("enctype")); kind == "multipart/form-data" || kind == "text/plain" {
		return nil, errFormKind
	}
	return &crawler.Reference{Ref: action, Call: &crawler.Call{
		Method: http.MethodPost, Body: query.String(), Repeat: f.rule.Repeat,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
	}}, nil
}

// button is what is pressed: the one that the rule names, else the form's first.
func (f *linkFinding) button(controls []*html.Node) *html.Node {
	for _, n := range controls {
		kind, _ := values.Attribute(n, "type")
		kind = strings.ToLower(kind)
		presses := n.Data == "input" && (kind == "submit" || kind == "image") || n.Data == "button" && (kind == "" || kind == "submit")
		name, _ := values.Attribute(n, "name")
		if presses && !disabled(n) && (f.plan.form.submit == "" || name == f.plan.form.submit) {
			return n
		}
	}
	return nil
}

// dataSet are the names and values that a form sends: its own, but for the names that
// are filled in. A name that no element has comes last, as a script would add it.
func dataSet(controls []*html.Node, button *html.Node, filling map[string]string, charset string) []pair {
	var set []pair
	used := map[string]bool{}
	for _, n := range controls {
		name, _ := values.Attribute(n, "name")
		if given, ok := filling[name]; ok {
			if !used[name] && !disabled(n) {
				set, used[name] = append(set, pair{name, given}), true
			}
			continue
		}
		if name == "" || disabled(n) {
			continue
		}
		for _, v := range own(n, button, charset) {
			set = append(set, pair{name, v})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(filling)) {
		if !used[name] {
			set = append(set, pair{name, filling[name]})
		}
	}
	return set
}

// own are the values that an element sends as the page has it.
func own(n, button *html.Node, charset string) []string {
	value, hasValue := values.Attribute(n, "value")
	switch n.Data {
	case "textarea":
		text, _ := values.RawText(n, nil)
		return []string{text}
	case "select":
		return selected(n)
	case "button":
		if n != button {
			return nil
		}
		return []string{value}
	}
	kind, _ := values.Attribute(n, "type")
	switch strings.ToLower(kind) {
	case "submit":
		if n != button {
			return nil
		}
	case "image", "button", "reset", "file":
		return nil
	case "checkbox", "radio":
		if _, checked := values.Attribute(n, "checked"); !checked {
			return nil
		}
		if !hasValue {
			value = "on"
		}
	case "hidden":
		if name, _ := values.Attribute(n, "name"); name == "_charset_" {
			value = charset
		}
	}
	return []string{value}
}

// selected are the values of the options that are chosen; a list of one line has its
// first one chosen otherwise.
func selected(n *html.Node) []string {
	var chosen []string
	first, some := "", false
	for o := values.Following(n, n, true); o != nil; o = values.Following(o, n, true) {
		if o.Type != html.ElementNode || o.Data != "option" || disabled(o) {
			continue
		}
		v, ok := values.Attribute(o, "value")
		if !ok {
			v, _ = values.Text(o, nil)
		}
		if !some {
			first, some = v, true
		}
		if _, ok := values.Attribute(o, "selected"); ok {
			chosen = append(chosen, v)
		}
	}
	_, multiple := values.Attribute(n, "multiple")
	if multiple {
		return chosen
	}
	if len(chosen) > 0 {
		return chosen[len(chosen)-1:]
	}
	if some {
		return []string{first}
	}
	return nil
}

// disabled reports whether an element, or a fieldset or group around it, is switched
// off.
func disabled(n *html.Node) bool {
	for up := n; up != nil; up = up.Parent {
		if up != n && up.Data != "fieldset" && up.Data != "optgroup" && up.Data != "datalist" {
			continue
		}
		if _, ok := values.Attribute(up, "disabled"); ok || up.Data == "datalist" {
			return true
		}
	}
	return false
}

// encoder brings text to the encoding that a form is sent in, with line breaks as
// forms have them: that of accept-charset, or the page's.
func (f *linkFinding) encoder(form *html.Node) (encode func(string) string, name string) {
	label, _ := values.Attribute(form, "accept-charset")
	for _, l := range append(strings.Fields(label), f.page.Response.Charset) {
		enc, known := charset.Lookup(l)
		if enc == nil || strings.HasPrefix(known, "utf-") {
			if known == "" {
				continue
			}
			break
		}
		e := encoding.HTMLEscapeUnsupported(enc.NewEncoder())
		return func(s string) string {
			out, err := e.String(breaks(s))
			if err != nil {
				return breaks(s)
			}
			return out
		}, known
	}
	return breaks, "UTF-8"
}

// breaks writes every line break as CRLF.
func breaks(s string) string {
	if !strings.ContainsAny(s, "\r\n") {
		return s
	}
	return strings.NewReplacer("\r\n", "\r\n", "\r", "\r\n", "\n", "\r\n").Replace(s)
}
