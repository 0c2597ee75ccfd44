package saved

import (
	"bytes"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/amblecrawl/amble/cmd/cli"
	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/fetch"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Bounds of a search for pages to record.
const (
	maxSampled = 40   // requests
	maxWaiting = 2000 // links that are remembered
)

// recorder fetches pages and saves them with the records they give.
type recorder struct {
	crawl   *crawl.Crawl
	cmd     *cobra.Command
	folder  string
	saved   []*Page
	perType int

	one  *crawl.Single
	kept int // pages that were saved
	lost int // that could not be had
}

// record saves the pages of these URLs; without one those that are saved already,
// again; without these some that the seeds lead to.
func (r *recorder) record(args []string) error {
	r.one = r.crawl.Single(cli.Teller(r.cmd.ErrOrStderr()))
	var err error
	switch {
	case len(args) > 0:
		err = r.named(args)
	case len(r.saved) > 0:
		err = r.again()
	default:
		err = r.sample()
	}
	switch {
	case err != nil && r.cmd.Context().Err() != nil:
		return exit.Silent(exit.Interrupted)
	case err != nil:
		return err
	case r.lost > 0 || r.kept == 0:
		return exit.With(exit.Nothing, fmt.Errorf("%s saved, %d not", format.Plural(int64(r.kept), "page"), r.lost))
	}
	fmt.Fprintf(r.cmd.OutOrStdout(), "\n%s saved in %s; look at the records before you trust them\n", format.Plural(int64(r.kept), "page"), r.folder)
	return nil
}

func (r *recorder) named(args []string) error {
	for _, raw := range args {
		u, err := cli.ParseURL(raw)
		if err != nil {
			return err
		}
		if err := r.keepOrSay(r.one.Request(u), nil); err != nil {
			return err
		}
	}
	return nil
}

// again fetches the saved pages anew, by the way that led to them.
func (r *recorder) again() error {
	for _, s := range r.saved {
		url := s.URL
		if s.Requested != "" {
			url = s.Requested
		}
		u, err := urls.Parse(url)
		if err != nil {
			return exit.With(exit.Config, fmt.Errorf("%s: %w", s.Name, err))
		}
		if strings.Contains(url, "${") {
			r.lose(s.Name, errors.New("a part of its URL came from the environment: name the URL to record it again"))
			continue
		}
		request := r.one.Request(u)
		request.Types = s.Types
		if request.Carry, err = s.Carried.Fields(); err != nil {
			return exit.With(exit.Config, fmt.Errorf("%s: carried: %w", s.Name, err))
		}
		if err := r.keepOrSay(request, s); err != nil {
			return err
		}
	}
	return nil
}

func (r *recorder) lose(what string, err error) {
	r.lost++
	fmt.Fprintf(r.cmd.ErrOrStderr(), "not saved: %s: %v\n", what, exit.Message(r.crawl.Config, err))
}

// keepOrSay saves a page, in the place of another one, or says why it cannot be
// had.
func (r *recorder) keepOrSay(request *crawler.Request, old *Page) error {
	page, err := r.fetch(request, crawler.FetchOptions{Raw: true})
	if err != nil {
		if r.cmd.Context().Err() != nil {
			return err
		}
		r.lose(request.URL.Redacted(), err)
		return nil
	}
	return r.keep(page, old)
}

func (r *recorder) fetch(request *crawler.Request, opt crawler.FetchOptions) (*crawler.Page, error) {
	page, err := r.one.Fetch(r.cmd.Context(), request, opt)
	if err == nil && page.Response.Status/100 != 2 {
		err = fmt.Errorf("status %d", page.Response.Status)
	}
	return page, err
}

// keep saves a page that was fetched raw.
func (r *recorder) keep(page *crawler.Page, old *Page) error {
	s, err := r.save(page, old)
	if err != nil {
		return exit.With(exit.Failed, err)
	}
	r.kept++
	fmt.Fprintf(r.cmd.OutOrStdout(), "saved  %s  %s  %s\n", s.Name, s.URL, given(s.Records, s.Rejected))
	return nil
}

func (r *recorder) save(page *crawler.Page, old *Page) (*Page, error) {
	hide := r.crawl.Config.Veil().Hide
	resp := page.Response
	s := &Page{
		URL: hide(page.URL.Redacted()), FetchedAt: resp.FetchedAt.UTC().Truncate(time.Second), Headers: map[string]string{},
		Types: page.Request.Types, Bytes: bytes.Clone(resp.Body),
	}
	if origin := hide(page.Request.Origin()); origin != s.URL {
		s.Requested = origin
	}
	for _, name := range KeptHeaders {
		if value := resp.Header.Get(name); value != "" {
			s.Headers[name] = value
		}
	}
	if carry := page.Request.Carry; len(carry) > 0 {
		carried, err := NewRecord(&crawler.Record{Fields: carry})
		if err != nil {
			return nil, err
		}
		s.Carried = carried[1:] // without the type
	}
	switch {
	case old != nil:
		s.Name = old.Name
	default:
		s.Name = r.freeName(NameOf(page.URL), s.URL)
	}
	s.Body = s.Name + ending(resp.Header)
	var err error
	if s.Records, s.Rejected, err = give(r.cmd.Context(), s, r.crawl); err != nil {
		return nil, fmt.Errorf("%s: %w", s.URL, err)
	}
	if err := s.Save(r.folder, true); err != nil {
		return nil, err
	}
	if old == nil {
		r.saved = append(r.saved, s)
	}
	return s, nil
}

// freeName is a name that no page of another URL has.
func (r *recorder) freeName(name, url string) string {
	i := slices.IndexFunc(r.saved, func(o *Page) bool { return o.URL == url })
	if i >= 0 {
		return r.saved[i].Name
	}
	if slices.ContainsFunc(r.saved, func(o *Page) bool { return o.Name == name }) {
		return CheckedName(name, url)
	}
	return name
}

// ending is that of a body's file, by which editors and browsers know it.
func ending(h http.Header) string {
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	switch {
	case kind == "text/html", kind == "application/xhtml+xml", kind == "":
		return ".html"
	case strings.HasSuffix(kind, "json"):
		return ".json"
	case strings.HasSuffix(kind, "xml"):
		return ".xml"
	case kind == "text/csv":
		return ".csv"
	case kind == "application/pdf":
		return ".pdf"
	case strings.HasPrefix(kind, "text/"):
		return ".txt"
	}
	return ".bin"
}

// sample follows links from the seeds until each record type has its pages.
func (r *recorder) sample() error {
	q, err := r.seeds()
	if err != nil {
		return err
	}
	for range maxSampled {
		request := q.next()
		if request == nil {
			break
		}
		opt := crawler.FetchOptions{Raw: true}
		if request.Kind == crawler.KindSitemap {
			opt.MaxBody = 50 << 20
		}
		raw, err := r.fetch(request, opt)
		if err != nil {
			if r.cmd.Context().Err() != nil {
				return err
			}
			fmt.Fprintf(r.cmd.ErrOrStderr(), "passed over %s: %v\n", request.URL.Redacted(), exit.Message(r.crawl.Config, err))
			continue
		}
		if err := r.sampled(q, raw); err != nil {
			return err
		}
	}
	for _, name := range q.missing() {
		fmt.Fprintf(r.cmd.ErrOrStderr(), "no page with a record of type %s was found near the seeds: name one, amble test %s --record URL\n", name, r.crawl.Config.File)
	}
	return nil
}

// sampled reads a page for its links, and saves it where it has records of a type
// that pages are looked for of.
func (r *recorder) sampled(q *sampling, raw *crawler.Page) error {
	resp := raw.Response
	if raw.Request.Kind == crawler.KindPage {
		resp = fetch.Saved(raw.Response.Header, bytes.Clone(raw.Response.Body))
		resp.FetchedAt = raw.Response.FetchedAt
	}
	page := crawler.NewPage(raw.Request, resp)
	var found crawler.Result
	if err := r.crawl.Trusted().Run(r.cmd.Context(), page, &found); err != nil {
		fmt.Fprintf(r.cmd.ErrOrStderr(), "passed over %s: %v\n", page.URL.Redacted(), exit.Message(r.crawl.Config, err))
		return nil
	}
	q.add(page.Request, found.Links)
	if page.Request.Kind == crawler.KindPage && q.wants(&found) {
		return r.keep(raw, nil)
	}
	return nil
}

// sampling is what is left to look at.
type sampling struct {
	crawl   *crawl.Crawl
	perType int            // pages to find of each record type
	left    map[string]int // of these, those that are left to find
	chosen  map[string]func(urls.URL) bool
	waiting []*crawler.Request
	seen    map[urls.Key]bool
}

func (r *recorder) seeds() (*sampling, error) {
	q := &sampling{
		crawl: r.crawl, perType: r.perType, left: map[string]int{}, chosen: map[string]func(urls.URL) bool{}, seen: map[urls.Key]bool{},
	}
	for _, t := range r.crawl.Pipeline.Types() {
		q.left[t.Name] = r.perType
	}
	for i := range r.crawl.Config.Extract {
		rule := &r.crawl.Config.Extract[i]
		match, err := rule.Matches()
		if err != nil {
			return nil, exit.With(exit.Config, err)
		}
		if match != nil {
			q.chosen[rule.Type] = match
		}
	}
	for seed, err := range r.crawl.Config.EachSeed() {
		if err != nil {
			return nil, exit.With(exit.Config, err)
		}
		if len(q.waiting) == maxWaiting {
			break
		}
		if seed.Fault != nil || seed.Members != nil || !seed.Call.Plain() {
			continue // it makes no request, or more than a plain GET
		}
		request := r.one.Request(seed.URL)
		request.Carry, request.Types = seed.Carry, seed.Types
		request.Kind = seed.Kind
		q.push(request)
	}
	return q, nil
}

func (q *sampling) push(request *crawler.Request) {
	if len(q.waiting) < maxWaiting && !q.seen[request.Key] {
		q.seen[request.Key] = true
		q.waiting = append(q.waiting, request)
	}
}

// add takes up the links of a page that a run would follow, but for those that
// send more than a plain GET.
func (q *sampling) add(from *crawler.Request, links []crawler.Link) {
	depth := from.Depth + 1
	if from.Kind == crawler.KindSitemap {
		depth = 0
	}
	for _, l := range links {
		if l.Call != nil || l.Kind != crawler.KindSitemap && !q.crawl.Scope.Check(l.URL, int(depth)).In {
			continue
		}
		q.push(&crawler.Request{
			URL: l.URL.WithoutFragment(), Key: q.crawl.Canon.Key(l.URL), Kind: l.Kind, Depth: depth, Carry: l.Carry, Types: l.Types,
		})
	}
}

// next prefers a page that a link leads to, or a match chooses, for a type which is
// still looked for, then the one that was found first; nil when nothing is left to do.
func (q *sampling) next() *crawler.Request {
	if len(q.missing()) == 0 || len(q.waiting) == 0 {
		return nil
	}
	at := slices.IndexFunc(q.waiting, func(request *crawler.Request) bool {
		if slices.ContainsFunc(request.Types, func(name string) bool { return q.left[name] > 0 }) {
			return true
		}
		for name, match := range q.chosen {
			if q.left[name] > 0 && request.Kind == crawler.KindPage && match(request.URL) {
				return true
			}
		}
		return false
	})
	at = max(at, 0)
	request := q.waiting[at]
	q.waiting = slices.Delete(q.waiting, at, at+1)
	return request
}

// wants counts a page for the types whose records it has, and tells whether one of
// them was looked for.
func (q *sampling) wants(found *crawler.Result) (wanted bool) {
	types := map[string]bool{}
	for i := range found.Records {
		types[found.Records[i].Type] = true
	}
	for name := range types {
		wanted = wanted || q.left[name] > 0
		q.left[name]--
	}
	return wanted
}

// missing are the types that no page was found of.
func (q *sampling) missing() (names []string) {
	for name, n := range q.left {
		if n == q.perType {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}
