package crawler_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

func page(text string) (*crawler.Response, error) {
	return &crawler.Response{Status: 200, Header: http.Header{}, Body: []byte(text), FetchedAt: time.Unix(0, 0)}, nil
}

// Requests to one URL are told apart by method and body.
func TestCallsAreRequestsOfTheirOwn(t *testing.T) {
	r := newRig(t)
	r.web.pages[host+"/0"] = "post /find q=a\npost /find q=b\npost /find q=a\nlink /find"
	for i, body := range []string{"q=a", "q=b"} {
		r.web.answers["POST "+host+"/find "+body] = func(int) (*crawler.Response, error) { return page(fmt.Sprintf("record %d\npost /find q=b", i)) }
	}
	r.web.pages[host+"/find"] = "record get"
	s := r.finish()
	r.exactly(3)
	if s.Requests != 4 || s.Duplicates != 3 || s.Failed != 0 {
		t.Errorf("summary %+v", s)
	}
}

// What a link brings along goes with its request through redirects; 303 makes a
// POST a GET, 307 keeps it.
func TestCallsThroughRedirects(t *testing.T) {
	for status, want := range map[int]string{
		301: "GET /there: from=/0 [posted]", 302: "GET /there: from=/0 [posted]", 303: "GET /there: from=/0 [posted]",
		307: "POST /there: from=/0 [posted]", 308: "POST /there: from=/0 [posted]",
	} {
		r := newRig(t)
		r.set.Workers = 1
		r.web.pages[host+"/0"] = "post /find q=a"
		r.web.answers["POST "+host+"/find q=a"] = func(int) (*crawler.Response, error) {
			to, err := urls.Parse(host + "/there")
			return &crawler.Response{Status: status, Header: http.Header{}, Location: to}, err
		}
		r.web.pages[host+"/there"] = "carried"
		r.web.answers["POST "+host+"/there q=a"] = func(int) (*crawler.Response, error) { return page("carried") }
		if r.finish(); !reflect.DeepEqual(r.web.carried, []string{want}) {
			t.Errorf("status %d led to %q, want %q", status, r.web.carried, want)
		}
	}
}

// A form that answers at its own address by a redirect to it is not a loop.
func TestAPostMayLeadToItsOwnAddress(t *testing.T) {
	r := newRig(t)
	r.web.pages[host+"/0"] = "post /find q=a"
	r.web.pages[host+"/find"] = "record found"
	r.web.answers["POST "+host+"/find q=a"] = redirectTo(host + "/find")
	if s := r.finish(); s.Failed != 0 {
		t.Errorf("summary %+v", s)
	}
	r.exactly(1)
}

func TestUnsafeRequestsAreNotRepeated(t *testing.T) {
	broken := func(class crawler.Class) func(int) (*crawler.Response, error) {
		return func(n int) (*crawler.Response, error) {
			if n == 1 {
				return nil, &crawler.FetchError{Class: class, Temporary: true, Err: errors.New("broke")}
			}
			return page("record a")
		}
	}
	answered := func(code int) func(int) (*crawler.Response, error) {
		return func(n int) (*crawler.Response, error) {
			if n == 1 {
				return status(code), nil
			}
			return page("record a")
		}
	}
	for _, tt := range []struct {
		name, line string
		answer     func(int) (*crawler.Response, error)
		times      int
	}{
		{"reset", "post", broken(crawler.ClassReset), 1},
		{"timeout", "post", broken(crawler.ClassTimeout), 1},
		{"never reached", "post", broken(crawler.ClassRefused), 2},
		{"no address", "post", broken(crawler.ClassDNS), 2},
		{"500", "post", answered(500), 1},
		{"504", "post", answered(504), 1},
		{"429", "post", answered(429), 2},
		{"503", "post", answered(503), 2},
		{"reset, but harmless", "repost", broken(crawler.ClassReset), 2},
		{"500, but harmless", "repost", answered(500), 2},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := newRig(t)
			r.set.Retries = 3
			r.web.pages[host+"/0"] = tt.line + " /do x"
			url := "POST " + host + "/do x"
			r.web.answers[url] = tt.answer
			s := r.finish()
			if n := r.web.times(url); n != tt.times || int(s.Failed) != 2-tt.times {
				t.Errorf("it was sent %d times, want %d; %+v", n, tt.times, s)
			}
		})
	}
}

// Nobody knows what became of a request that was in flight when the process was
// killed: one that may not be repeated is not sent again, another is.
func TestKilledWhileSending(t *testing.T) {
	for _, line := range []string{"post", "repost"} {
		t.Run(line, func(t *testing.T) {
			r := newRig(t)
			disk := vfs.NewCrashableMem()
			r.fs = disk
			r.web.pages[host+"/0"] = line + " /do x"
			url := "POST " + host + "/do x"
			r.web.answers[url] = func(int) (*crawler.Response, error) { return page("record done") }
			var dead vfs.FS
			r.web.before = func(_ context.Context, asked string) {
				if asked == url {
					dead = disk.CrashClone(vfs.CrashCloneCfg{})
				}
			}
			r.finish()
			r.exactly(1)
			r.web.before, r.fs, r.sink = nil, dead, &memorySink{}
			s := r.finish()
			if line == "repost" {
				if r.exactly(1); s.Failed != 0 || r.web.times(url) != 2 {
					t.Errorf("it was sent %d times; summary %+v", r.web.times(url), s)
				}
				return
			}
			if s.Errors[crawler.ClassUncertain] != 1 || r.web.times(url) != 1 {
				t.Errorf("it was sent %d times; summary %+v", r.web.times(url), s)
			}
		})
	}
}

// A run that is told to stop does not give back what must not be sent again.
func TestStoppedWhileSending(t *testing.T) {
	r := newRig(t)
	r.set.Grace = time.Millisecond
	r.web.pages[host+"/0"] = "post /do x"
	url := "POST " + host + "/do x"
	ctx, cancel := context.WithCancel(t.Context())
	r.web.before = func(flight context.Context, asked string) {
		if asked == url {
			cancel()
			<-flight.Done()
		}
	}
	if _, err := r.run(ctx); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	r.web.before = nil
	if s := r.finish(); r.web.times(url) != 1 || s.Errors[crawler.ClassUncertain] != 1 {
		t.Errorf("it was sent %d times; summary %+v", r.web.times(url), s)
	}
}

// A request that was not sent, since its permission lapsed, is sent later.
func TestNotSentIsNoUncertainty(t *testing.T) {
	r := newRig(t)
	r.web.pages[host+"/0"] = "post /do x"
	r.web.answers["POST "+host+"/do x"] = func(n int) (*crawler.Response, error) {
		if n == 1 {
			return nil, fmt.Errorf("too late: %w", crawler.ErrNotSent)
		}
		return page("record done")
	}
	if s := r.finish(); s.Failed != 0 {
		t.Errorf("summary %+v", s)
	}
	r.exactly(1)
}

// Links whose requests would be too large to keep are left out.
func TestCallsAreBounded(t *testing.T) {
	r := newRig(t)
	r.web.pages[host+"/0"] = "post /do " + strings.Repeat("x", crawler.MaxCallBody+1) + "\npost /do " + strings.Repeat("y", crawler.MaxCallBody)
	r.web.answers["POST "+host+"/do "+strings.Repeat("y", crawler.MaxCallBody)] = func(int) (*crawler.Response, error) { return page("record done") }
	if s := r.finish(); s.OutOfScope != 1 || s.Failed != 0 {
		t.Errorf("summary %+v", s)
	}
	r.exactly(1)
}

func TestCallCheck(t *testing.T) {
	for _, c := range []crawler.Call{
		{Method: "post"}, {Method: "PO ST"}, {Method: "CONNECT"}, {Header: http.Header{"A b": {"c"}}},
		{Header: http.Header{"A": {"b\r\nc: d"}}}, {Header: http.Header{"A": {strings.Repeat("x", crawler.MaxCallHeader)}}},
		{Body: strings.Repeat("x", crawler.MaxCallBody+1)},
	} {
		if c.Check() == nil {
			t.Errorf("%+.80v is let through", c)
		}
	}
	good := crawler.Call{Method: "POST", Header: http.Header{"Content-Type": {"application/json"}}, Body: "{}"}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	seen := []uint64{0}
	for _, c := range []crawler.Call{{Method: "POST"}, {Method: "PUT"}, {Method: "POST", Body: "a"}, {Body: "a"}, good} {
		if d := c.Digest(); slices.Contains(seen, d) {
			t.Errorf("%+v has the digest of another", c)
		} else {
			seen = append(seen, d)
		}
	}
	if (&crawler.Call{Method: "GET", Header: http.Header{"A": {"b"}}}).Digest() != 0 {
		t.Error("a header makes another request")
	}
}
