package crawler_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// web is a small web in memory: a fetcher, a pipeline and a politeness that
// count what they are asked, so that the engine stands alone in its tests.
// A page's text is "link" or "record" and a word, one a line.
type web struct {
	mu      sync.Mutex
	pages   map[string]string                                 // URL to text
	answers map[string]func(n int) (*crawler.Response, error) // the nth answer, from 1
	fetches map[string]int
	before  func(ctx context.Context, url string) // called before each answer

	// made gives the text of pages that are not in pages.
	made func(u urls.URL) (text string, ok bool)

	now func() time.Time // nil: the system's clock
	// conditional has pages carry an ETag, and answers conditional requests by it.
	conditional bool

	carried []string // what the line "carried" found, where one worker reads

	extracting func()                          // called for each page
	read       func(p *crawler.Page)           // called for each page too
	reading    func(ctx context.Context) error // called where a page has the line "read"
}

func newWeb() *web {
	return &web{
		pages: map[string]string{}, answers: map[string]func(int) (*crawler.Response, error){},
		fetches: map[string]int{},
	}
}

// site adds n pages /0 to /n-1 on a host; page i links to 2i+1 and 2i+2 and
// gives one record.
func (w *web) site(host string, n int) {
	for i := range n {
		w.pages[fmt.Sprintf("%s/%d", host, i)] = fmt.Sprintf("record %d\nlink /%d\nlink /%d", i, 2*i+1, 2*i+2)
	}
}

func (w *web) Fetch(ctx context.Context, u urls.URL, opt crawler.FetchOptions) (*crawler.Response, error) {
	url := u.Fetch()
	if opt.Method != "" || opt.Body != "" { // a page of its own
		url = opt.Method + " " + url + " " + opt.Body
	}
	w.mu.Lock()
	w.fetches[url]++
	n := w.fetches[url]
	answer, text, known, before := w.answers[url], w.pages[url], false, w.before
	_, known = w.pages[url]
	w.mu.Unlock()
	if w.made != nil && !known {
		text, known = w.made(u)
	}
	if before != nil {
		before(ctx, url)
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	switch {
	case answer != nil:
		return answer(n)
	case !known:
		return &crawler.Response{Status: 404, Header: http.Header{}}, nil
	}
	resp := &crawler.Response{Status: 200, Header: http.Header{}, Body: []byte(text), Wire: int64(len(text)), FetchedAt: time.Now()}
	if w.now != nil {
		resp.FetchedAt = w.now()
	}
	if w.conditional {
		tag := fmt.Sprintf(`W/"%x"`, sha256.Sum256(resp.Body))
		if opt.Header.Get("If-None-Match") == tag {
			resp.Status, resp.Body, resp.Wire = 304, nil, 0
		}
		resp.Header.Set("Etag", tag)
	}
	return resp, nil
}

func (w *web) times(url string) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.fetches[url]
}

func (w *web) Types() []crawler.RecordType {
	return []crawler.RecordType{{Name: "item", Fields: []string{"word"}}}
}

func (w *web) Run(ctx context.Context, p *crawler.Page, r *crawler.Result) error {
	n := 0
	r.Matched = []string{"item"}
	if w.read != nil {
		w.read(p)
	}
	if w.extracting != nil {
		w.extracting()
	}
	for line := range strings.Lines(string(p.Response.Body)) {
		what, word, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch what {
		case "link":
			if u, err := p.URL.Resolve(word); err == nil {
				r.Links = append(r.Links, crawler.Link{URL: u})
			}
		case "more": // the next page of a list
			if u, err := p.URL.Resolve(word); err == nil {
				r.Links = append(r.Links, crawler.Link{URL: u, Carry: p.Request.Carry, Types: p.Request.Types, Row: p.Request.Row})
			}
		case "post", "repost": // a path and a body
			path, body, _ := strings.Cut(word, " ")
			if u, err := p.URL.Resolve(path); err == nil {
				r.Links = append(r.Links, crawler.Link{
					URL: u, Call: &crawler.Call{Method: "POST", Body: body, Repeat: what == "repost"},
					Carry: []crawler.Field{{Name: "from", Value: p.URL.Path()}}, Types: []string{"posted"},
				})
			}
		case "carried": // a record of what was carried here
			for _, f := range p.Request.Carry {
				w.carried = append(w.carried, fmt.Sprintf("%s %s: %s=%v %v", p.Request.Method(), p.URL.Path(), f.Name, f.Value, p.Request.Types))
			}
		case "record":
			r.Records = append(r.Records, crawler.Record{
				Type: "item", URL: p.URL.Fetch(), Fields: []crawler.Field{{Name: "word", Value: word}},
				Key: crawler.RecordKey("item", p.Request.Identity(), n),
			})
			n++
		case "reject":
			r.Rejects = append(r.Rejects, crawler.Reject{
				Record: crawler.Record{
					Type: "item", URL: p.URL.Fetch(), Fields: []crawler.Field{{Name: "word", Value: word}},
					Key: crawler.RejectKey("item", p.Request.Key, 0),
				},
				Problems: []crawler.Problem{{Field: "word", Err: errors.New("not a good word")}},
			})
		case "read":
			if err := w.reading(ctx); err != nil {
				return err
			}
		case "flood": // many links, each far longer than the word
			for i := range 10_000 {
				if u, err := p.URL.Resolve(fmt.Sprintf("/%s/%d", strings.Repeat("x", 2000), i)); err == nil {
					r.Links = append(r.Links, crawler.Link{URL: u})
				}
			}
		case "fail":
			return errors.New(word)
		case "panic":
			panic(word)
		}
	}
	return nil
}

func redirectTo(target string) func(int) (*crawler.Response, error) {
	return func(int) (*crawler.Response, error) {
		u, err := urls.Parse(target)
		return &crawler.Response{Status: 302, Header: http.Header{}, Location: u}, err
	}
}

func status(code int) *crawler.Response {
	return &crawler.Response{Status: code, Header: http.Header{}}
}

// free lets everything go at once.
type free struct{}

func (free) Decide(*crawler.Request) crawler.Verdict {
	return crawler.Verdict{Action: crawler.Go, Grant: freeGrant{}}
}

type freeGrant struct{}

var freeState = crawler.HostState{Concurrency: 8}

func (freeGrant) Context(ctx context.Context) context.Context     { return ctx }
func (freeGrant) Done(*crawler.Response, error) crawler.HostState { return freeState }
func (freeGrant) Entry() crawler.Entry                            { return crawler.Entry{} }
func (freeGrant) Elsewhere() (string, crawler.HostState)          { return "", crawler.HostState{} }
func (freeGrant) Cancel() crawler.HostState                       { return freeState }

// memorySink is a sink with the exactly-once contract and a file of strings.
type memorySink struct {
	mu      sync.Mutex
	lines   []string
	records []crawler.Record // those of lines
	written []crawler.Record // also those that a position took back
	opens   int
	fail    func(written int) error
	blocked chan struct{} // when set, Write waits for it to be closed
}

func (s *memorySink) Open(_ context.Context, _ crawler.RunInfo, position []byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.opens++
	n := 0
	if position != nil {
		if _, err := fmt.Sscan(string(position), &n); err != nil {
			return err
		}
	}
	if n > len(s.lines) {
		return fmt.Errorf("the output holds %d lines, not %d", len(s.lines), n)
	}
	s.lines, s.records = s.lines[:n], s.records[:min(n, len(s.records))]
	return nil
}

func (s *memorySink) Write(ctx context.Context, records []crawler.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.blocked != nil {
		select {
		case <-s.blocked:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	s.written, s.records = append(s.written, records...), append(s.records, records...)
	for i := range records {
		s.lines = append(s.lines, records[i].Key)
	}
	if s.fail != nil {
		return s.fail(len(s.lines))
	}
	return nil
}

func (s *memorySink) Flush(context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return []byte(fmt.Sprint(len(s.lines))), nil
}

func (s *memorySink) Places() []string { return []string{"memory"} }
func (s *memorySink) Close() error     { return nil }

func (s *memorySink) keys() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	keys := map[string]int{}
	for _, line := range s.lines {
		keys[line]++
	}
	return keys
}
