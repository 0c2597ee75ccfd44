package feeds

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/mmcdole/gofeed"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors/values"
)

// DefaultMaxEntries bounds the entries of one feed where the config does not.
const DefaultMaxEntries = 10_000

func init() {
	crawler.Extractors.Register("feed", func() crawler.Extractor { return &Feed{MaxEntries: DefaultMaxEntries} })
}

// Feed is an extractor that makes a record of every entry of an RSS, Atom or
// JSON feed. A page that is no feed gives nothing, without an error. It needs no
// tree and is safe for concurrent use.
type Feed struct {
	Content    string `yaml:"content,omitempty" enum:"text,html,markdown,none" default:"text" doc:"what becomes of the entries' content: plain text, HTML with absolute addresses, Markdown, or nothing"`
	Follow     bool   `yaml:"follow,omitempty" default:"false" doc:"follow the entries' links"`
	MaxEntries int    `yaml:"max_entries,omitempty" default:"10000" doc:"the most entries taken from one feed; more are left out, with an error"`
}

var (
	_ crawler.Extractor   = (*Feed)(nil)
	_ crawler.Validator   = (*Feed)(nil)
	_ crawler.TreeReader  = (*Feed)(nil)
	_ crawler.FieldLister = (*Feed)(nil)
)

// NeedsTree is false: feeds are not HTML.
func (*Feed) NeedsTree() bool { return false }

// FieldNames lists the fields of every record.
func (*Feed) FieldNames() []string {
	return []string{
		"title", "url", "id", "published", "updated", "authors", "categories",
		"summary", "content", "image", "enclosures", "language", "feed",
	}
}

// Validate checks the options.
func (f *Feed) Validate() error {
	if f.MaxEntries < 0 {
		return &crawler.ConfigError{Path: []string{"max_entries"}, Msg: "max_entries must be at least 1", Hint: "leave it out for the default"}
	}
	switch f.Content {
	case "", "text", "html", "markdown", "none":
		return nil
	}
	return &crawler.ConfigError{Path: []string{"content"}, Msg: fmt.Sprintf("%q is not a form of content", f.Content), Hint: "one of text, html, markdown, none"}
}

// Extract emits a record for each entry. Of a feed that is not well-formed it
// emits the entries that are, and reports the others.
func (f *Feed) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	body := legible(p.Response)
	kind := gofeed.DetectFeedType(bytes.NewReader(body[:min(len(body), detectionWindow)]))
	if kind == gofeed.FeedTypeUnknown {
		return nil
	}
	feed, err := gofeed.NewParser().Parse(bytes.NewReader(body))
	if kind != gofeed.FeedTypeJSON && (err != nil || len(feed.Items) < len(entryStart.FindAllIndex(body, DefaultMaxEntries))) {
		// The parser may stop at a fault without a word.
		saved, lost := salvage(ctx, body)
		if saved != nil && (err != nil || len(saved.Items) > len(feed.Items)) {
			feed, err = saved, nil
			e.FieldError("", "", true, fmt.Errorf("the feed is not well-formed: %d of its entries could not be read", lost))
		}
	}
	if err != nil {
		return fmt.Errorf("reading the feed: %w", err)
	}
	limit := cmp.Or(f.MaxEntries, DefaultMaxEntries)
	for i, item := range feed.Items {
		if i == limit {
			e.FieldError("", "", true, fmt.Errorf("more than %d entries: the rest was left out", limit))
			return nil
		}
		if err := ctx.Err(); err != nil {
			return context.Cause(ctx)
		}
		f.emit(p, feed, item, e)
	}
	return nil
}

// detectionWindow is how far gofeed looks for the root element.
const detectionWindow = 4096

func (f *Feed) emit(p *crawler.Page, feed *gofeed.Feed, item *gofeed.Item, e *crawler.Emitter) {
	link := absolute(p.URL, item.Link)
	e.Record(
		crawler.Field{Name: "title", Value: text(item.Title)},
		crawler.Field{Name: "url", Value: link},
		crawler.Field{Name: "id", Value: orNil(item.GUID)},
		crawler.Field{Name: "published", Value: moment(e, "published", item.PublishedParsed, item.Published)},
		crawler.Field{Name: "updated", Value: moment(e, "updated", item.UpdatedParsed, item.Updated)},
		crawler.Field{Name: "authors", Value: authors(feed, item)},
		crawler.Field{Name: "categories", Value: list(item.Categories)},
		crawler.Field{Name: "summary", Value: text(item.Description)},
		crawler.Field{Name: "content", Value: f.content(p.URL, link, item)},
		crawler.Field{Name: "image", Value: image(p.URL, item)},
		crawler.Field{Name: "enclosures", Value: enclosures(p.URL, item)},
		crawler.Field{Name: "language", Value: orNil(feed.Language)},
		crawler.Field{Name: "feed", Value: text(feed.Title)},
	)
	if target, ok := link.(string); ok && f.Follow {
		if u, err := urls.Parse(target); err == nil && u.IsHTTP() {
			e.Link(crawler.Link{URL: u.WithoutFragment()})
		}
	}
}

// content is an entry's content, or its summary where it has no other, in the
// form asked for. Relative addresses in it are relative to the entry.
func (f *Feed) content(page urls.URL, link any, item *gofeed.Item) any {
	source := cmp.Or(item.Content, item.Description)
	if source == "" || f.Content == "none" {
		return nil
	}
	root := fragment(source)
	if root == nil {
		return nil
	}
	base := page
	if target, ok := link.(string); ok {
		if u, err := urls.Parse(target); err == nil {
			base = u
		}
	}
	var out string
	var err error
	switch f.Content {
	case "html":
		out, err = values.AbsoluteHTML(root, base)
	case "markdown":
		out, err = values.Markdown(root, base, nil)
	default:
		out, err = values.Text(root, nil)
	}
	if err != nil {
		return nil
	}
	return orNil(out)
}

// fragment is the tree of a piece of HTML, below a <div>; nil where it is nested
// too deep to have one.
func fragment(source string) *html.Node {
	root := &html.Node{Type: html.ElementNode, DataAtom: atom.Div, Data: "div"}
	nodes, err := html.ParseFragmentWithOptions(strings.NewReader(source), root, html.ParseOptionEnableScripting(false))
	if err != nil {
		return nil
	}
	for _, n := range nodes {
		root.AppendChild(n)
	}
	return root
}

// text is plain text: titles and summaries may hold markup.
func text(s string) any {
	if !strings.ContainsAny(s, "<&") {
		return orNil(values.Fold(s))
	}
	root := fragment(s)
	if root == nil {
		return orNil(values.Fold(s))
	}
	out, _ := values.Text(root, nil)
	return orNil(out)
}

func orNil(s string) any {
	if s = strings.TrimSpace(s); s == "" {
		return nil
	}
	return s
}

func list(all []string) any {
	var out []any
	for _, s := range all {
		if v := orNil(s); v != nil {
			out = append(out, v)
		}
	}
	if out == nil {
		return nil
	}
	return out
}

func absolute(base urls.URL, ref string) any {
	if ref = strings.TrimSpace(ref); ref == "" {
		return nil
	}
	u, err := base.Resolve(ref)
	if err != nil {
		return nil
	}
	return u.Redacted()
}

func moment(e *crawler.Emitter, field string, parsed *time.Time, written string) any {
	if parsed != nil {
		return parsed.Format(time.RFC3339)
	}
	if strings.TrimSpace(written) == "" {
		return nil
	}
	date, err := values.ParseDate(written)
	if err != nil {
		e.FieldError(field, written, false, err)
		return nil
	}
	return date
}

// authors are those of the entry, or else of the feed.
func authors(feed *gofeed.Feed, item *gofeed.Item) any {
	people := item.Authors
	if len(people) == 0 {
		people = feed.Authors
	}
	var names []string
	for _, a := range people {
		if a != nil {
			names = append(names, cmp.Or(a.Name, a.Email))
		}
	}
	return list(names)
}

func image(base urls.URL, item *gofeed.Item) any {
	if item.Image == nil {
		return nil
	}
	return absolute(base, item.Image.URL)
}

func enclosures(base urls.URL, item *gofeed.Item) any {
	var out []any
	for _, x := range item.Enclosures {
		if x == nil || absolute(base, x.URL) == nil {
			continue
		}
		var size any
		if n, err := strconv.ParseInt(strings.TrimSpace(x.Length), 10, 64); err == nil && n > 0 {
			size = n
		}
		out = append(out, []crawler.Field{
			{Name: "url", Value: absolute(base, x.URL)},
			{Name: "type", Value: orNil(x.Type)},
			{Name: "bytes", Value: size},
		})
	}
	if out == nil {
		return nil
	}
	return out
}

var (
	declaration = regexp.MustCompile(`^\s*<\?xml[^>]*\?>`)
	xmlBase     = regexp.MustCompile(`(xml:base\s*=\s*)("[^"]*"|'[^']*')`)
)

// legible is a body that gofeed reads as it is meant: without a byte order mark,
// without a declaration of the encoding it no longer has, and with each xml:base
// cut behind its last slash, which changes nothing that is relative to it
// (RFC 3986, section 5.2.3) but keeps gofeed from taking a file for a folder.
func legible(r *crawler.Response) []byte {
	body := bytes.TrimPrefix(r.Body, []byte("\ufeff"))
	if r.Charset != "" {
		body = body[len(declaration.Find(body)):]
	}
	if !bytes.Contains(body, []byte("xml:base")) {
		return body
	}
	return xmlBase.ReplaceAllFunc(body, func(attr []byte) []byte {
		quote := attr[len(attr)-1]
		slash := bytes.LastIndexByte(attr, '/')
		if slash < 1 || attr[slash-1] == '/' { // https://host has no path to cut
			return attr
		}
		return append(bytes.Clone(attr[:slash+1]), quote)
	})
}

var (
	entryStart = regexp.MustCompile(`<(item|entry)[\s>/]`)
	errNoEntry = errors.New("no entry")
)

const maxHead = 64 << 10

// salvage reads a broken feed entry by entry: each within what stands before the
// first one. feed is nil where that alone cannot be read.
func salvage(ctx context.Context, body []byte) (feed *gofeed.Feed, lost int) {
	at := entryStart.FindSubmatchIndex(body)
	if at == nil {
		return nil, 0
	}
	head, name := body[:at[0]], string(body[at[2]:at[3]])
	if len(head) > maxHead { // it is read once more for each entry
		return nil, 0
	}
	tail := closing(head)
	parse := func(entry []byte) (*gofeed.Feed, error) {
		whole := bytes.Join([][]byte{head, entry, tail}, nil)
		return gofeed.NewParser().Parse(bytes.NewReader(whole))
	}
	feed, err := parse(nil)
	if err != nil {
		return nil, 0
	}
	starts := entryStart.FindAllIndex(body, DefaultMaxEntries)
	for i, s := range starts {
		if ctx.Err() != nil {
			return feed, lost + len(starts) - i
		}
		end := len(body)
		if i+1 < len(starts) {
			end = starts[i+1][0]
		}
		one, err := parse(upTo(body[s[0]:end], "</"+name+">"))
		if err == nil && len(one.Items) == 0 {
			err = errNoEntry
		}
		if err != nil {
			lost++
			continue
		}
		feed.Items = append(feed.Items, one.Items[0])
	}
	return feed, lost
}

// upTo cuts text behind the first end; without one nothing is left.
func upTo(text []byte, end string) []byte {
	i := bytes.Index(text, []byte(end))
	if i < 0 {
		return nil
	}
	return text[:i+len(end)]
}

// closing are the end tags that the head of a feed still needs.
func closing(head []byte) []byte {
	var out string
	for _, name := range []string{"rss", "rdf:RDF", "feed", "channel"} {
		if bytes.Contains(head, []byte("<"+name)) && !bytes.Contains(head, []byte("</"+name+">")) {
			out = "</" + name + ">" + out
		}
	}
	return []byte(out)
}
