package download

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
)

// checksOf are the sums that a file must have: those its server states, and that of the
// file of sums, which comes first.
func (t *transfer) checksOf(fromServer checks) checks {
	c := checks{}
	c.add(bucket.SHA256, t.listed())
	c.merge(fromServer)
	return c
}

// listed is what the file of sums says, nil where it does not have the file.
func (t *transfer) listed() []byte {
	whole := t.request.URL.Path()
	if key, ok := KeyOf(t.request.URL); ok {
		whole = key
	}
	return t.Sums.of(whole)
}

// unlisted is what the manifest says of a file that the file of sums does not have.
const unlisted = "not in the file of sums"

func (t *transfer) checks(h *head) checks { return t.checksOf(h.Checks) }

// sized notes the size of a file whose server did not state it.
func (p *partial) sized(size int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.head.Size = size
	return p.save()
}

// complete ends a file of which all parts are there. Of several requests that see it
// so one does.
func (t *transfer) complete(ctx context.Context) crawler.FileEnd {
	p, err := t.partials.acquire(t.id)
	if err != nil {
		return crawler.FileEnd{Err: err}
	}
	if p == nil || p.file == nil {
		if p != nil {
			p.release()
		}
		return t.restart()
	}
	defer p.release()
	h := p.about()
	sums := t.got.sums
	if c := t.checks(&h); sums == nil || !sums.covers(c) {
		mine, err := t.finish(t.id, endKept)
		if err != nil {
			return crawler.FileEnd{Err: err}
		}
		if !mine {
			return settled("another request has ended it")
		}
		sums, err = t.sumUp(ctx, p, h.Size, c)
		t.unfinish(t.id)
		if errors.Is(err, errShort) {
			return t.restart()
		}
		if err != nil {
			return crawler.FileEnd{Err: err}
		}
	}
	return t.place(ctx, h.answer(), sums, h.Size, &kept{state: true, parts: h.Parts > 1, data: data{at: t.partialSpot(t.id)}})
}

// place gives a whole file its name. k tells where it is.
func (t *transfer) place(ctx context.Context, a answer, sums summing, size int64, k *kept) crawler.FileEnd {
	mine, err := t.finish(t.id, endKept)
	if err != nil {
		return crawler.FileEnd{Err: err}
	}
	if !mine {
		return settled("another request has ended it")
	}
	end, err := t.placed(ctx, &a, sums, size, k)
	if err != nil {
		t.unfinish(t.id)
		if !k.state {
			err = errors.Join(err, t.discard(k)) // the next attempt begins anew
		}
		return crawler.FileEnd{Err: err}
	}
	return end
}

func (t *transfer) placed(ctx context.Context, a *answer, sums summing, size int64, k *kept) (crawler.FileEnd, error) {
	if err := t.checksOf(a.checks).hold(sums); err != nil {
		if k.state {
			err = errors.Join(err, t.partials.remove(t.id))
		}
		return crawler.FileEnd{}, err
	}
	k.id, k.end, k.sum, k.url = t.id, endKept, sums.sha256(), t.request.Origin()
	m := manifest{sum: k.sum, mediaType: a.mediaType, size: size, status: "fetched", etag: a.etag, modified: a.modified}
	if err := t.choose(ctx, a, size, k, &m); err != nil {
		return crawler.FileEnd{}, err
	}
	var missing []crawler.RecordError
	if t.Sums != nil && t.listed() == nil {
		m.detail = unlisted
		missing = []crawler.RecordError{{Type: t.Store.Type().Name, Field: "sha256", Err: errors.New(unlisted)}}
	}
	if m.name == "" {
		m.name = k.name
	}
	k.about = m
	if err := t.arrived(k); err != nil {
		return crawler.FileEnd{}, err
	}
	return crawler.FileEnd{
		Outcome: crawler.Outcome{Class: crawler.ClassFetched, Status: http.StatusOK}, Fields: m.fields(t.others), Kept: k, Errors: missing,
	}, nil
}

// choose finds the file's name, and sends it to a bucket where it goes to one.
func (t *transfer) choose(ctx context.Context, a *answer, size int64, k *kept, m *manifest) error {
	name := t.early
	if name == "" {
		s := sourceOf(t.request, t.about.base, t.id)
		s.sum = k.sum
		var err error
		if name, err = t.Name.name(s); err != nil {
			return noPlace("%w", err)
		}
	}
	if t.Dedup {
		c, isFirst, err := t.first(k.sum, content{name, k.url})
		if err != nil {
			return err
		}
		if !isFirst {
			m.name, m.deduplicatedOf, m.status = c.Name, c.URL, "deduplicated"
			k.elsewhere = true
			return t.discard(k)
		}
	}
	err := t.claim(name, t.id)
	if err == nil {
		k.name = name
		if err = t.deliver(ctx, a, size, k); err == nil {
			return nil
		}
		t.unclaim(name)
	}
	if t.Dedup {
		t.forget(k)
	}
	return err
}

// forget takes back that a content is going to be kept.
func (t *transfer) forget(k *kept) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if c, ok := t.contents[k.sum]; ok && c.URL == k.url {
		delete(t.contents, k.sum)
	}
}

// discard takes away the data of a file that is kept under another name. Its state, if
// there is one, goes when that is committed.
func (t *transfer) discard(k *kept) error {
	if k.state {
		return nil
	}
	k.release(t.Store)
	return t.drop(k.at)
}

// deliver makes sure that the name can be had, or sends the file to its bucket.
func (t *transfer) deliver(ctx context.Context, a *answer, size int64, k *kept) error {
	if t.To != nil {
		k.elsewhere = true
		return t.send(ctx, size, a, k)
	}
	if err := t.makeDir(k.name); err != nil {
		return err
	}
	if k.at.dir != path.Dir(k.name) { // otherwise it was looked at before
		if info, err := t.look(k.name); err == nil && info.IsDir() {
			return noPlace("there is no place for it at %s: a folder has that name", k.name)
		}
	}
	if a.modified.IsZero() {
		return nil
	}
	err := t.folders.in(k.at.dir, func(root *os.Root) error { return root.Chtimes(k.at.name, time.Time{}, a.modified) })
	if err != nil {
		return broken("dating", err)
	}
	return nil
}

// send writes a file to the destination's bucket.
func (t *transfer) send(ctx context.Context, size int64, a *answer, k *kept) error {
	f, err := t.root.OpenFile(k.at.path(), os.O_RDONLY, 0)
	if err != nil {
		return broken("reading", err)
	}
	defer f.Close()
	mediaType, _, _ := strings.Cut(a.mediaType, "\n")
	return uploadError(t.To.Put(ctx, k.name, io.NewSectionReader(f, 0, size), bucket.WriteOptions{
		ContentType: mediaType,
		Exchange: func(ctx context.Context, x bucket.Exchange, do func(context.Context) error) error {
			return t.exchange(ctx, k.name, x, do)
		},
	}))
}

// exchange makes one request to the destination's bucket.
func (t *transfer) exchange(ctx context.Context, key string, x bucket.Exchange, do func(context.Context) error) error {
	bounded := func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, t.Store.Timeout)
		defer cancel()
		return do(ctx)
	}
	if t.Exchange == nil {
		return bounded(ctx)
	}
	sent, err := t.Exchange(ctx, key, x, bounded)
	if sent != nil {
		t.sent = append(t.sent, *sent)
	}
	return err
}

// uploadError tells what another attempt may mend from what it will not.
func uploadError(err error) error {
	if err == nil {
		return nil
	}
	for _, hopeless := range []error{bucket.ErrDenied, bucket.ErrNoBucket, bucket.ErrMoved} {
		if errors.Is(err, hopeless) {
			return errors.Join(crawler.ErrStop, err)
		}
	}
	if known, ok := errors.AsType[*crawler.FetchError](err); ok {
		return known
	}
	return &crawler.FetchError{Class: crawler.ClassNetwork, Temporary: true, Err: err}
}
