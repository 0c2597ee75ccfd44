package login

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// ErrRefused means that a login does not do what it should: what is sent, or how the
// answers are read, has to be changed.
var ErrRefused = errors.New("the login failed")

// maxHops bounds the redirects after one step.
const maxHops = 10

// run goes through the steps, and gives the header fields to send from then on.
func (s *Session) run(ctx context.Context) (http.Header, error) {
	page := blank()
	for i, step := range s.opt.Steps {
		request, err := next(ctx, page, step)
		if err == nil {
			page, err = s.follow(ctx, request)
		}
		if err != nil {
			return nil, fmt.Errorf("login, step %d: %w", i+1, err)
		}
	}
	values := page.Request.Carry
	if s.opt.Take != nil {
		var r crawler.Result
		if err := s.opt.Take.Extract(ctx, page, crawler.NewEmitter("login", page, &r)); err != nil {
			return nil, fmt.Errorf("%w: its last answer cannot be read: %w", ErrRefused, err)
		}
		if len(r.Records) > 0 {
			values = append(values, r.Records[0].Fields...)
		}
	}
	if err := s.judge(ctx, page); err != nil {
		return nil, err
	}
	return fill(s.opt.Fields, values)
}

// judge looks whether the last answer is that of somebody who is logged in.
func (s *Session) judge(ctx context.Context, page *crawler.Page) error {
	said := fmt.Sprintf("status %d from %s", page.Response.Status, page.URL.Redacted())
	switch {
	case !s.opt.Expect.Empty():
		if !s.opt.Expect.seen(ctx, page) {
			return fmt.Errorf("%w: the last answer does not show what login.expect asks for (%s); check user and password", ErrRefused, said)
		}
	case page.Response.Status >= 400:
		return fmt.Errorf("%w: %s; check user and password", ErrRefused, said)
	case s.opt.Again.seen(ctx, page):
		return fmt.Errorf("%w: the last answer shows that nobody is logged in (%s); check user and password", ErrRefused, said)
	}
	return nil
}

// blank is the page before the first step.
func blank() *crawler.Page {
	return crawler.NewPage(&crawler.Request{}, &crawler.Response{Status: http.StatusOK, Header: http.Header{}, MediaType: "text/html"})
}

// next finds a step's request on the page before it.
func next(ctx context.Context, page *crawler.Page, step crawler.LinkFinder) (*crawler.Request, error) {
	var r crawler.Result
	var ref *crawler.Reference
	err := step.Find(ctx, page, crawler.NewEmitter("login", page, &r), func(f crawler.Reference) bool {
		ref = &f
		return false
	})
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: the page before it cannot be read: %w", ErrRefused, err)
	case ref == nil && len(r.Errors) > 0:
		return nil, fmt.Errorf("%w: %w", ErrRefused, r.Errors[0].Err)
	case ref == nil:
		return nil, fmt.Errorf("%w: what it looks for is not on the page before it (status %d from %s)", ErrRefused, page.Response.Status, page.URL.Redacted())
	}
	target, err := resolve(page, ref.Ref)
	if err != nil || !target.IsHTTP() {
		return nil, fmt.Errorf("%w: it leads to no address of the web", ErrRefused)
	}
	if err := ref.Call.Check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrRefused, err)
	}
	carry := append(page.Request.Carry[:len(page.Request.Carry):len(page.Request.Carry)], ref.Carry...)
	if crawler.SizeOfFields(carry) > crawler.MaxCarried {
		return nil, fmt.Errorf("%w: the values that the steps carry take more than %d KiB", ErrRefused, crawler.MaxCarried>>10)
	}
	return &crawler.Request{URL: target.WithoutFragment(), Call: ref.Call, Carry: carry}, nil
}

func resolve(page *crawler.Page, ref string) (urls.URL, error) {
	if page.URL.IsZero() {
		return urls.Parse(ref)
	}
	base := page.URL
	if page.IsHTML() {
		if doc, err := page.Document(); err == nil {
			if href, ok := doc.Find("base[href]").First().Attr("href"); ok {
				base = urls.BaseOf(base, href)
			}
		}
	}
	return base.Resolve(ref)
}

// follow sends a request and goes where its answers lead.
func (s *Session) follow(ctx context.Context, request *crawler.Request) (*crawler.Page, error) {
	for range maxHops {
		resp, err := s.opt.Send(ctx, request)
		if err != nil {
			return nil, err
		}
		if resp.Status >= 500 || resp.Status == http.StatusTooManyRequests {
			return nil, &crawler.FetchError{Class: crawler.ClassHTTP5xx, Temporary: true, Err: fmt.Errorf("status %d from %s", resp.Status, request.URL.Redacted())}
		}
		page := crawler.NewPage(request, resp)
		if resp.Status/100 != 3 || resp.Location.IsZero() {
			return page, nil
		}
		target := resp.Location.WithoutFragment()
		same := target.Origin() == request.URL.Origin()
		call := request.Call.After(resp.Status, same)
		if !same && call != nil && call.Body != "" {
			return nil, fmt.Errorf("%w: %s sends what the login holds on to %s, to which it is not given", ErrRefused, request.URL.Redacted(), target.Origin())
		}
		request = &crawler.Request{URL: target, Call: call, Carry: request.Carry}
	}
	return nil, fmt.Errorf("%w: more than %d redirects, the last to %s", ErrRefused, maxHops, request.URL.Redacted())
}

// Field is a header field to send, with {{name}} for values that the login gave.
type Field struct{ Name, Value string }

// fill puts values into header fields.
func fill(fields []Field, values []crawler.Field) (http.Header, error) {
	h := make(http.Header, len(fields))
	for _, f := range fields {
		var out strings.Builder
		rest := f.Value
		for {
			before, after, found := strings.Cut(rest, "{{")
			out.WriteString(before)
			if !found {
				break
			}
			name, more, closed := strings.Cut(after, "}}")
			if !closed {
				return nil, fmt.Errorf("%w: login.send.%s: {{ without its }}", ErrRefused, f.Name)
			}
			text, ok := text(values, strings.TrimSpace(name))
			if !ok {
				return nil, fmt.Errorf("%w: login.send.%s: its answers hold no %s", ErrRefused, f.Name, strings.TrimSpace(name))
			}
			out.WriteString(text)
			rest = more
		}
		if !httpguts.ValidHeaderFieldValue(out.String()) {
			return nil, fmt.Errorf("%w: login.send.%s: what its answers hold cannot stand in a header field", ErrRefused, f.Name)
		}
		h.Set(f.Name, out.String())
	}
	return h, nil
}

// text is the latest value of a name.
func text(values []crawler.Field, name string) (string, bool) {
	for i := len(values) - 1; i >= 0; i-- {
		if v := values[i]; v.Name == name && v.Value != nil {
			switch v := v.Value.(type) {
			case string:
				return v, v != ""
			case int64, float64, bool:
				return fmt.Sprint(v), true
			}
			return "", false
		}
	}
	return "", false
}
