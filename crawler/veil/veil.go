// Package veil keeps what a config got from the environment, such as keys in the URLs of
// seeds, out of a crawl's state and records: the state holds it sealed, and records name
// the variable in its place.
package veil

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"slices"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Key is where a state keeps the mark of the values that are sealed in its URLs.
const Key = "veil"

// Veil knows the values. It is safe for concurrent use.
type Veil interface {
	// Empty reports that there are none.
	Empty() bool
	// Hide names their variables in a text that people read.
	Hide(text string) string
	// Seal writes marks of their variables into a URL or a text that is sent, and Unseal
	// the values in their place.
	Seal(text, mark string) string
	Unseal(text, mark string) string
}

// sealedFrontier keeps what the environment gave out of the state: URLs are
// sealed on their way in and filled in, with the values of this process, on
// their way out.
type sealedFrontier struct {
	crawler.Frontier
	veil Veil
	mark string
}

// Frontier puts a sealing frontier before f where there is something to seal.
func Frontier(ctx context.Context, f crawler.Frontier, v Veil) (crawler.Frontier, error) {
	if v.Empty() {
		return f, nil
	}
	mark, err := f.Get(Key)
	if err != nil {
		return nil, err
	}
	if len(mark) == 0 {
		var random [8]byte
		_, _ = rand.Read(random[:]) // never fails
		mark = hex.AppendEncode(nil, random[:])
		if _, err := f.Commit(ctx, &crawler.Batch{Put: map[string][]byte{Key: mark}}); err != nil {
			return nil, err
		}
	}
	return &sealedFrontier{f, v, string(mark)}, nil
}

// Lease implements crawler.Frontier.
func (s *sealedFrontier) Lease(ctx context.Context, n int) ([]crawler.Lease, error) {
	leases, err := s.Frontier.Lease(ctx, n)
	for i := range leases {
		respellRequest(&leases[i].Request, s.unseal)
	}
	return leases, err
}

// Commit implements crawler.Frontier.
func (s *sealedFrontier) Commit(ctx context.Context, b *crawler.Batch) (crawler.CommitResult, error) {
	sealed := *b
	sealed.Found = slices.Clone(b.Found)
	for i := range sealed.Found {
		respellRequest(&sealed.Found[i], s.seal)
	}
	sealed.Outcomes = slices.Clone(b.Outcomes)
	for i := range sealed.Outcomes {
		o := &sealed.Outcomes[i]
		o.Detail = s.veil.Hide(o.Detail)
	}
	sealed.Known = slices.Clone(b.Known)
	for i := range sealed.Known {
		k := &sealed.Known[i]
		respellRequest(&k.Request, s.seal)
		k.Contents = respellContents(k.Contents, s.seal)
	}
	return s.Frontier.Commit(ctx, &sealed)
}

// Recall implements crawler.Past.
func (s *sealedFrontier) Recall(key urls.Key) (*crawler.Known, error) {
	k, err := s.Frontier.Recall(key)
	if k != nil {
		respellRequest(&k.Request, s.unseal)
	}
	return k, err
}

// Contents implements crawler.Past.
func (s *sealedFrontier) Contents(key urls.Key, links crawler.Links) (*crawler.Contents, error) {
	c, err := s.Frontier.Contents(key, links)
	return respellContents(c, s.unseal), err
}

// EachKnown implements crawler.Past.
func (s *sealedFrontier) EachKnown(after urls.Key, f func(*crawler.Known) (bool, error)) error {
	return s.Frontier.EachKnown(after, func(k *crawler.Known) (bool, error) {
		respellRequest(&k.Request, s.unseal)
		return f(k)
	})
}

func respellRequest(r *crawler.Request, spell func(string) string) {
	r.URL, r.Requested = respell(r.URL, spell), spell(r.Requested)
	respellGiven(r, spell)
}

// respellContents spells the links; records hold nothing that is sealed.
func respellContents(c *crawler.Contents, spell func(string) string) *crawler.Contents {
	if c == nil {
		return nil
	}
	again := *c
	again.Links = slices.Clone(c.Links)
	for i := range again.Links {
		respellRequest(&again.Links[i], spell)
	}
	return &again
}

func (s *sealedFrontier) seal(href string) string   { return s.veil.Seal(href, s.mark) }
func (s *sealedFrontier) unseal(href string) string { return s.veil.Unseal(href, s.mark) }

// respellGiven changes how texts are written that a request sends and carries. What
// it shares with other requests stays as it is.
func respellGiven(r *crawler.Request, spell func(string) string) {
	if c := r.Call; c != nil {
		again := *c
		again.Body, again.Header = spell(c.Body), c.Header.Clone()
		for _, list := range again.Header {
			for i := range list {
				list[i] = spell(list[i])
			}
		}
		r.Call = &again
	}
	r.Carry = respellFields(r.Carry, spell)
}

func respellFields(fields []crawler.Field, spell func(string) string) []crawler.Field {
	fields = slices.Clone(fields)
	for i := range fields {
		fields[i].Value = respellValue(fields[i].Value, spell)
	}
	return fields
}

func respellValue(v any, spell func(string) string) any {
	switch v := v.(type) {
	case string:
		return spell(v)
	case json.RawMessage:
		return json.RawMessage(spell(string(v)))
	case []crawler.Field:
		return respellFields(v, spell)
	case []any:
		list := slices.Clone(v)
		for i := range list {
			list[i] = respellValue(list[i], spell)
		}
		return list
	}
	return v
}

// respell changes how a URL is written, behind its host. One that is no URL any
// more, having become too long, stays as it was.
func respell(u urls.URL, spell func(string) string) urls.URL {
	href, host := u.Fetch(), u.Origin()
	if changed := host + spell(href[len(host):]); changed != href {
		if again, err := urls.Parse(changed); err == nil {
			return again
		}
	}
	return u
}

// veiledPipeline keeps the values out of the records' provenance.
type veiledPipeline struct {
	crawler.Pipeline
	veil Veil
}

// Pipeline puts a pipeline before p that hides the values in the provenance of records,
// where there are any.
func Pipeline(p crawler.Pipeline, v Veil) crawler.Pipeline {
	if v.Empty() {
		return p
	}
	return veiledPipeline{p, v}
}

// Run implements crawler.Pipeline.
func (p veiledPipeline) Run(ctx context.Context, page *crawler.Page, r *crawler.Result) error {
	err := p.Pipeline.Run(ctx, page, r)
	for i := range r.Records {
		r.Records[i].URL, r.Records[i].Requested = p.veil.Hide(r.Records[i].URL), p.veil.Hide(r.Records[i].Requested)
	}
	for i := range r.Rejects {
		r.Rejects[i].URL, r.Rejects[i].Requested = p.veil.Hide(r.Rejects[i].URL), p.veil.Hide(r.Rejects[i].Requested)
	}
	for i := range r.Errors {
		r.Errors[i].URL = p.veil.Hide(r.Errors[i].URL)
	}
	return err
}
