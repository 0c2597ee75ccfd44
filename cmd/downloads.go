package cmd

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/download"
	"github.com/amblecrawl/amble/crawler/fetch/blob"
	"github.com/amblecrawl/amble/crawler/login"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/extractors"
)

// newBuckets makes the transport of a config's buckets, nil where it has none.
func newBuckets(cfg *config.Config) (*blob.Transport, error) {
	var connections []blob.Connection
	for i := range cfg.Connections {
		if c := &cfg.Connections[i]; c.IsBucket() {
			o := c.BucketOptions()
			o.UserAgent = cfg.Politeness.Agent + "/" + version
			connections = append(connections, blob.Connection{Name: c.Name, Options: o, Timeout: c.Timeout})
		}
	}
	if len(connections) == 0 {
		return nil, nil
	}
	return blob.New(context.Background(), connections)
}

// bucketRules read the listings of buckets.
func bucketRules(cfg *config.Config) []extractors.Rule {
	if !cfg.Downloading() {
		return nil
	}
	return []extractors.Rule{{Type: cfg.Downloads.Type, Extractor: download.Objects{}, Scheme: download.Scheme}}
}

// closeBuckets ends the connections.
func (c *crawl) closeBuckets() {
	if c.buckets == nil {
		return
	}
	if err := c.buckets.Close(); err != nil {
		c.log.Warn("a bucket could not be closed", "err", err)
	}
}

// openFiles opens the destination of a run's files, nil where it has none.
func (c *crawl) openFiles(ctx context.Context, folder string, state remembering, run string, session *login.Session) (*download.Store, error) {
	d := &c.cfg.Downloads
	if !c.cfg.Downloading() {
		return nil, nil
	}
	o := download.Options{
		Dir: d.To, Name: d.Template(), Type: d.Type, Crawl: c.cfg.Name, Run: run,
		MaxSize: int64(d.MaxSize), PartSize: int64(d.PartSize), PartsFrom: int64(d.PartsFrom), MinFree: int64(d.MinFree),
		Timeout: d.Timeout, Overwrite: d.Existing == "overwrite", Dedup: d.Dedup, Recall: state.Get, Log: c.log,
	}
	if name := d.ToBucket(); name != "" {
		o.To, o.Dir = c.buckets.Bucket(name), filepath.Join(folder, "files")
		o.Exchange = (&uploads{c.polite(), c.gate, name}).exchange
	}
	if d.Sums != "" {
		sums, err := c.readSums(ctx, d.Sums, session)
		if err != nil {
			return nil, &exitError{exitConfig, fmt.Errorf("downloads.sha256sums: %s: %w", d.Sums, err)}
		}
		o.Sums = sums
	}
	store, err := download.Open(o)
	if err != nil {
		return nil, &exitError{exitConfig, fmt.Errorf("downloads.to: %w", err)}
	}
	return store, nil
}

// maxSumsFile bounds a file of sums.
const maxSumsFile = 64 << 20

// readSums reads a file of sums, of the disk or of the web under the crawl's rules.
func (c *crawl) readSums(ctx context.Context, place string, session *login.Session) (*download.Sums, error) {
	if u, err := urls.Parse(place); err == nil && (u.IsHTTP() || u.Scheme() == download.Scheme) {
		one := c.single(func(format string, args ...any) { c.log.Info(fmt.Sprintf(format, args...)) })
		if session != nil {
			one.fetcher = session.Fetcher(one.fetcher)
		}
		page, err := one.fetch(ctx, one.request(u), crawler.FetchOptions{MaxBody: maxSumsFile, Raw: true})
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
	return download.ReadSums(io.LimitReader(f, maxSumsFile))
}
