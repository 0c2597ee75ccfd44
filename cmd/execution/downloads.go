package execution

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/download"
	"github.com/amblecrawl/amble/crawler/login"
	"github.com/amblecrawl/amble/crawler/urls"
)

// openStore opens the destination of a run's files, nil where it has none.
func openStore(ctx context.Context, c *crawl.Crawl, folder string, state polite.State, run string, session *login.Session) (*download.Store, error) {
	d := &c.Config.Downloads
	if !c.Config.Downloading() {
		return nil, nil
	}
	o := download.Options{
		Dir: d.To, Name: d.Template(), Type: d.Type, Crawl: c.Config.Name, Run: run,
		MaxSize: int64(d.MaxSize), PartSize: int64(d.PartSize), PartsFrom: int64(d.PartsFrom), MinFree: int64(d.MinFree),
		Timeout: d.Timeout, Overwrite: d.Existing == "overwrite", Dedup: d.Dedup, Unsummed: !d.SHA256, Recall: state.Get, Log: c.Log,
	}
	if name := d.ToBucket(); name != "" {
		o.To, o.Dir = c.Buckets.Bucket(name), filepath.Join(folder, "files")
		o.Exchange = (&uploads{polite: c.Politeness(), gate: c.Gate, connection: name}).exchange
	}
	if d.Sums != "" {
		sums, err := readSums(ctx, c, d.Sums, session)
		if err != nil {
			return nil, exit.With(exit.Config, fmt.Errorf("downloads.sha256sums: %s: %w", d.Sums, err))
		}
		o.Sums = sums
	}
	store, err := download.Open(o)
	if err != nil {
		return nil, exit.With(exit.Config, fmt.Errorf("downloads.to: %w", err))
	}
	return store, nil
}

// readSums reads a file of sums, of the disk or of the web under the crawl's rules.
func readSums(ctx context.Context, c *crawl.Crawl, place string, session *login.Session) (*download.Sums, error) {
	if u, err := urls.Parse(place); err == nil && (u.IsHTTP() || u.Scheme() == download.Scheme) {
		one := c.Single(func(format string, args ...any) { c.Log.Info(fmt.Sprintf(format, args...)) })
		if session != nil {
			one.Fetcher = session.Fetcher(one.Fetcher)
		}
		page, err := one.Fetch(ctx, one.Request(u), crawler.FetchOptions{MaxBody: download.MaxSumsFile, Raw: true})
		if err != nil {
			return nil, err
		}
		if page.Response.Status != 200 {
			return nil, fmt.Errorf("status %d", page.Response.Status)
		}
		return download.ReadSums(bytes.NewReader(page.Response.Body))
	}
	f, err := os.Open(place)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return download.ReadSums(io.LimitReader(f, download.MaxSumsFile))
}
