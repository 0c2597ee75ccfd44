package sink

import (
	"context"
	"encoding/json"
	"math"
	"strings"

	"github.com/amblecrawl/amble/crawler"
)

// CSV writes records as RFC 4180 says, lines ending in CR LF. The columns are
// the fields that the record types of the file are known to have (or, where
// only the pages will tell, those of the first record), the provenance, and
// _extra: a JSON object of the fields that have no column. They stay as they
// are for the life of the file. Where a crawl writes changes, a column _deleted before
// _extra is true in tombstones and empty otherwise.
//
// Lists and objects are JSON. A null is an empty cell, an empty string is "".
// Values are written as they were found, also those that begin with =, +, - or
// @: a spreadsheet may take them for formulas, so import such files as text.
type CSV struct {
	Path string `yaml:"path,scalar" doc:"The file, relative to the config; {type}, {run} and {date} stand for the record type, the run and its first day. - is standard output."`

	files   *files
	disk    disk // nil: the system's
	headers map[*file]*header
	cells   []any           // one row's fields by column, reused
	extra   []crawler.Field // one row's fields without a column, reused
	scratch []byte          // one cell's JSON, reused
}

// Validate reports a path that cannot be one, as a *crawler.ConfigError.
func (c *CSV) Validate() error { return checkPath(c.Path) }

// Open prepares the files as JSONL.Open does, and their headers.
func (c *CSV) Open(_ context.Context, run crawler.RunInfo, position []byte) error {
	if c.files.ready() == nil {
		return errOpen
	}
	opened, err := openFiles(c.disk, "csv", c.Path, run, position)
	if err != nil {
		return err
	}
	c.files, c.headers = opened, map[*file]*header{}
	for _, f := range opened.byKey {
		if err := c.prepare(f); err != nil {
			_ = c.Close()
			return err
		}
	}
	return nil
}

// prepare reads the header of a file that has one, and begins a file whose
// fields are all known.
func (c *CSV) prepare(f *file) error {
	if f.size() > 0 && !f.stream {
		if err := c.files.use(f); err != nil {
			return err
		}
		h, err := readHeader(f)
		c.headers[f] = h
		return err
	}
	if fields, all := c.knownFields(f); all {
		c.headers[f] = newHeader(fields, c.files.run.Tombstones)
		f.buf = c.headers[f].appendTo(f.buf)
	}
	return nil
}

// knownFields joins the fields of the record types that go to a file, and tells
// whether these are all the fields there can be.
func (c *CSV) knownFields(f *file) (fields []crawler.Field, all bool) {
	for _, t := range c.files.run.Types {
		if c.files.byType[t.Name] != f {
			continue
		}
		if t.Fields == nil {
			return fields, false
		}
		own := make([]crawler.Field, len(t.Fields))
		for i, name := range t.Fields {
			own[i].Name = name
		}
		fields = joinFields(fields, own)
		all = true
	}
	return fields, all
}

// Write appends records; they may stay in memory until Flush.
func (c *CSV) Write(ctx context.Context, records []crawler.Record) error {
	if err := c.files.ready(); err != nil {
		return err
	}
	for i := range records {
		r := &records[i]
		f, err := c.files.of(ctx, r.Type)
		if err != nil {
			return c.files.fail(err)
		}
		h := c.headers[f]
		if h == nil {
			known, _ := c.knownFields(f)
			h = newHeader(joinFields(known, r.Fields), c.files.run.Tombstones)
			c.headers[f] = h
			f.buf = h.appendTo(f.buf)
		}
		f.buf = c.appendRow(f.buf, h, r)
	}
	return nil
}

func (c *CSV) appendRow(dst []byte, h *header, r *crawler.Record) []byte {
	c.arrange(h, r)
	for _, value := range c.cells {
		dst = append(c.appendCell(dst, value), ',')
	}
	for i := range crawler.ProvenanceNames {
		if value := provenance(r, i); value != "" {
			dst = appendQuoted(dst, cleanUTF8(value))
		}
		dst = append(dst, ',')
	}
	if h.deleted {
		if r.Deleted {
			dst = append(dst, "true"...)
		}
		dst = append(dst, ',')
	}
	if len(c.extra) > 0 {
		dst = c.appendCell(dst, c.extra)
	}
	clear(c.cells)
	clear(c.extra)
	if cap(c.scratch) > 4*bufferSize {
		c.scratch = nil
	}
	return append(dst, '\r', '\n')
}

// arrange sorts a record's fields into the columns and the rest.
func (c *CSV) arrange(h *header, r *crawler.Record) {
	if cap(c.cells) < len(h.columns) {
		c.cells = make([]any, len(h.columns))
	}
	c.cells, c.extra = c.cells[:len(h.columns)], c.extra[:0]
	names := recordNames(r.Fields)
	for i, field := range r.Fields {
		if names != nil {
			field.Name = names[i]
		}
		if column, ok := h.index[field.Name]; ok {
			c.cells[column] = field.Value
			continue
		}
		c.extra = append(c.extra, field)
	}
}

func (c *CSV) appendCell(dst []byte, value any) []byte {
	switch v := value.(type) {
	case nil:
		return dst
	case string:
		return appendQuoted(dst, cleanUTF8(v))
	case bool, int64, int:
		return appendValue(dst, v, 0)
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return dst
		}
		return appendFloat(dst, v)
	case []any, []crawler.Field, json.RawMessage:
		c.scratch = appendValue(c.scratch[:0], v, 0)
		return appendQuoted(dst, string(c.scratch))
	}
	// A JSON string of something unforeseen, as a plain one.
	c.scratch = appendValue(c.scratch[:0], value, 0)
	return appendQuoted(dst, strings.Trim(string(c.scratch), `"`))
}

// appendQuoted appends a cell, in quotes where RFC 4180 asks for them, where
// blanks at an end could get lost, and to tell the empty string from null.
func appendQuoted(dst []byte, s string) []byte {
	if s != "" && s[0] != ' ' && s[len(s)-1] != ' ' && !strings.ContainsAny(s, ",\"\r\n") {
		return append(dst, s...)
	}
	dst = append(dst, '"')
	for {
		i := strings.IndexByte(s, '"')
		if i < 0 {
			break
		}
		dst = append(dst, s[:i+1]...)
		dst = append(dst, '"')
		s = s[i+1:]
	}
	dst = append(dst, s...)
	return append(dst, '"')
}

// Flush makes every record written so far durable and returns the position.
func (c *CSV) Flush(ctx context.Context) ([]byte, error) { return c.files.flush(ctx) }

// Places lists the files.
func (c *CSV) Places() []string { return c.files.places() }

// Close closes the files. Records that were not flushed are dropped.
func (c *CSV) Close() error { return c.files.close() }
