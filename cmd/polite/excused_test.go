package polite

import (
	"errors"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/politeness"
)

// What never reached a host is not held against it.
func TestHostIsExcused(t *testing.T) {
	for class, want := range map[crawler.Class]crawler.Action{
		crawler.ClassAuth: crawler.Go, crawler.ClassProxy: crawler.Go, crawler.ClassRefused: crawler.Wait,
	} {
		gate := politeness.New(politeness.Policy{Agent: "bot", IgnoreRobots: true, CircuitAfter: 1}, politeness.Options{})
		p := &Politeness{Gate: gate, Waits: func(urls.URL) (time.Time, string) { return time.Time{}, "" }}
		u, err := urls.Parse("https://api.example/")
		if err != nil {
			t.Fatal(err)
		}
		v := p.Decide(&crawler.Request{URL: u})
		v.Grant.Done(nil, &crawler.FetchError{Class: class, Temporary: true, Err: errors.New("in vain")})
		if v = p.Decide(&crawler.Request{URL: u}); v.Action != want {
			t.Errorf("after %s: %v, %s", class, v.Action, v.Reason)
		}
	}
}
