package cookies

import (
	"net/http"

	"github.com/amblecrawl/amble/crawler"
)

// Wrap makes a transport that sends and takes cookies. Answers that had to do
// with some are marked with crawler.HeaderCookies.
func (j *Jar) Wrap(next http.RoundTripper) http.RoundTripper { return &transport{j, next} }

type transport struct {
	jar  *Jar
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	sent := r
	if field := t.jar.Field(r.URL); field != "" {
		sent = r.Clone(r.Context())
		if own := r.Header.Get("Cookie"); own != "" {
			field = own + "; " + field
		}
		sent.Header["Cookie"] = []string{field}
	}
	resp, err := t.next.RoundTrip(sent)
	if err != nil {
		return nil, err
	}
	switch {
	case t.jar.Set(r.URL, resp.Header):
		resp.Header[crawler.HeaderCookies] = []string{crawler.CookiesChanged}
	case sent != r:
		resp.Header[crawler.HeaderCookies] = []string{crawler.CookiesSent}
	}
	resp.Request = r
	return resp, nil
}
