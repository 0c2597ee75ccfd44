package polite

import (
	"net/http"
	"strings"

	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors"
	"github.com/amblecrawl/amble/politeness/signals"
)

// canonicalOf is the URL that a page names as its own, in a link element of its
// head or in its Link header (RFC 6596, RFC 8288). It is zero where there is
// none, where what is named is no http(s) URL, and where two different ones are:
// then nothing is sure. A page of https does not refer to the same page of http;
// such a link is a leftover, and often leads back by a redirect.
func canonicalOf(page urls.URL, header http.Header, head *extractors.Head) urls.URL {
	var found urls.URL
	add := func(base urls.URL, ref string) (sure bool) {
		u, err := base.Resolve(ref)
		if err != nil || !u.IsHTTP() {
			return true
		}
		u = u.WithoutFragment()
		if !found.IsZero() && u.Fetch() != found.Fetch() {
			return false
		}
		found = u
		return true
	}
	for _, ref := range signals.LinkTargets(header, "canonical") {
		if !add(page, ref) {
			return urls.URL{}
		}
	}
	base := head.Base(page)
	for _, l := range head.Links {
		if hasRelation(l.Rel, "canonical") && !add(base, l.Ref) {
			return urls.URL{}
		}
	}
	if page.Scheme() == "https" && strings.TrimPrefix(found.Fetch(), "http://") == strings.TrimPrefix(page.Fetch(), "https://") {
		return urls.URL{}
	}
	return found
}

func hasRelation(rel, want string) bool {
	for r := range strings.FieldsSeq(rel) {
		if strings.EqualFold(r, want) {
			return true
		}
	}
	return false
}

// licenceLinks are the links by which a page's head names RSL licences, with
// absolute addresses where they are good for one.
func licenceLinks(page urls.URL, head *extractors.Head) []string {
	var out []string
	for _, l := range head.Links {
		if !hasRelation(l.Rel, "license") || !signals.IsRSL(l.Type) {
			continue
		}
		if u, err := head.Base(page).Resolve(l.Ref); err == nil {
			out = append(out, u.String())
		} else {
			out = append(out, l.Ref)
		}
	}
	return out
}
