package execution

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
	"github.com/amblecrawl/amble/crawler/download"
	"github.com/amblecrawl/amble/politeness"
)

// uploadPatience is how long a request to a destination waits for its turn at most.
const uploadPatience = 10 * time.Minute

// uploads makes the requests by which files go to a bucket: when politeness lets it, as
// requests of the crawl are made, and with what the ledger is to say of each.
type uploads struct {
	polite     *polite.Politeness
	gate       *politeness.Gate
	connection string
	waits      func(until time.Time, why string) // is told of each wait; nil: nobody is
}

// exchange implements download.Options.Exchange.
func (u *uploads) exchange(ctx context.Context, key string, x bucket.Exchange, do func(context.Context) error) (*crawler.Sent, error) {
	at, err := download.ObjectURL(u.connection, key)
	if err != nil {
		return nil, fmt.Errorf("its URL in the destination: %w", err)
	}
	r := &crawler.Request{URL: at}
	deadline := time.Now().Add(uploadPatience)
	if ends, ok := ctx.Deadline(); ok && ends.Before(deadline) {
		deadline = ends
	}
	for {
		v := u.polite.Decide(r)
		switch v.Action {
		case crawler.Go:
			sent, err := u.granted(ctx, v.Grant, r, x, do)
			if !errors.Is(err, politeness.ErrLapsed) {
				return sent, err
			}
		case crawler.Wait:
			if v.Until.After(deadline) {
				return nil, &crawler.FetchError{Class: crawler.ClassUnreachable, Temporary: true,
					Err: fmt.Errorf("%s is to be left alone until %s: %s", r.Host(), v.Until.Format(time.RFC3339), v.Reason)}
			}
			if u.waits != nil {
				u.waits(v.Until, v.Reason)
			}
			if err := crawl.Pause(ctx, time.Until(v.Until)); err != nil {
				return nil, err
			}
		case crawler.Skip:
			entry := v.Entry
			entry.Kind, entry.Method, entry.URL, entry.Host = kindUpload, x.Method, r.URL.Redacted(), r.Host()
			entry.Withheld, entry.Reason, entry.Start = true, v.Reason, time.Now()
			return &crawler.Sent{Entry: entry, State: v.State}, &crawler.FetchError{Class: v.Class, Err: errors.New(v.Reason)}
		default: // a bucket has no robots.txt
			v.Grant.Cancel()
			return nil, fmt.Errorf("%s is not asked for files", r.Host())
		}
	}
}

// kindUpload is that of the ledger's entries.
const kindUpload = "upload"

// granted makes one request, under the guard.
func (u *uploads) granted(ctx context.Context, grant crawler.Grant, r *crawler.Request, x bucket.Exchange, do func(context.Context) error) (*crawler.Sent, error) {
	req, err := http.NewRequestWithContext(grant.Context(ctx), x.Method, r.URL.Fetch(), nil)
	if err != nil {
		grant.Cancel()
		return nil, err
	}
	var done error // of the bucket
	began := false
	resp, err := u.gate.Guard(roundTrip(func(req *http.Request) (*http.Response, error) {
		began = true
		done = do(req.Context())
		return answered(req, done)
	})).RoundTrip(req)
	if !began {
		grant.Cancel()
		return nil, err
	}
	got := &crawler.Response{}
	if err == nil {
		got.Status, got.Header = resp.StatusCode, resp.Header
	} else {
		got, err = nil, &crawler.FetchError{Class: crawler.ClassNetwork, Temporary: true, Err: err}
	}
	state := grant.Done(got, err)
	entry := grant.Entry()
	entry.Kind, entry.Method, entry.URL, entry.Host = kindUpload, x.Method, r.URL.Redacted(), r.Host()
	if got != nil {
		entry.Status = got.Status
	} else {
		entry.Class = crawler.ClassNetwork
	}
	return &crawler.Sent{Entry: entry, State: state}, done
}

// roundTrip is a function as a transport.
type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (f roundTrip) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// answered is the answer that came of a bucket's exchange, as far as politeness wants
// to know it.
func answered(req *http.Request, err error) (*http.Response, error) {
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody, Request: req}
	var e *bucket.Error
	switch {
	case err == nil:
		return resp, nil
	case !errors.As(err, &e) || e.Status == 0:
		return nil, err
	}
	if resp.StatusCode = e.Status; e.Header != nil {
		resp.Header = e.Header
	}
	return resp, nil
}
