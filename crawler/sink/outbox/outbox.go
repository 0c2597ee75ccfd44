package outbox

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink/tables"
)

// maxStreams is how many streams an outbox has at most: each keeps a file open.
const maxStreams = 256

// Options say what parts are and where they go.
type Options struct {
	Format string // the sink's ID, kept in positions
	// Stream names the stream of a record type, as it can stand in a file's name: a
	// part has records of one stream. nil: there is one, "records".
	Stream func(recordType string) string
	// A part is full with so many records, or estimated bytes, or when its first
	// record is so old. Zero: it is not bounded so.
	Records int64
	Bytes   int64
	Age     time.Duration
	// Begin takes away what an earlier run left at the destination. nil: nothing.
	Begin func(ctx context.Context) error
	// Check finds out whether a part that was handed on is still there. nil: nobody can.
	Check func(stream string, serial int64) error
	// Deliver hands a part on. It may be asked for the same part again.
	Deliver func(ctx context.Context, p *Part) error
	Now     func() time.Time // nil: time.Now
}

// Outbox is an open sink that keeps records until they are committed. It is not safe
// for concurrent use.
type Outbox struct {
	opt     Options
	folder  string
	streams map[string]*stream
	sealing bool
	gone    []string // files whose parts the last position does not name any more
	err     error
}

// stream is a sequence of parts.
type stream struct {
	name    string
	done    int64 // the serial of the last part that was handed on
	last    int64 // the highest serial
	parts   []*part
	columns *tables.Columns
}

var errClosed = errors.New("the sink is not open")

// Open brings the outbox to the position, or begins a fresh one. Parts that the
// position says are closed are handed on before it returns. Errors wrap
// crawler.ErrStop, or crawler.ErrForeignState for a position that is not this sink's.
func Open(ctx context.Context, opt Options, run crawler.RunInfo, committed []byte) (*Outbox, error) {
	if opt.Stream == nil {
		opt.Stream = func(string) string { return "records" }
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if run.Folder == "" {
		return nil, fmt.Errorf("%w: the %s output needs a folder for what is not committed, and this run has none", crawler.ErrStop, opt.Format)
	}
	o := &Outbox{opt: opt, folder: run.Folder, streams: map[string]*stream{}}
	var err error
	if len(committed) > 0 {
		err = o.resume(ctx, committed)
	} else {
		err = o.begin(ctx)
	}
	if err == nil {
		err = o.Deliver(ctx)
	}
	if err != nil {
		_ = o.Close() // the error that matters is the one above
		return nil, err
	}
	return o, nil
}

func (o *Outbox) begin(ctx context.Context) error {
	if err := o.clear(nil); err != nil {
		return err
	}
	if o.opt.Begin == nil {
		return nil
	}
	return o.opt.Begin(ctx)
}

// resume takes over what the position names. Nothing is changed before all of it has
// been looked at.
func (o *Outbox) resume(ctx context.Context, committed []byte) error {
	p, err := decode(o.opt.Format, committed)
	if err != nil {
		return err
	}
	keep := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(p.Streams)) {
		s, err := o.take(name, p.Streams[name])
		if err != nil {
			return err
		}
		o.streams[name] = s
		for _, part := range s.parts {
			keep[filepath.Base(part.spool.Path)] = true
		}
	}
	if err := o.clear(keep); err != nil {
		return err
	}
	for _, s := range o.streams {
		if open := s.open(); open != nil {
			if err := open.spool.Open(ctx, crawler.RunInfo{}, open.position); err != nil {
				return err
			}
		}
	}
	return nil
}

// take makes a stream of its position, and looks whether all of it is there.
func (o *Outbox) take(name string, p streamPosition) (*stream, error) {
	s := &stream{name: name, done: p.Done, last: p.Done, columns: tables.Seen(p.Columns, p.Rest)}
	if o.opt.Check != nil {
		for serial := int64(1); serial <= p.Done; serial++ {
			if err := o.opt.Check(name, serial); err != nil {
				return nil, fmt.Errorf("%w: %w", crawler.ErrStop, err)
			}
		}
	}
	for _, pp := range p.Parts {
		part := o.newPart(s, pp.Serial)
		part.Records, part.Bytes, part.since = pp.Records, pp.Bytes, time.UnixMilli(pp.Since)
		part.closed, part.position = pp.Closed, pp.Spool
		if err := part.spool.CheckPosition(pp.Spool); err != nil {
			return nil, fmt.Errorf("%w: %w: put that file back, or start over with --fresh", crawler.ErrStop, err)
		}
		s.parts = append(s.parts, part)
		s.last = pp.Serial
	}
	return s, nil
}

// clear removes the files of the folder that are not to be kept.
func (o *Outbox) clear(keep map[string]bool) error {
	entries, err := os.ReadDir(o.folder)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if !keep[e.Name()] && filepath.Ext(e.Name()) == spoolExt {
			err = errors.Join(err, os.Remove(filepath.Join(o.folder, e.Name())))
		}
	}
	if err != nil {
		return fmt.Errorf("%w: %w", crawler.ErrStop, err)
	}
	return nil
}

// IsOpen reports whether Close is still to come. A nil outbox is not open.
func (o *Outbox) IsOpen() bool { return o != nil && o.err != errClosed }

func (o *Outbox) ready() error {
	if o == nil {
		return errClosed
	}
	return o.err
}

// fail keeps the first failure: nobody knows what is on the disk after it.
func (o *Outbox) fail(err error) error {
	if err != nil && o.err == nil {
		o.err = err
	}
	return err
}

// Write adds records to the open parts.
func (o *Outbox) Write(ctx context.Context, records []crawler.Record) error {
	if err := o.ready(); err != nil {
		return err
	}
	for i := range records {
		r := &records[i]
		p, s, err := o.partFor(ctx, r.Type)
		if err != nil {
			return o.fail(err)
		}
		if err := p.spool.Write(ctx, records[i:i+1]); err != nil {
			return o.fail(err)
		}
		s.columns.Admit(r)
		p.Records++
		p.Bytes += int64(crawler.SizeOfFields(r.Fields)) + provenanceBytes
	}
	return nil
}

// partFor is the open part for a record type.
func (o *Outbox) partFor(ctx context.Context, recordType string) (*part, *stream, error) {
	name := o.opt.Stream(recordType)
	s := o.streams[name]
	if s == nil {
		if len(o.streams) >= maxStreams {
			return nil, nil, fmt.Errorf("%w: more than %d record types for one %s output: write them without {type}", crawler.ErrStop, maxStreams, o.opt.Format)
		}
		s = &stream{name: name, columns: &tables.Columns{}}
		o.streams[name] = s
	}
	if p := s.open(); p != nil {
		return p, s, nil
	}
	s.last++
	p := o.newPart(s, s.last)
	p.since = o.opt.Now()
	if err := p.spool.Open(ctx, crawler.RunInfo{}, nil); err != nil {
		return nil, nil, err
	}
	s.parts = append(s.parts, p)
	return p, s, nil
}

// open is the part that takes records, nil without one.
func (s *stream) open() *part {
	if n := len(s.parts); n > 0 && !s.parts[n-1].closed {
		return s.parts[n-1]
	}
	return nil
}

// Seal has the next Flush close every part.
func (o *Outbox) Seal() {
	if o != nil {
		o.sealing = true
	}
}

// Flush makes everything written durable, closes what is full, and returns the
// position.
func (o *Outbox) Flush(ctx context.Context) ([]byte, error) {
	if err := o.ready(); err != nil {
		return nil, err
	}
	for _, s := range o.streams {
		p := s.open()
		if p == nil {
			continue
		}
		var err error
		if p.position, err = p.spool.Flush(ctx); err != nil {
			return nil, o.fail(err)
		}
		if o.sealing || o.full(p) {
			p.closed = true
			if err := p.spool.Close(); err != nil {
				return nil, o.fail(fmt.Errorf("%w: %w", crawler.ErrStop, err))
			}
		}
	}
	o.sealing = false
	o.forget()
	return o.encode()
}

func (o *Outbox) full(p *part) bool {
	return o.opt.Records > 0 && p.Records >= o.opt.Records || o.opt.Bytes > 0 && p.Bytes >= o.opt.Bytes ||
		o.opt.Age > 0 && o.opt.Now().Sub(p.since) >= o.opt.Age
}

// forget leaves what was handed on out of the position. Its files go once that is
// committed.
func (o *Outbox) forget() {
	for _, s := range o.streams {
		for len(s.parts) > 0 && s.parts[0].delivered {
			s.done = s.parts[0].Serial
			o.gone = append(o.gone, s.parts[0].spool.Path)
			s.parts = s.parts[1:]
		}
	}
}

// Deliver hands on what the last Flush closed. See crawler.Deliverer.
func (o *Outbox) Deliver(ctx context.Context) error {
	if err := o.ready(); err != nil {
		return err
	}
	for _, path := range o.gone {
		_ = os.Remove(path) // what stays is removed when the outbox is opened again
	}
	o.gone = o.gone[:0]
	for _, name := range slices.Sorted(maps.Keys(o.streams)) {
		s := o.streams[name]
		for _, p := range s.parts {
			if !p.closed || p.delivered {
				continue
			}
			p.Columns = s.columns
			if err := o.opt.Deliver(ctx, &p.Part); err != nil {
				return o.fail(err)
			}
			p.delivered = true
		}
	}
	return nil
}

// Close gives the files back. Records that were not flushed are dropped.
func (o *Outbox) Close() error {
	if !o.IsOpen() {
		return nil
	}
	o.err = errClosed
	var failures []error
	for _, s := range o.streams {
		for _, p := range s.parts {
			failures = append(failures, p.spool.Close())
		}
	}
	return errors.Join(failures...)
}
