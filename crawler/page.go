package crawler

import (
	"bytes"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/PuerkitoBio/goquery"
	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler/urls"
)

// HeaderRenewed is in the header of a 401 where the credentials have been renewed since:
// the request did nothing and may be sent again, after the duration that is its value. No
// server can send a field of that name, which is none.
const HeaderRenewed = ":renewed"

// HeaderLoggedOut is in the header of an answer that is not the page, as nobody was
// logged in: the request may be sent again, after the duration that is its value,
// unless that is negative. No server can send it.
const HeaderLoggedOut = ":logged-out"

// HeaderCookies is in the header of an answer that has to do with cookies: it was
// asked for with some (CookiesSent), or changed those its host will be sent
// (CookiesChanged). A redirect back is no loop then, once. No server can send it.
const (
	HeaderCookies  = ":cookies"
	CookiesSent    = "sent"
	CookiesChanged = "changed"
)

// Response is one answer of a server, body read to its end.
type Response struct {
	Status    int
	Header    http.Header
	MediaType string // "text/html", lower case, without parameters; sniffed when absent
	Charset   string // the encoding the body was converted from, "" when not text
	// Body is decoded (content encodings removed) and, for text, UTF-8. It is
	// valid until the page is released and must not be changed.
	Body      []byte
	Wire      int64 // body bytes as received
	FetchedAt time.Time
	// Location is the absolute target of a redirect, zero without one.
	Location urls.URL
	// Stored names where the answer was kept when nothing was sent for it, "" for one
	// of a server.
	Stored string
}

// Page is a response with the request it answers and its parsed document.
// A page belongs to one goroutine at a time.
type Page struct {
	Request  *Request
	URL      urls.URL // the address that answered
	Response *Response
	// Said is what politeness knew of the host's statements when it let the
	// request go (Verdict.Said), for PagePolicy.
	Said any
	// Parse makes the tree of a body in UTF-8; nil stands for the parser of
	// golang.org/x/net/html without scripting.
	Parse func(body []byte) (*html.Node, error)

	once   sync.Once
	doc    *goquery.Document
	err    error
	noTree error      // why it cannot be had
	memory *allowance // nil: no bound
}

// NewPage joins a response to its request.
func NewPage(req *Request, resp *Response) *Page {
	return &Page{Request: req, URL: req.URL, Response: resp}
}

// IsHTML reports whether the page has a document tree worth asking for.
func (p *Page) IsHTML() bool {
	switch p.Response.MediaType {
	case "text/html", "application/xhtml+xml":
		return true
	}
	return false
}

// Document parses the page on first use; every extractor shares the tree and
// must not change it.
func (p *Page) Document() (*goquery.Document, error) {
	p.once.Do(func() {
		if p.noTree != nil {
			p.err = fmt.Errorf("parsing %s: %w", p.URL.Redacted(), p.noTree)
			return
		}
		parse := p.Parse
		if parse == nil {
			parse = parseWithoutScripts
		}
		root, err := parse(p.Response.Body)
		if err != nil {
			p.err = fmt.Errorf("parsing %s: %w", p.URL.Redacted(), err)
			return
		}
		p.doc = goquery.NewDocumentFromNode(root)
	})
	return p.doc, p.err
}

// parseWithoutScripts takes what <noscript> holds for content, since none runs
// here.
func parseWithoutScripts(body []byte) (*html.Node, error) {
	return html.ParseWithOptions(bytes.NewReader(body), html.ParseOptionEnableScripting(false))
}

// Parsed reports whether the tree was built, for tests and accounts.
func (p *Page) Parsed() bool { return p.doc != nil }
