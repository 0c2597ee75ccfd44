package outbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink/tables"
)

// position is what Flush returns, as JSON.
type position struct {
	Sink    string                    `json:"sink"`
	Streams map[string]streamPosition `json:"streams"`
}

type streamPosition struct {
	Done    int64           `json:"done"`
	Parts   []partPosition  `json:"parts,omitempty"` // not handed on, by their serials; the last may be open
	Columns []tables.Column `json:"columns,omitempty"`
	Rest    bool            `json:"rest,omitempty"`
}

type partPosition struct {
	Serial  int64           `json:"serial"`
	Records int64           `json:"records"`
	Bytes   int64           `json:"bytes"`
	Since   int64           `json:"since"` // in milliseconds
	Closed  bool            `json:"closed,omitempty"`
	Spool   json.RawMessage `json:"spool"`
}

func (o *Outbox) encode() ([]byte, error) {
	p := position{Sink: o.opt.Format, Streams: make(map[string]streamPosition, len(o.streams))}
	for name, s := range o.streams {
		sp := streamPosition{Done: s.done, Columns: s.columns.List(), Rest: s.columns.Rest()}
		for _, part := range s.parts {
			sp.Parts = append(sp.Parts, partPosition{
				Serial: part.Serial, Records: part.Records, Bytes: part.Bytes, Since: part.since.UnixMilli(),
				Closed: part.closed, Spool: part.position,
			})
		}
		p.Streams[name] = sp
	}
	return json.Marshal(p)
}

// CheckPosition reports a position that is no such sink's, as Open does.
func CheckPosition(format string, committed []byte) error {
	if len(committed) == 0 {
		return nil
	}
	_, err := decode(format, committed)
	return err
}

func decode(format string, committed []byte) (p position, err error) {
	dec := json.NewDecoder(bytes.NewReader(committed))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&p); err != nil {
		return p, fmt.Errorf("%w: the position of the %s output cannot be read: %w", crawler.ErrForeignState, format, err)
	}
	if p.Sink != format {
		return p, fmt.Errorf("%w: the run began with another output where the config has %s now: put the outputs back in their order, or start over with --fresh",
			crawler.ErrForeignState, format)
	}
	for name, s := range p.Streams {
		if !s.sound(name) {
			return p, fmt.Errorf("%w: the position of the %s output contradicts itself at %q", crawler.ErrForeignState, format, name)
		}
	}
	return p, nil
}

// sound reports whether an outbox can have written this.
func (s *streamPosition) sound(name string) bool {
	if name == "" || strings.ContainsAny(name, `/\`) || !filepath.IsLocal(name) || s.Done < 0 || len(s.Columns) > tables.MaxColumns+1 { // and that of tombstones
		return false
	}
	last := s.Done
	for i, p := range s.Parts {
		if p.Serial <= last || !p.Closed && i < len(s.Parts)-1 || len(p.Spool) == 0 {
			return false
		}
		last = p.Serial
	}
	for _, c := range s.Columns {
		if c.Kind > tables.Text {
			return false
		}
	}
	return true
}
