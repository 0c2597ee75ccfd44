package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	web "github.com/amblecrawl/amble/fixtures/hostile"
)

// What the hostile web does to an exchange ends, in the class that is stated for
// it as far as one exchange can tell, and leaves no goroutine behind.
func TestHostileWeb(t *testing.T) {
	log.SetOutput(io.Discard) // net/http tells of frames that nobody knows
	defer log.SetOutput(os.Stderr)
	var cases []web.Case
	for _, g := range web.Groups() {
		switch g.Title {
		case "Bodies", "HTML", "Character sets", "Pages that make selectors work", "Sitemaps", "robots.txt":
			continue // not the fetcher's
		}
		cases = append(cases, g.Cases...)
	}
	served, err := web.Start(cases)
	if err != nil {
		t.Fatal(err)
	}
	defer served.Close()
	const workers = 16
	client := func(timeout time.Duration) *Client {
		return newClient(t, func(o *Options) {
			o.Timeout, o.Workers, o.MaxBody = timeout, workers, 1<<20
			o.Resolve, o.TLSConfig = served.Resolve(), &tls.Config{RootCAs: served.Pool()}
		})
	}
	next := make(chan *web.Case)
	var working sync.WaitGroup
	for range workers {
		// Whoever is to run out of time may as well do so soon.
		usual, hasty := client(patient).Fetcher(), client(time.Second).Fetcher()
		working.Go(func() {
			for hc := range next {
				f := usual
				if hc.Ends[0] == string(crawler.ClassTimeout) {
					f = hasty
				}
				resp, err := f.Fetch(context.Background(), parse(t, hc.URL()), crawler.FetchOptions{})
				if class := exchangeClass(resp, err); !slices.Contains(hc.Ends, string(class)) &&
					(class != crawler.ClassRedirected || !slices.Contains(hc.Ends, string(crawler.ClassRedirectLoop))) {
					t.Errorf("%s, which %s: %s (%v), want %v", hc.Name, hc.About, class, err, hc.Ends)
				}
			}
		})
	}
	for i := range cases {
		next <- &cases[i]
	}
	close(next)
	working.Wait()
}

// exchangeClass is the class that the engine makes of an exchange alone: rings of
// redirects it sees only over several.
func exchangeClass(resp *crawler.Response, err error) crawler.Class {
	var fe *crawler.FetchError
	switch {
	case errors.As(err, &fe):
		return fe.Class
	case err != nil:
		return crawler.ClassInternal
	case resp.Status/100 == 2:
		return crawler.ClassFetched
	case !resp.Location.IsZero():
		return crawler.ClassRedirected
	case resp.Status == http.StatusNotModified: // to a request that did not ask for it
		return crawler.ClassProtocol
	case resp.Status/100 == 3:
		return crawler.ClassRedirectBad
	case resp.Status == 429:
		return crawler.ClassRateLimited
	case resp.Status >= 500:
		return crawler.ClassHTTP5xx
	}
	return crawler.ClassHTTP4xx
}
