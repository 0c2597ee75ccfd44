package politeness_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"github.com/amblecrawl/amble/politeness"
)

// A crawl of three URLs with any HTTP client, in the time of a clock that the
// example moves itself.
func Example() {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/robots.txt" {
			_, _ = io.WriteString(w, "User-agent: *\nCrawl-delay: 2\nDisallow: /private/\n")
		}
	}))
	defer server.Close()

	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	gate := politeness.New(
		politeness.Policy{Agent: "bookbot", Delay: time.Second},
		politeness.Options{Now: func() time.Time { return now }},
	)
	client := &http.Client{
		Transport:     gate.Guard(http.DefaultTransport),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	fetch := func(grant *politeness.Grant) {
		req, err := http.NewRequest(http.MethodGet, grant.URL(), nil)
		if err != nil {
			grant.Cancel()
			return
		}
		resp, err := client.Do(req.WithContext(politeness.WithGrant(req.Context(), grant)))
		if err != nil {
			grant.Done(politeness.Result{Err: err})
			return
		}
		body, err := io.ReadAll(io.LimitReader(resp.Body, 500<<10))
		_ = resp.Body.Close()
		grant.Done(politeness.Result{Status: resp.StatusCode, Header: resp.Header, Body: body, Err: err})
	}
	queue := []string{"/", "/private/x", "/about"}
	for len(queue) > 0 {
		d := gate.Decide(server.URL, server.URL+queue[0])
		switch d.Action {
		case politeness.Wait:
			fmt.Println("wait", d.Until.Sub(now), "for", d.By)
			now = d.Until
			continue
		case politeness.FetchRobots:
			fmt.Println("fetch", strings.TrimPrefix(d.Robots, server.URL))
			fetch(d.Grant)
			continue
		case politeness.Skip:
			fmt.Println("skip", queue[0], "by", d.Reason)
		case politeness.Go:
			fmt.Println("fetch", queue[0])
			fetch(d.Grant)
		}
		queue = queue[1:]
	}
	// Output:
	// fetch /robots.txt
	// wait 2s for robots.txt Crawl-delay, line 2
	// fetch /
	// skip /private/x by robots.txt line 3: Disallow: /private/
	// wait 2s for robots.txt Crawl-delay, line 2
	// fetch /about
}
