package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
	"github.com/amblecrawl/amble/crawler/sink"
	"github.com/amblecrawl/amble/crawler/sink/outbox"
)

// store is an open bucket and where a run's parts lie in it.
type store struct {
	target target
	bucket bucket.Bucket
	parts  *sink.Parts
	run    crawler.RunInfo

	clock             outbox.Clock
	timeout, patience time.Duration
	guard             exchange  // nil: requests are made at once
	ends              time.Time // when the patience with what is under way does
}

// ask makes a request about an object.
func (s *store) ask(ctx context.Context, method, key string, do func(context.Context) error) error {
	if s.guard == nil {
		return do(ctx)
	}
	return s.guarded(ctx, key, bucket.Exchange{Method: method}, do)
}

// guarded makes a request when it is let, for which it waits no longer than patience
// lasts. Once it is made it has the time of its try.
func (s *store) guarded(ctx context.Context, key string, x bucket.Exchange, do func(context.Context) error) error {
	waiting, cancel := context.WithTimeout(ctx, max(s.ends.Sub(s.clock.Now()), time.Second))
	defer cancel()
	return s.guard(waiting, key, x, func(granted context.Context) error {
		try, cancel := context.WithCancel(context.WithoutCancel(granted))
		defer cancel()
		defer context.AfterFunc(ctx, cancel)()
		return do(try)
	})
}

func (s *store) put(ctx context.Context, key string, body *io.SectionReader, o bucket.WriteOptions) error {
	if s.guard != nil {
		o.Exchange = func(ctx context.Context, x bucket.Exchange, do func(context.Context) error) error {
			return s.guarded(ctx, key, x, do)
		}
	}
	return s.bucket.Put(ctx, key, body, o)
}

func (s *store) delete(ctx context.Context, key string) error {
	return s.ask(ctx, http.MethodDelete, key, func(ctx context.Context) error { return s.bucket.Delete(ctx, key) })
}

func (b *Blob) newStore(ctx context.Context, run crawler.RunInfo) (*store, error) {
	t, err := targetOf(b.URL)
	if err != nil {
		return nil, err
	}
	if t.scheme == bucket.Folder {
		if err := os.MkdirAll(strings.TrimPrefix(t.bucket, "file://"), 0o755); err != nil {
			return nil, err
		}
	}
	opened, err := bucket.Open(ctx, b.options(t))
	if err != nil {
		return nil, err
	}
	return &store{
		target: t, bucket: opened, parts: sink.NewParts(t.key, run), run: run,
		clock: b.clock, timeout: b.Timeout, patience: b.Patience, guard: b.guard,
	}, nil
}

// key is that of a part.
func (s *store) key(stream string, serial int64) string {
	return filepath.ToSlash(s.parts.File(stream, serial))
}

// begin deletes the parts of an earlier run, and finds out whether this one can write.
func (s *store) begin(ctx context.Context) error {
	streams := []string{s.parts.Stream("")}
	if strings.Contains(s.target.key, "{type}") && len(s.run.Types) > 0 {
		streams = nil
		for _, t := range s.run.Types {
			streams = append(streams, s.parts.Stream(t.Name))
		}
	}
	// Who may write need not be allowed to delete. The empty object stays then.
	probe := s.key(streams[0], 1) + ".probe"
	err := s.persist(ctx, func(ctx context.Context) error {
		return s.put(ctx, probe, io.NewSectionReader(strings.NewReader(""), 0, 0), bucket.WriteOptions{})
	})
	if err != nil {
		return s.stop("write to", err)
	}
	_ = s.once(ctx, func(ctx context.Context) error { return s.delete(ctx, probe) })
	if strings.Contains(s.target.key, "{run}") {
		return nil
	}
	for _, stream := range streams {
		if err := s.clear(ctx, stream); err != nil {
			return err
		}
	}
	return nil
}

// clear deletes the parts of a stream.
func (s *store) clear(ctx context.Context, stream string) error {
	before, after := s.parts.Around(stream)
	before, after = filepath.ToSlash(before), filepath.ToSlash(after)
	for next, more := "", true; more; more = next != "" {
		var page bucket.Page
		err := s.persist(ctx, func(ctx context.Context) error {
			return s.ask(ctx, http.MethodGet, before, func(ctx context.Context) (err error) {
				page, err = s.bucket.List(ctx, bucket.ListOptions{Prefix: before, After: next})
				return err
			})
		})
		if err != nil {
			return s.stop("look for the parts of an earlier run in", err)
		}
		next = page.Next
		for _, object := range page.Objects {
			number, ok := strings.CutSuffix(strings.TrimPrefix(object.Key, before), after)
			if !ok || !sink.IsPartNumber(number) {
				continue
			}
			if err := s.persist(ctx, func(ctx context.Context) error { return s.delete(ctx, object.Key) }); err != nil {
				return s.stop("delete the parts of an earlier run from", err)
			}
		}
	}
	return nil
}

// deliver writes a part to a file, since its size is to be known, and that to the
// bucket.
func (s *store) deliver(ctx context.Context, p *outbox.Part) error {
	path := filepath.Join(s.run.Folder, "object.tmp")
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("%w: %w", crawler.ErrStop, err)
	}
	defer func() { _ = errors.Join(f.Close(), os.Remove(path)) }() // another run of this would cut it
	if err := encode(ctx, f, p, s.target.format); err != nil {
		return fmt.Errorf("%w: making the object for %s: %w", crawler.ErrStop, s.target.bucket, err)
	}
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("%w: %w", crawler.ErrStop, err)
	}
	err = s.persist(ctx, func(ctx context.Context) error {
		return s.put(ctx, s.key(p.Stream, p.Serial), io.NewSectionReader(f, 0, info.Size()), bucket.WriteOptions{ContentType: contentTypes[s.target.format]})
	})
	if err != nil {
		return s.stop("write to", err)
	}
	return nil
}

func (s *store) once(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return call(ctx)
}

func (s *store) persist(ctx context.Context, call func(context.Context) error) error {
	s.ends = s.clock.Now().Add(s.patience)
	retry := outbox.Retry{Clock: s.clock, Patience: s.patience, Passing: s.passing, Place: s.target.bucket, Log: s.run.Log}
	return retry.Persist(ctx, func() error { return s.once(ctx, call) })
}

// passing reports a failure that another try may not meet, and the wait that the
// service asks for.
func (s *store) passing(err error) (again bool, after time.Duration) {
	failed, ok := errors.AsType[*bucket.Error](err)
	if !ok {
		return false, 0
	}
	if seconds, err := strconv.ParseUint(failed.Header.Get("Retry-After"), 10, 31); err == nil {
		after = time.Duration(seconds) * time.Second
	}
	switch status := failed.Status; {
	case status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status >= 500:
		return true, after
	case status != 0, s.target.scheme == bucket.Folder:
		return false, 0
	}
	return true, after // no answer came
}

// stop wraps a failure with the bucket and what can be done about it.
func (s *store) stop(action string, err error) error {
	cure := "run again to resume when that is mended"
	switch {
	case errors.Is(err, bucket.ErrDenied):
		cure = "allow the key to write there, and to list and delete unless the url holds {run}; or name another bucket"
	case errors.Is(err, bucket.ErrNoBucket):
		cure = "make it, or name another bucket"
	case errors.Is(err, bucket.ErrMoved):
		cure = "give its region or endpoint"
	}
	return fmt.Errorf("%w: cannot %s %s: %w (%s)", crawler.ErrStop, action, s.target.bucket, err, cure)
}
