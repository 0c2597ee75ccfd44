package structured

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/query"
	"github.com/amblecrawl/amble/politeness/signals"
)

// follow emits the link to the next page that a document names. gave tells that
// the document had records: counting goes on only then.
func (r *reading) follow(document any, gave bool) {
	n := r.plan.next
	if n == nil || n.Rel != "" {
		return
	}
	if n.query == nil {
		if gave {
			r.count(n)
		}
		return
	}
	var target string
	err := n.query.Each(r.ctx, document, 1, func(v any) bool {
		if text, ok := query.Scalar(v); ok && v != false {
			target = strings.TrimSpace(text)
		}
		return false
	})
	if err != nil {
		r.failure("next", "", false, err)
	}
	if target == "" {
		return
	}
	u := r.page.URL
	if n.Param == "" {
		u, err = u.Resolve(target)
	} else {
		u, err = withParam(u, n.Param, target)
	}
	r.link(u, target, err)
}

// followHeader emits the link to the next page that the answer's header names.
func (r *reading) followHeader() {
	n := r.plan.next
	if n == nil || n.Rel == "" {
		return
	}
	for _, target := range signals.LinkTargets(r.page.Response.Header, n.Rel) {
		u, err := r.page.URL.Resolve(target)
		r.link(u, target, err)
		return // a page has one next page
	}
}

// count leads to the page whose number is the next one; a page without a number
// is the first.
func (r *reading) count(n *next) {
	now := 0
	if n.Step == 1 {
		now = 1 // pages are counted from 1, offsets from 0
	}
	if query, err := url.ParseQuery(queryOf(r.page.URL)); err == nil && query.Has(n.Param) {
		number, err := strconv.Atoi(query.Get(n.Param))
		if err != nil || number < 0 || number > 1<<40 {
			r.failure("next", query.Get(n.Param), false, errNotNumber)
			return
		}
		now = number
	}
	target := strconv.Itoa(now + n.Step)
	u, err := withParam(r.page.URL, n.Param, target)
	r.link(u, target, err)
}

func (r *reading) link(u urls.URL, target string, err error) {
	if err == nil && !u.IsHTTP() {
		err = errNotHTTP
	}
	if err != nil {
		r.failure("next", target, false, err)
		return
	}
	r.emit.Link(crawler.Link{URL: u.WithoutFragment(), Carry: r.page.Request.Carry, Types: r.page.Request.Types, Row: r.page.Request.Row}) // more of the same
}

func queryOf(u urls.URL) string {
	text := u.WithoutFragment().String()
	_, query, _ := strings.Cut(text, "?")
	return query
}

// withParam sets one parameter of the query and leaves the others as they are.
func withParam(u urls.URL, name, value string) (urls.URL, error) {
	address, query, _ := strings.Cut(u.WithoutFragment().String(), "?")
	pair := url.QueryEscape(name) + "=" + url.QueryEscape(value)
	var pairs []string
	set := false
	for _, p := range strings.Split(query, "&") {
		key, _, _ := strings.Cut(p, "=")
		if key, err := url.QueryUnescape(key); err == nil && key == name {
			if !set {
				pairs = append(pairs, pair)
			}
			set = true
		} else if p != "" {
			pairs = append(pairs, p)
		}
	}
	if !set {
		pairs = append(pairs, pair)
	}
	return urls.Parse(address + "?" + strings.Join(pairs, "&"))
}
