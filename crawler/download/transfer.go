package download

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// transfer is one attempt at a file or at a part of one. It belongs to one worker.
type transfer struct {
	*Store
	request *crawler.Request
	about   about
	others  []crawler.Field
	id      string
	early   string // the name, where the content is no part of it

	plan   plan
	state  *head // of what there is, nil where there is nothing
	at     int64 // where the request begins in the file
	length int64 // bytes that are asked for; 0: to the end, -1: no range is
	since  time.Time
	entry  *entry // of planAdopt
	moves  bool   // it is not in its place yet

	got  result
	sent []crawler.Sent // to a destination that is a bucket
}

// plan is how an attempt goes.
type plan uint8

const (
	planAsk       plan = iota
	planSettled        // another request has ended the file
	planThere          // this part is there, and its end may not be committed
	planOver           // the file was begun anew since
	planRestart        // what there was of the file is gone
	planFinish         // all parts are there
	planUnchanged      // the file in its place is the one that would be fetched
	planAdopt          // it is in its place, where this run has put it, or waits for that
)

// result is what Receive has made of an answer.
type result struct {
	changed bool    // the object is another version
	small   *answer // all of a file without a state
	data    *data   // where that is
	sums    summing // of the whole file; nil where it has to be read again
	size    int64
	answer  answer
}

// maxGenerations is how often a file in parts is begun anew.
const maxGenerations = 3

func (s *Store) begin(r *crawler.Request) (*transfer, error) {
	t := &transfer{Store: s, request: r, id: idOf(r), length: -1}
	t.about, t.others = aboutOf(r.Carry)
	switch end, err := s.end(t.id); {
	case err != nil:
		return nil, err
	case end == endKept:
		t.plan = planSettled
		return t, nil
	case end != "":
		return nil, &crawler.FetchError{Class: crawler.Class(end), Err: errors.New("another part of the file failed")}
	}
	if t.entry = s.found(t.id); t.entry != nil {
		t.plan = planAdopt
		return t, nil
	}
	if s.MaxSize > 0 && t.about.size > s.MaxSize {
		return nil, tooLarge(t.about.size, s.MaxSize)
	}
	if !s.Name.late {
		var err error
		if t.early, err = s.Name.name(sourceOf(r, t.about.base, t.id)); err != nil {
			return nil, noPlace("%w", err)
		}
	}
	var err error
	if t.entry, err = t.waited(); err != nil {
		return nil, err
	}
	if t.entry != nil {
		t.plan, t.moves = planAdopt, true
		return t, nil
	}
	p, err := s.partials.acquire(t.id)
	if err != nil {
		return nil, err
	}
	if p == nil {
		return t, t.anew()
	}
	if p.stale(&t.about) {
		p.release()
		if err := t.partials.remove(t.id); err != nil {
			return nil, err
		}
		return t, t.anew()
	}
	defer p.release()
	h := p.about()
	t.state = &h
	return t, t.resume(p)
}

func tooLarge(size, most int64) error {
	return &crawler.FetchError{Class: crawler.ClassTooLarge, Err: fmt.Errorf("%d bytes are more than downloads.max_size, %d, allows", size, most)}
}

// anew plans an attempt without a state.
func (t *transfer) anew() error {
	if t.about.part > 0 {
		t.plan = planRestart
		return nil
	}
	if found, err := t.there(); found || err != nil {
		return err
	}
	if t.parted(t.about.size, t.about.etag) && t.isObject() {
		t.length = partSize(t.about.size, t.PartSize)
	}
	return nil
}

// parted reports whether a file is to be fetched in parts, given a version to hold
// them together.
func (t *transfer) parted(size int64, validator string) bool {
	return t.PartsFrom > 0 && size >= t.PartsFrom && size > t.PartSize && validator != "" && t.about.generation == 0
}

func (t *transfer) isObject() bool { return t.request.URL.Scheme() == Scheme }

// there looks at a file that is in place.
func (t *transfer) there() (found bool, err error) {
	if t.early == "" || t.To != nil {
		return false, nil
	}
	if err := t.free(t.early, t.id); err != nil {
		return false, err
	}
	info, err := t.look(t.early)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	case err != nil:
		return false, placing(t.early, err)
	case info.IsDir():
		return false, noPlace("there is no place for it at %s: a folder has that name", t.early)
	case !info.Mode().IsRegular():
		return false, nil
	}
	same := t.about.size == info.Size() && !t.about.modified.IsZero() && sameTime(t.about.modified, info.ModTime())
	switch {
	case t.Overwrite:
	case same:
		t.plan = planUnchanged
	case !t.isObject():
		t.since = info.ModTime()
	}
	return t.plan != planAsk, nil
}

// sameTime allows for services that tell seconds.
func sameTime(a, b time.Time) bool { return a.Truncate(time.Second).Equal(b.Truncate(time.Second)) }

// resume plans an attempt at a file of which there is something.
func (t *transfer) resume(p *partial) error {
	h := t.state
	part := int(t.about.part)
	switch {
	case h.Generation > t.about.generation:
		t.plan = planOver
		return nil
	case h.Generation < t.about.generation || part >= h.Parts:
		t.plan = planRestart
		return nil
	}
	n, complete := p.have(part)
	switch {
	case complete && p.whole():
		t.plan = planFinish
	case complete:
		t.plan = planThere
	case h.Parts > 1 || h.Ranges && n > 0:
		at, length := h.span(part)
		if t.at = at + n; length >= 0 {
			t.length = length - n
		} else {
			t.length = 0
		}
		if t.length == 0 && length >= 0 { // all of it was written, and not synced
			t.length, t.at = 1, t.at-1
		}
	}
	return nil
}

// Ready implements crawler.Transfer.
func (t *transfer) Ready() bool { return t.plan != planAsk }

// Timeout implements crawler.Transfer.
func (t *transfer) Timeout() time.Duration { return t.Store.Timeout }

// Header implements crawler.Transfer.
func (t *transfer) Header() http.Header {
	h := http.Header{}
	if t.length >= 0 {
		last := ""
		if t.length > 0 {
			last = fmt.Sprint(t.at + t.length - 1)
		}
		h.Set("Range", fmt.Sprintf("bytes=%d-%s", t.at, last))
		if v := t.validator(); v != "" {
			h.Set("If-Range", v)
		}
	}
	if !t.since.IsZero() {
		h.Set("If-Modified-Since", t.since.UTC().Format(http.TimeFormat))
	}
	return h
}

func (t *transfer) validator() string {
	if t.state == nil {
		return t.about.etag
	}
	if t.state.ETag != "" {
		return t.state.ETag
	}
	return t.state.Modified
}

// Takes implements crawler.Transfer.
func (t *transfer) Takes(status int) bool {
	switch status {
	case http.StatusOK, http.StatusPartialContent:
		return true
	case http.StatusNotModified:
		return !t.since.IsZero()
	case http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable:
		return t.length >= 0
	}
	return false
}

// Finish implements crawler.Transfer.
func (t *transfer) Finish(ctx context.Context, resp *crawler.Response) crawler.FileEnd {
	end := t.finished(ctx, resp)
	end.Sent = t.sent
	return end
}

func (t *transfer) finished(ctx context.Context, resp *crawler.Response) crawler.FileEnd {
	switch t.plan {
	case planSettled:
		return settled("another request has ended it")
	case planThere:
		return t.part(ctx)
	case planOver:
		return t.over(t.state.Generation)
	case planRestart:
		return t.restart()
	case planUnchanged:
		return t.unchanged(ctx, resp)
	case planAdopt:
		return t.adopt()
	case planFinish:
		return t.complete(ctx)
	}
	switch {
	case resp.Status == http.StatusNotModified:
		return t.unchanged(ctx, resp)
	case t.got.changed, resp.Status == http.StatusPreconditionFailed, resp.Status == http.StatusRequestedRangeNotSatisfiable:
		return t.restart()
	case t.got.small != nil:
		return t.place(ctx, *t.got.small, t.got.sums, t.got.size, &kept{data: *t.got.data})
	}
	return t.part(ctx)
}

func settled(why string) crawler.FileEnd {
	return crawler.FileEnd{Outcome: crawler.Outcome{Class: crawler.ClassFetched, Detail: why}}
}

// part ends a part: the first one leads to the others, the last one to the file.
func (t *transfer) part(ctx context.Context) crawler.FileEnd {
	p, err := t.partials.acquire(t.id)
	if err != nil {
		return crawler.FileEnd{Err: err}
	}
	if p == nil {
		return t.restart()
	}
	h, whole := p.about(), p.whole()
	if !whole && h.Parts > 1 {
		err = t.sumOn(ctx, p)
	}
	p.release()
	if err != nil {
		return crawler.FileEnd{Err: err}
	}
	if whole {
		return t.complete(ctx)
	}
	end := settled(fmt.Sprintf("part %d of %d", t.about.part+1, h.Parts))
	if t.about.part == 0 {
		for i := 1; i < h.Parts; i++ {
			end.Found = append(end.Found, next(t.request, t.id, about{size: h.Size, etag: h.ETag, modified: t.about.modified, base: t.about.base, part: int64(i), generation: h.Generation}, t.others))
		}
	}
	return end
}

// restart begins the file anew.
func (t *transfer) restart() crawler.FileEnd {
	changed := &crawler.FetchError{Class: crawler.ClassChanged, Temporary: true, Err: errors.New("the object is not the one that was begun")}
	parts := t.about.part > 0 || t.state != nil && t.state.Parts > 1
	if !parts {
		if err := t.partials.remove(t.id); err != nil {
			return crawler.FileEnd{Err: err}
		}
		return crawler.FileEnd{Err: changed} // the same request is for all of it
	}
	generation := t.about.generation + 1
	if generation > maxGenerations {
		changed.Temporary = false
		changed.Err = fmt.Errorf("the object changed %d times while it was fetched", generation)
		return crawler.FileEnd{Err: changed}
	}
	p, err := t.partials.acquire(t.id)
	if err != nil {
		return crawler.FileEnd{Err: err}
	}
	if p != nil {
		known := p.about().Generation
		p.release()
		if known >= generation {
			return t.over(known)
		}
	}
	if p, err = t.partials.create(t.id, head{Generation: generation, Size: -1, Parts: 1}); err != nil {
		return crawler.FileEnd{Err: err}
	}
	p.release()
	return t.over(generation)
}

// over ends a request for a version that is no more, and leads to the newer one.
func (t *transfer) over(generation int64) crawler.FileEnd {
	end := settled("the object has changed, and is fetched anew")
	end.Found = []crawler.Request{next(t.request, t.id, about{size: -1, base: t.about.base, generation: generation}, t.others)}
	return end
}

// unchanged ends a file that is there already.
func (t *transfer) unchanged(ctx context.Context, resp *crawler.Response) crawler.FileEnd {
	info, err := t.root.Lstat(t.early)
	if errors.Is(err, fs.ErrNotExist) {
		return crawler.FileEnd{Err: &crawler.FetchError{Class: crawler.ClassChanged, Temporary: true, Err: errors.New("the file that was there is gone")}}
	}
	if err != nil {
		return crawler.FileEnd{Err: broken("looking at", err)}
	}
	if err := t.claim(t.early, t.id); err != nil {
		return crawler.FileEnd{Err: err}
	}
	m := manifest{name: t.early, size: info.Size(), status: "unchanged", etag: t.about.etag, modified: info.ModTime()}
	if t.Dedup {
		// Others of this content are not kept beside it.
		if m.sum, err = t.sumOf(ctx, t.early); err == nil {
			_, _, err = t.first(m.sum, content{t.early, t.request.Origin()})
		}
		if err != nil {
			return crawler.FileEnd{Err: err}
		}
	}
	if resp != nil && resp.Header.Get("ETag") != "" {
		m.etag = resp.Header.Get("ETag")
	}
	return crawler.FileEnd{
		Outcome: crawler.Outcome{Class: crawler.ClassFetched, Status: http.StatusOK, Detail: "unchanged"},
		Fields:  m.fields(t.others), Kept: &kept{id: t.id, end: endKept, name: t.early, sum: m.sum, url: t.request.Origin(), placed: true, about: m},
	}
}
