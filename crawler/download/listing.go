package download

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Listing is a page of a bucket's objects, as a request names it.
type Listing struct {
	Connection string
	Prefix     string
	After      string
	// Include and Exclude are path globs on what follows the prefix's last slash: an
	// object has to match one of the first, if there are any, and none of the second.
	Include, Exclude []string
}

// The parameters of a listing's URL. A listing always has the first.
const (
	listParam    = "list"
	afterParam   = "after"
	includeParam = "include"
	excludeParam = "exclude"
)

// URL is the one URL of the listing.
func (l *Listing) URL() (urls.URL, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s://%s/?%s=%s", Scheme, l.Connection, listParam, escape(l.Prefix))
	for _, v := range l.Include {
		fmt.Fprintf(&b, "&%s=%s", includeParam, escape(v))
	}
	for _, v := range l.Exclude {
		fmt.Fprintf(&b, "&%s=%s", excludeParam, escape(v))
	}
	if l.After != "" {
		fmt.Fprintf(&b, "&%s=%s", afterParam, escape(l.After))
	}
	return urls.Parse(b.String())
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// errListing is a URL that stands for nothing.
var errListing = errors.New("not the URL of an object or a listing")

// ReadListing finds the listing that a URL stands for; ok is false for an object's.
func ReadListing(u *url.URL) (l *Listing, ok bool, err error) {
	if u.RawQuery == "" {
		return nil, false, nil
	}
	values, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, false, errListing
	}
	if !values.Has(listParam) {
		return nil, false, nil
	}
	return &Listing{
		Connection: u.Host, Prefix: values.Get(listParam), After: values.Get(afterParam),
		Include: values[includeParam], Exclude: values[excludeParam],
	}, true, nil
}

// Base is how much of a key is not part of what globs and names look at.
func (l *Listing) Base() int { return strings.LastIndexByte(l.Prefix, '/') + 1 }

// CheckGlob reports a glob that cannot be used.
func CheckGlob(pattern string) error {
	_, err := compileGlob(pattern)
	return err
}

func compileGlob(pattern string) (urls.Glob, error) {
	if !strings.HasPrefix(pattern, "/") && !strings.HasPrefix(pattern, "**") {
		pattern = "/" + pattern
	}
	return urls.NewGlob(pattern)
}

// Covers reports whether the listing leads to an object.
func (l *Listing) Covers(key string) bool {
	keep, err := l.Filter()
	return err == nil && strings.HasPrefix(key, l.Prefix) && keep(key)
}

// Filter makes the test of a listing's globs.
func (l *Listing) Filter() (func(key string) bool, error) {
	var include, exclude []urls.Glob
	for _, list := range []struct {
		patterns []string
		globs    *[]urls.Glob
	}{{l.Include, &include}, {l.Exclude, &exclude}} {
		for _, p := range list.patterns {
			g, err := compileGlob(p)
			if err != nil {
				return nil, err
			}
			*list.globs = append(*list.globs, g)
		}
	}
	base := l.Base()
	return func(key string) bool {
		u, err := ObjectURL("x", key[min(base, len(key)):])
		if err != nil {
			return false
		}
		matches := func(globs []urls.Glob) bool {
			for _, g := range globs {
				if g.Match(u) {
					return true
				}
			}
			return false
		}
		return (len(include) == 0 || matches(include)) && !matches(exclude)
	}, nil
}

// ListingType is the media type of a listing's answer: a line of JSON for each object,
// and one that tells the whole from what broke off.
const ListingType = "application/x-amble-listing"

// line is a line of an answer.
type line struct {
	Key      string    `json:"key,omitempty"`
	Size     int64     `json:"size,omitempty"`
	ETag     string    `json:"etag,omitempty"`
	Modified time.Time `json:"modified,omitzero"`
	End      bool      `json:"end,omitempty"`
	Next     string    `json:"next,omitempty"`
}

// Answer writes the answer of a listing. Folders, which some programs write as objects
// with a slash at the end, are left out.
func (l *Listing) Answer(page bucket.Page) ([]byte, error) {
	keep, err := l.Filter()
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	for _, o := range page.Objects {
		if strings.HasSuffix(o.Key, "/") || !keep(o.Key) {
			continue
		}
		if err := out.Encode(line{Key: o.Key, Size: o.Size, ETag: o.ETag, Modified: o.Modified}); err != nil {
			return nil, err
		}
	}
	if err := out.Encode(line{End: true, Next: page.Next}); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// Objects reads the answers of listings: a link to each object, and one to the next page.
type Objects struct{}

var (
	_ crawler.Extractor  = Objects{}
	_ crawler.TreeReader = Objects{}
)

// NeedsTree is false.
func (Objects) NeedsTree() bool { return false }

// FieldNames are those of the manifest, whose records come with the files.
func (Objects) FieldNames() []string { return ManifestFields }

var errAnswer = errors.New("not the answer of a listing")

// Extract implements crawler.Extractor.
func (Objects) Extract(_ context.Context, p *crawler.Page, e *crawler.Emitter) error {
	at, err := url.Parse(p.URL.String())
	if err != nil {
		return errListing
	}
	l, ok, err := ReadListing(at)
	if err != nil || !ok {
		return errors.Join(errListing, err)
	}
	// The next page stands first, to be asked for before this one's objects: requests leave
	// in the order in which they are found, and at the end of a page nobody has to wait.
	objects, err := l.next(p.Response.Body, e)
	if err != nil {
		return err
	}
	for text := range bytes.Lines(objects) {
		var o line
		if err := json.Unmarshal(text, &o); err != nil {
			return fmt.Errorf("%w: %w", errAnswer, err)
		}
		u, err := ObjectURL(l.Connection, o.Key)
		if err != nil {
			e.FieldError("key", o.Key, false, err)
			continue
		}
		e.Link(crawler.Link{URL: u, Kind: crawler.KindFile, Priority: ofObjects, Carry: []crawler.Field{
			Listed(bucket.Attributes{Size: o.Size, ETag: o.ETag, Modified: o.Modified}, l.Base()),
		}})
	}
	return nil
}

// next links to the page that the last line of an answer names, if it does, and gives the
// lines before.
func (l *Listing) next(answer []byte, e *crawler.Emitter) (objects []byte, err error) {
	last := bytes.LastIndexByte(bytes.TrimSuffix(answer, []byte("\n")), '\n') + 1
	var end line
	if err := json.Unmarshal(answer[last:], &end); err != nil || !end.End {
		return nil, fmt.Errorf("%w: it has no end", errAnswer)
	}
	if end.Next == "" {
		return answer[:last], nil
	}
	following := *l
	following.After = end.Next
	u, err := following.URL()
	if err != nil {
		return nil, err
	}
	e.Link(crawler.Link{URL: u, Priority: ofObjects})
	return answer[:last], nil
}
