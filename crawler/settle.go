package crawler

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/zeebo/xxh3"
)

// maxBackoff bounds the wait before another attempt, whatever its number.
const maxBackoff = 10 * time.Minute

// failure is the outcome of an exchange that gave no response.
func (w *worker) failure(l *Lease, err error) Outcome {
	o := Outcome{Class: classOf(err), Detail: err.Error()}
	var fe *FetchError
	if !errors.As(err, &fe) || !fe.Temporary {
		return o
	}
	if !mayRepeat(l, err) {
		o.Detail = unrepeated(l, o.Detail)
		return o
	}
	return w.again(l, o, fe.RetryAfter)
}

// refusal is the outcome of a 4xx or 5xx answer.
func (w *worker) refusal(l *Lease, resp *Response, state HostState) Outcome {
	o := Outcome{Status: resp.Status, Class: ClassHTTP4xx, Detail: fmt.Sprintf("status %d", resp.Status)}
	switch {
	case resp.Status == 429:
		o.Class = ClassRateLimited
	case resp.Status >= 500:
		o.Class = ClassHTTP5xx
	}
	if renewed := resp.Header[HeaderRenewed]; resp.Status == 401 && len(renewed) > 0 {
		wait, _ := time.ParseDuration(renewed[0])
		return w.again(l, o, wait)
	}
	if !isTemporaryStatus(resp.Status) {
		return o
	}
	if !l.Call.Repeatable() && resp.Status != 429 && resp.Status != 503 {
		o.Detail = unrepeated(l, o.Detail)
		return o
	}
	return w.again(l, o, state.NotBefore.Sub(w.engine.Clock.Now()))
}

// loggedOut is the outcome of an answer that is for nobody: the page is asked for
// again by somebody who is logged in.
func (w *worker) loggedOut(l *Lease, resp *Response) Outcome {
	o := Outcome{Class: ClassLoggedOut, Status: resp.Status, Detail: fmt.Sprintf("status %d, which shows that nobody is logged in", resp.Status)}
	if resp.Status/100 == 2 && !l.Call.Repeatable() {
		o.Detail = unrepeated(l, o.Detail)
		return o
	}
	wait, _ := time.ParseDuration(resp.Header[HeaderLoggedOut][0])
	if wait < 0 {
		o.Detail += ", whoever asks"
		return o
	}
	o = w.again(l, o, 0)
	if o.Disposition == Retry { // at once, while the new session lasts
		o.NotBefore = w.engine.Clock.Now().Add(wait)
	}
	return o
}

// again makes the outcome a retry while attempts are left. The wait doubles
// with each attempt and is spread by the URL's key, so that pages that failed
// together do not come back together.
func (w *worker) again(l *Lease, o Outcome, atLeast time.Duration) Outcome {
	e := w.engine
	if int(l.Attempt) >= e.set.Retries {
		if e.set.Retries > 0 {
			o.Detail = fmt.Sprintf("%s, after %d attempts", o.Detail, int(l.Attempt)+1)
		}
		return o
	}
	o.Disposition = Retry
	o.NotBefore = e.Clock.Now().Add(max(atLeast, backoff(e.set.RetryWait, l.Attempt, l.Key)))
	return o
}

func backoff(first time.Duration, attempt uint8, key urls.Key) time.Duration {
	wait := first
	for range attempt {
		if wait >= maxBackoff/2 {
			wait = maxBackoff
			break
		}
		wait *= 2
	}
	spread := time.Duration(key[0]) * (wait / 4) / 256 // 0 to 25 percent
	return min(wait+spread, maxBackoff)
}

// redirect makes the target of a redirect a found link, which passes scope,
// robots, rate and dedup like any other.
func (w *worker) redirect(l *Lease, resp *Response, f *finished) Outcome {
	e := w.engine
	target := resp.Location.WithoutFragment()
	o := Outcome{Class: ClassRedirected, Status: resp.Status, Detail: "to " + target.Redacted()}
	if int(l.Hops)+1 > e.set.MaxHops {
		o.Class, o.Detail = ClassRedirectLoop, fmt.Sprintf("more than %d redirects from %s", e.set.MaxHops, l.Origin())
		return o
	}
	call := l.Call.after(resp.Status, target.Origin() == l.URL.Origin())
	alike := call.Digest() == l.Call.Digest() // else a GET of the same URL is something new
	if alike && (target.Fetch() == l.URL.Fetch() || target.Fetch() == l.Requested) {
		if resp.Status/100 == 2 {
			return o // a page that refreshes itself
		}
		if cookies := resp.Header[HeaderCookies]; len(cookies) > 0 && l.Call.Repeatable() &&
			(l.Hops == 0 && cookies[0] == CookiesChanged || l.Hops == 1 && target.Fetch() == l.Requested) {
			return w.withCookies(l, target, o, f)
		}
		o.Class, o.Detail = ClassRedirectLoop, "back to "+target.Redacted()
		return o
	}
	if v := e.Scope.Check(target, int(l.Depth)); !v.In && l.Kind != KindSitemap {
		f.outOfScope++
		o.Detail += ", out of scope: " + v.Rule
		e.Log.Info("a redirect leads out of scope", "url", l.URL.Redacted(), "to", target.Redacted(), "rule", v.Rule)
		return o
	}
	next := l.Request
	next.URL, next.Requested, next.Hops, next.Attempt = target, l.Origin(), l.Hops+1, 0
	next.Call, next.Key = call, KeyOf(e.Canon.Key(target), call.Digest())
	if !e.traps.alike(&l.Request).is(target) {
		next.Through = 0
	}
	if l.Kind == KindFile {
		next.Key = KeyOf(FileKey(next.Key), xxh3.HashStringSeed(next.Requested, uint64(next.Hops))) // two may lead to one
	}
	if l.answersRows() {
		next.Key = next.keyOfHop()
	} else if next.Key == l.Key {
		// The server tells apart what the dedup key does not, such as "/a?" and
		// "/a": the target needs a key of its own, or it would never be fetched.
		next.Key = KeyOf(urls.Key(xxh3.HashString128("exactly "+target.Fetch()).Bytes()), call.Digest())
	}
	f.found = append(f.found, next)
	return o
}

// withCookies asks once more for a page that sent its reader to itself with a new
// cookie, at once or by way of another page, as sites do that look whether cookies
// are kept.
func (w *worker) withCookies(l *Lease, target urls.URL, o Outcome, f *finished) Outcome {
	next := l.Request
	next.URL, next.Requested, next.Hops, next.Attempt = target, l.Origin(), l.Hops+1, 0
	next.Key = KeyOf(urls.Key(xxh3.HashString128("with cookies "+target.Fetch()).Bytes()), l.Call.Digest())
	if l.answersRows() {
		next.Key = next.keyOfHop()
	}
	f.found = append(f.found, next)
	return o
}

// follow turns a page's links into found requests, within scope. Links that
// take more memory than the page was let in with are left out: only a page
// made for it, with a long base and short links, gets there.
func (w *worker) follow(l *Lease, links []Link, f *finished) {
	if !l.URL.IsHTTP() {
		w.followOn(l, links, f)
		return
	}
	e := w.engine
	before := f.size
	own := e.traps.alike(&l.Request)
	batched := isBatch(&l.Request)
	f.found = slices.Grow(f.found, min(len(links), 64)) // most pages have no more
	for i, link := range links {
		if f.size-before > f.weight {
			f.outOfScope += int64(len(links) - i)
			e.Log.Warn("links were left out: they take too much memory", "url", l.URL.Redacted(), "left_out", len(links)-i)
			return
		}
		if link.NoFollow && e.set.SkipRel {
			f.outOfScope++
			continue
		}
		if !link.URL.IsHTTP() {
			// No page leads to what only the config may name: databases, files.
			f.outOfScope++
			e.Log.Warn("a link was left out: pages lead to pages only", "url", l.URL.Redacted(), "scheme", link.URL.Scheme())
			continue
		}
		depth := int(l.Depth) + 1
		if l.Kind == KindSitemap {
			depth = 0 // what a sitemap lists are seeds
		}
		v := e.Scope.Check(link.URL, depth)
		if link.Kind == KindSitemap {
			depth = int(l.Depth) + 1
			v.In = depth <= maxSitemapDepth && (v.In || link.URL.Origin() == l.URL.Origin())
		}
		if !v.In {
			f.outOfScope++
			continue
		}
		if link.Row != 0 && depth > maxRowPages {
			f.outOfScope++
			e.Log.Warn("a row has more pages than are followed", "url", l.URL.Redacted(), "pages", maxRowPages)
			continue
		}
		if link.Row != 0 && batched && !w.continues(l, &link, f) {
			continue
		}
		if err := checkLink(&link); err != nil {
			f.outOfScope++
			e.Log.Warn("a link was left out", "url", l.URL.Redacted(), "to", link.URL.Redacted(), "error", err)
			continue
		}
		var through uint8
		if own.is(link.URL) {
			through = l.Through + min(1, math.MaxUint8-l.Through)
		}
		r := Request{
			URL: link.URL.WithoutFragment(), Key: e.Canon.Key(link.URL), Kind: link.Kind,
			Depth: uint16(min(depth, 1<<16-1)), Priority: link.Priority, Through: through, Referrer: l.Key,
			Modified: link.Modified,
		}
		link.given(&r)
		f.found = append(f.found, r)
		f.size += int64(len(link.URL.String())) + requestOverhead + r.heldSize()
	}
}

// maxSitemapDepth bounds sitemap indexes that list indexes.
const maxSitemapDepth = 5

const (
	requestOverhead = 128
	fieldOverhead   = 48
)

// recordSize estimates a record's memory for the batch's bound.
func recordSize(r *Record) int64 {
	return int64(len(r.URL)+len(r.Requested)+len(r.Key)+128) + fieldsSize(r.Fields)
}

func fieldsSize(fields []Field) int64 {
	var n int64
	for _, f := range fields {
		n += int64(len(f.Name)) + fieldOverhead + valueSize(f.Value)
	}
	return n
}

func valueSize(v any) int64 {
	switch v := v.(type) {
	case string:
		return int64(len(v))
	case []byte:
		return int64(len(v))
	case json.RawMessage:
		return int64(len(v))
	case []any:
		var n int64
		for _, e := range v {
			n += 16 + valueSize(e)
		}
		return n
	case []Field:
		return fieldsSize(v)
	}
	return 8
}
