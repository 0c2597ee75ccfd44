package auth

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/amblecrawl/amble/crawler/urls"
)

// Credentials are those of one host; one kind of them is set.
type Credentials struct {
	Bearer         string
	User, Password string // for Basic (RFC 7617)
	Key            string // sent in Header or as the parameter Query
	Header, Query  string
	OAuth2         *OAuth2
}

// Options shape a Transport.
type Options struct {
	// Hosts are by "host:port", as URLs spell them.
	Hosts map[string]Credentials
	// UserAgent is that of requests for tokens.
	UserAgent string
	// Timeout bounds a request for a token; 0 is 30 seconds.
	Timeout time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	// Log is told when no token can be had; nil for nobody.
	Log *slog.Logger
}

// ErrCredentials means that credentials cannot be used as they are.
var ErrCredentials = errors.New("bad credentials")

// Auth has the credentials of hosts. It is safe for concurrent use.
type Auth struct {
	opt   Options
	hosts map[string]signer // of the transport

	answers atomic.Int64 // that came through it
}

// New checks credentials. Errors wrap ErrCredentials and name the host.
func New(o Options) (*Auth, error) {
	if o.Timeout <= 0 {
		o.Timeout = 30 * time.Second
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	for host, c := range o.Hosts {
		if _, err := c.signer(nil, &o); err != nil {
			return nil, fmt.Errorf("%w of %s: %w", ErrCredentials, host, err)
		}
	}
	return &Auth{opt: o}, nil
}

// Wrap makes the transport that adds credentials to what it hands on to next. It is
// called once, before anything is sent.
func (a *Auth) Wrap(next http.RoundTripper) http.RoundTripper {
	if len(a.opt.Hosts) == 0 {
		return next
	}
	a.hosts = make(map[string]signer, len(a.opt.Hosts))
	for host, c := range a.opt.Hosts {
		s, _ := c.signer(next, &a.opt) // New has seen that it can
		if c, ok := s.(*client); ok {
			c.never.answers = &a.answers
		}
		a.hosts[host] = s
	}
	return &transport{next: next, hosts: a.hosts, answers: &a.answers}
}

// Waits is until when a host is to be left alone since it has no good token, and why;
// zero where it need not be.
func (a *Auth) Waits(u urls.URL) (until time.Time, why string) {
	if len(a.hosts) == 0 {
		return time.Time{}, ""
	}
	if c, ok := signerOf(a.hosts, u.Scheme(), strings.Trim(u.Hostname(), "[]"), u.Port()).(*client); ok {
		return c.waits()
	}
	return time.Time{}, ""
}

// signer adds credentials to a request, which is a copy of its own.
type signer interface {
	sign(r *http.Request) error
	// answered looks at the answer to a request that it has signed, nil where there was
	// none.
	answered(signed *http.Request, resp *http.Response)
}

type transport struct {
	next    http.RoundTripper
	hosts   map[string]signer
	answers *atomic.Int64
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	s := signerOf(t.hosts, r.URL.Scheme, strings.ToLower(r.URL.Hostname()), r.URL.Port())
	if s == nil {
		resp, err := t.next.RoundTrip(r)
		t.answered(resp)
		return resp, err
	}
	signed := r.Clone(r.Context())
	if err := s.sign(signed); err != nil {
		if r.Body != nil {
			_ = r.Body.Close() // as a RoundTripper must
		}
		return nil, err
	}
	resp, err := t.next.RoundTrip(signed)
	s.answered(signed, resp)
	t.answered(resp)
	if resp != nil {
		resp.Request = r
	}
	return resp, err
}

func (t *transport) answered(resp *http.Response) {
	if resp != nil {
		t.answers.Add(1)
	}
}

// signerOf are the credentials for a host, nil without any.
func signerOf(hosts map[string]signer, scheme, host, port string) signer {
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[scheme]
	}
	return hosts[net.JoinHostPort(host, port)]
}

func (c *Credentials) signer(next http.RoundTripper, o *Options) (signer, error) {
	switch {
	case c.OAuth2 != nil:
		return newClient(c.OAuth2, next, o)
	case c.Bearer != "":
		return header{"Authorization", "Bearer " + c.Bearer}.checked()
	case c.User != "":
		r := http.Request{Header: http.Header{}}
		r.SetBasicAuth(c.User, c.Password)
		return header{"Authorization", r.Header.Get("Authorization")}, nil
	case c.Key != "" && c.Header != "":
		return header{c.Header, c.Key}.checked()
	case c.Key != "" && c.Query != "":
		return query{c.Query, c.Key}, nil
	}
	return nil, errors.New("they are empty")
}

// header is a field that is always the same.
type header struct{ name, value string }

func (h header) checked() (signer, error) {
	if !httpguts.ValidHeaderFieldName(h.name) || !httpguts.ValidHeaderFieldValue(h.value) {
		return nil, errors.New("they hold what no header field may hold, such as a line break")
	}
	return h, nil
}

func (h header) sign(r *http.Request) error {
	r.Header.Set(h.name, h.value)
	return nil
}

func (header) answered(*http.Request, *http.Response) {}

// query is a parameter that is always the same.
type query struct{ name, value string }

func (q query) sign(r *http.Request) error {
	pair := url.QueryEscape(q.name) + "=" + url.QueryEscape(q.value)
	if r.URL.Opaque != "" { // a spelling that net/url cannot hold, its query included
		address, raw, _ := strings.Cut(r.URL.Opaque, "?")
		if raw = q.without(raw); raw != "" {
			pair = raw + "&" + pair
		}
		r.URL.Opaque = address + "?" + pair
		return nil
	}
	if rest := q.without(r.URL.RawQuery); rest != "" {
		pair = rest + "&" + pair
	}
	r.URL.RawQuery = pair
	return nil
}

// without is a query but for the parameter, the others as they are.
func (q query) without(raw string) string {
	var kept []string
	for pair := range strings.SplitSeq(raw, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if plain, err := url.QueryUnescape(name); pair != "" && (err != nil || plain != q.name) {
			kept = append(kept, pair)
		}
	}
	return strings.Join(kept, "&")
}

// answered keeps the key out of where a redirect leads to.
func (q query) answered(_ *http.Request, resp *http.Response) {
	if resp == nil {
		return
	}
	for _, name := range []string{"Location", "Refresh", "Link", "Content-Location"} {
		for i, value := range resp.Header[name] {
			address, rest, found := strings.Cut(value, "?")
			if !found || name != "Location" {
				resp.Header[name][i] = q.cut(value)
				continue
			}
			raw, fragment, hasFragment := strings.Cut(rest, "#")
			if raw = q.without(raw); raw != "" {
				address += "?" + raw
			}
			if hasFragment {
				address += "#" + fragment
			}
			resp.Header[name][i] = address
		}
	}
}

// cut takes the key out of a text, as it stands and as it stands in URLs.
func (q query) cut(text string) string {
	for _, form := range []string{url.QueryEscape(q.value), url.PathEscape(q.value), q.value} {
		text = strings.ReplaceAll(text, form, "")
	}
	return text
}
