package fetch

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/amblecrawl/amble/crawler/urls"
)

// exchange is what the links of the chain know of one request. It travels in
// the request's context; one goroutine at a time touches it, but for the flags.
type exchange struct {
	url      *url.URL
	maxBody  int64
	truncate bool
	stop     context.CancelFunc // ends the exchange at once
	idle     time.Duration      // of the body
	elements func([]byte) int   // of the body; nil: by its type
	// receive takes the body instead of the memory: FetchOptions.Receive.
	receive func(status int, header http.Header, length int64, body io.Reader) error

	status int
	header http.Header
	wire   int64
	media  string // that the header declares
	body   *arrival

	stalled  atomic.Bool // the body was silent for too long
	replayed atomic.Bool // the transport was about to send the request twice
}

// receives reports whether a body of the response goes to receive, as it comes.
func (x *exchange) receives(resp *http.Response) bool {
	return x.receive != nil && (resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent)
}

type exchangeKey struct{}

// exchangeOf finds the exchange of a request. There is none only when
// somebody else uses the chain above the guard, which nobody can: it is not exported.
func exchangeOf(req *http.Request) *exchange {
	return req.Context().Value(exchangeKey{}).(*exchange)
}

// exactURL gives net/http the URL as the server is to see it. Where net/url
// cannot hold the spelling (a lone "%", say), it goes opaque: String and
// RequestURI then give back exactly what the WHATWG form says.
func exactURL(u urls.URL) *url.URL {
	spelling := u.Fetch()
	if p, err := url.Parse(spelling); err == nil && p.String() == spelling {
		return p
	}
	scheme, rest, _ := strings.Cut(spelling, "://")
	host := rest
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		host = rest[:i]
	}
	return &url.URL{Scheme: scheme, Host: host, Opaque: "//" + rest}
}

// conceal is the outermost link. It shows colly no header of the response: by
// that colly would convert charsets and net/http would judge a Location that is
// ours to judge. Uncompressed keeps colly from unzipping bodies by the URL's
// suffix.
type conceal struct{ next http.RoundTripper }

func (t conceal) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	resp.Header = http.Header{}
	resp.Uncompressed = true
	return resp, nil
}
