package cmd

import (
	"fmt"
	"io"
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/download"
	"github.com/amblecrawl/amble/crawler/urls"
)

// objectArgument reads the URL of an object from the command line. That of a connection
// alone is the first page of what its seed lists.
func objectArgument(cfg *config.Config, raw string) (urls.URL, error) {
	refuse := func(format string, args ...any) (urls.URL, error) {
		return urls.URL{}, &exitError{exitConfig, fmt.Errorf("%q: "+format, append([]any{raw}, args...)...)}
	}
	var names []string
	for i := range cfg.Connections {
		k := &cfg.Connections[i]
		if !k.IsBucket() {
			continue
		}
		names = append(names, download.Scheme+"://"+k.Name+"/KEY")
		if key, below := strings.CutPrefix(raw, strings.TrimSuffix(k.URL, "/")+"/"); below && key != "" {
			if u, err := download.ObjectURL(k.Name, key); err == nil {
				return refuse("objects are written with their connection: %s", u)
			}
		}
	}
	if !strings.HasPrefix(raw, download.Scheme+"://") {
		return refuse("objects are written with their connection: %s", strings.Join(names, ", "))
	}
	u, err := urls.Parse(raw)
	if err != nil {
		return refuse("not the URL of an object")
	}
	if !slices.Contains(names, download.Scheme+"://"+u.Hostname()+"/KEY") {
		return refuse("the config has no bucket of this name; it has %s", strings.Join(names, ", "))
	}
	if _, isObject := download.KeyOf(u); isObject || u.Query() != "" {
		return u, nil
	}
	for _, l := range cfg.Listings() {
		if l.Connection == u.Hostname() {
			return l.URL()
		}
	}
	return (&download.Listing{Connection: u.Hostname()}).URL()
}

// seedOf is the listing that leads to an object; nil where none does.
func (c *crawl) seedOf(key string, connection string) *download.Listing {
	for _, l := range c.cfg.Listings() {
		if l.Connection == connection && l.Covers(key) {
			return &l
		}
	}
	return nil
}

// objectPlace tells where an object's file would go, and whether a seed leads to it.
func (c *crawl) objectPlace(u urls.URL) (place, seed string) {
	key, isObject := download.KeyOf(u)
	if !isObject {
		return "", "a page of a listing"
	}
	base := 0
	seed = "none leads to it: none has a prefix, include and exclude that let it in"
	if l := c.seedOf(key, u.Hostname()); l != nil {
		base, seed = l.Base(), "the bucket "+l.Connection
		if l.Prefix != "" {
			seed += ", prefix " + l.Prefix
		}
	}
	d := &c.cfg.Downloads
	name, err := d.Template().Of(u, base)
	if err != nil {
		return "none: " + err.Error(), seed
	}
	to := d.To
	if b := d.ToBucket(); b != "" {
		to = "the bucket " + b + ":"
	}
	return path.Join(to, name), seed
}

// tryObject shows what would become of an object, of which nothing but the header is
// fetched.
func (c *crawl) tryObject(cmd *cobra.Command, u urls.URL) error {
	said := cmd.ErrOrStderr()
	one := c.single(func(format string, args ...any) { fmt.Fprintf(said, format+"\n", args...) })
	length := int64(-1)
	var header http.Header
	page, err := one.fetch(cmd.Context(), one.request(u), crawler.FetchOptions{
		Raw: true,
		Receive: func(_ int, h http.Header, n int64, _ io.Reader) error {
			header, length = h, n
			return nil
		},
	})
	if err != nil {
		return &exitError{exitNothing, err}
	}
	if page.Response.Status/100 != 2 {
		return &exitError{exitNothing, fmt.Errorf("%w: status %d", errWithheld, page.Response.Status)}
	}
	place, seed := c.objectPlace(u)
	fmt.Fprintf(said, "%s: %s, %s", u.Redacted(), size(max(length, 0)), header.Get("Content-Type"))
	if modified := header.Get("Last-Modified"); modified != "" {
		fmt.Fprintf(said, ", of %s", modified)
	}
	fmt.Fprintf(said, "\nthe file would be %s\nseed: %s\n", place, seed)
	return nil
}

// isObject reports whether a URL is that of an object.
func isObject(u urls.URL) bool {
	_, ok := download.KeyOf(u)
	return ok
}
