package crawl

import (
	"context"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/fetch"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Page is a page to look at: fetched, as a run would, or read from a file.
func (c *Crawl) Page(ctx context.Context, u urls.URL, file string, said func(format string, args ...any)) (*crawler.Page, error) {
	if file != "" {
		return c.pageOf(u, file)
	}
	one := c.Single(said)
	session, err := c.NewSession(ctx, nil, nil)
	if err != nil {
		return nil, exit.With(exit.Config, err)
	}
	if session != nil {
		defer session.Close()
		if err := session.Begin(); err != nil {
			return nil, LoginError(c.Config, err)
		}
		one.Fetcher = session.Fetcher(one.Fetcher)
	}
	return one.Page(ctx, u)
}

// pageOf is a page that was saved in a file.
func (c *Crawl) pageOf(u urls.URL, file string) (*crawler.Page, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, exit.With(exit.Config, fmt.Errorf("--html: %w", err))
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, int64(c.Config.Fetch.MaxBody)+1))
	if err != nil {
		return nil, exit.With(exit.Config, fmt.Errorf("--html: %w", err))
	}
	if int64(len(body)) > int64(c.Config.Fetch.MaxBody) {
		return nil, exit.With(exit.Config, fmt.Errorf("%s is larger than fetch.max_body", file))
	}
	header := http.Header{}
	if t := mime.TypeByExtension(strings.ToLower(filepath.Ext(file))); t != "" {
		header.Set("Content-Type", strings.Split(t, ";")[0])
	}
	resp := fetch.Saved(header, body)
	resp.FetchedAt = time.Now().UTC()
	return crawler.NewPage(&crawler.Request{URL: u.WithoutFragment(), Key: c.Canon.Key(u)}, resp), nil
}

// Root is a page's tree, nil for pages that have none.
func Root(p *crawler.Page) *html.Node {
	if !p.IsHTML() {
		return nil
	}
	doc, err := p.Document()
	if err != nil || len(doc.Nodes) == 0 {
		return nil
	}
	return doc.Nodes[0]
}
