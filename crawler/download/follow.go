package download

import (
	"context"
	"errors"
	"io"
	"os"
	"sync"

	"github.com/amblecrawl/amble/crawler"
)

// A file in parts is summed up while its later parts come, as far as there is no gap:
// read from the beginning when all is there, a large one would keep its last request
// for seconds in which nothing else is done for it.

// maxFollowing bounds the sums that wait for more; other files are read at their end.
const maxFollowing = 1024

// errShort is a file that ends before its state says so.
var errShort = errors.New("a download is shorter than it was")

// following is the sums of the beginning of a file. They are of this process only.
type following struct {
	mu   sync.Mutex // held by the one who reads
	sums summing
	at   int64 // up to where
	last bool  // nobody reads the file after it
}

// following is what begins the sums of a file. One that goes to a bucket is read again.
func (t *transfer) following(c checks) *following {
	return &following{sums: t.summing(c), last: t.To == nil}
}

// follow gives the sums of a file that are under way, nil where there is no room for
// more of them.
func (s *partials) follow(id string, begin func() *following) *following {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.sums[id]
	if f == nil && len(s.sums) < maxFollowing {
		f = begin()
		s.sums[id] = f
	}
	return f
}

// unfollow forgets the sums of a file that is begun anew, or has ended.
func (s *partials) unfollow(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.sums, id)
}

// reach is where the first part begins that is not complete.
func (p *partial) reach() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, n := range p.progress {
		if n&synced == 0 {
			at, _ := p.head.span(i)
			return at
		}
	}
	return p.head.Size
}

// sumOn sums up the parts that have come. It leaves them to another request that is
// at it.
func (t *transfer) sumOn(ctx context.Context, p *partial) error {
	h := p.about()
	f := t.partials.follow(t.id, func() *following { return t.following(t.checks(&h)) })
	if f == nil || !f.mu.TryLock() {
		return nil
	}
	defer f.mu.Unlock()
	if err := f.advance(ctx, p.file, p.reach()); !errors.Is(err, errShort) {
		return err
	}
	return nil // it was begun anew meanwhile, and these sums are nobody's
}

// sumUp gives the sums of a file that is whole.
func (t *transfer) sumUp(ctx context.Context, p *partial, size int64, c checks) (summing, error) {
	f := t.partials.follow(t.id, func() *following { return t.following(c) })
	if f == nil {
		f = t.following(c)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.sums.covers(c) {
		f.sums, f.at = t.summing(c), 0
	}
	if err := f.advance(ctx, p.file, size); err != nil {
		return nil, err
	}
	return f.sums, nil
}

// advance sums up what lies before end and was not yet. All of it is on the disk: where
// nobody reads it again the system need not keep it in memory, in the room of what other
// programs use.
func (f *following) advance(ctx context.Context, file *os.File, end int64) error {
	begin := f.at
	defer func() {
		if f.last {
			dropBehind(file, begin, f.at)
		}
	}()
	if len(f.sums) == 0 {
		return f.skip(file, end)
	}
	pooled := buffers.Get().(*[]byte)
	defer buffers.Put(pooled)
	for f.at < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		b := (*pooled)[:min(int64(bufferSize), end-f.at)]
		n, err := file.ReadAt(b, f.at)
		f.sums.writeBeside(b[:n])
		f.at += int64(n)
		switch {
		case n == len(b):
		case errors.Is(err, io.EOF):
			return errShort
		default:
			return broken("reading", err)
		}
	}
	return nil
}

// skip goes on where there is nothing to sum up.
func (f *following) skip(file *os.File, end int64) error {
	info, err := file.Stat()
	switch {
	case err != nil:
		return broken("reading", err)
	case info.Size() < end:
		return errShort
	}
	f.at = max(f.at, end)
	return nil
}

// writeBeside is Write with each sum on a processor of its own.
func (s summing) writeBeside(b []byte) {
	if len(s) == 1 {
		_, _ = s.Write(b) // it does not fail
		return
	}
	var group sync.WaitGroup
	for _, h := range s {
		group.Go(func() { h.Write(b) })
	}
	group.Wait()
}

// sumOf is the SHA-256 of a file that is in its place.
func (t *transfer) sumOf(ctx context.Context, name string) (string, error) {
	f, err := t.root.Open(name)
	if err != nil {
		return "", broken("reading", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", broken("reading", err)
	}
	all := &following{sums: t.summing(nil)}
	if err := all.advance(ctx, f, info.Size()); errors.Is(err, errShort) {
		return "", &crawler.FetchError{Class: crawler.ClassChanged, Temporary: true, Err: errors.New("the file that was there becomes shorter")}
	} else if err != nil {
		return "", err
	}
	return all.sums.sha256(), nil
}
