package crawl

import (
	"path"

	"github.com/amblecrawl/amble/crawler/download"
	"github.com/amblecrawl/amble/crawler/urls"
)

// seedOf is the listing that leads to an object; nil where none does.
func (c *Crawl) seedOf(key string, connection string) *download.Listing {
	for _, l := range c.Config.Listings() {
		if l.Connection == connection && l.Covers(key) {
			return &l
		}
	}
	return nil
}

// ObjectPlace tells where an object's file would go, and whether a seed leads to it.
func (c *Crawl) ObjectPlace(u urls.URL) (place, seed string) {
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
	d := &c.Config.Downloads
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

// IsObject reports whether a URL is that of an object.
func IsObject(u urls.URL) bool {
	_, ok := download.KeyOf(u)
	return ok
}
