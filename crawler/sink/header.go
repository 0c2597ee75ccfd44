package sink

import (
	"encoding/csv"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler"
)

// Bounds of a header. Where the first record decides on it, a page does; what
// does not fit goes into _extra.
const (
	maxColumns    = 1000
	maxColumnName = 256     // bytes
	maxHeader     = 1 << 20 // bytes read back, more than the bounds above can give
)

// header is the first line of a CSV file.
type header struct {
	columns []string       // the fields
	index   map[string]int // field to column
	deleted bool           // there is a column that tells tombstones
}

// closing are the columns after the fields, in every file, and closingChanges those of
// files that may have tombstones.
var (
	closing        = append(slices.Clone(crawler.ProvenanceNames), extraName)
	closingChanges = append(slices.Clone(crawler.ProvenanceNames), crawler.DeletedName, extraName)
)

func (h *header) closing() []string {
	if h.deleted {
		return closingChanges
	}
	return closing
}

func newHeader(fields []crawler.Field, tombstones bool) *header {
	h := &header{index: make(map[string]int, len(fields)), deleted: tombstones}
	names := recordNames(fields)
	for i, field := range fields {
		name := field.Name
		if names != nil {
			name = names[i]
		}
		// A CR would not survive reading the header back, as CSV readers take
		// CR LF for LF.
		if len(h.columns) == maxColumns || len(name) > maxColumnName || strings.ContainsRune(name, '\r') {
			continue
		}
		h.index[name] = len(h.columns)
		h.columns = append(h.columns, name)
	}
	return h
}

func (h *header) appendTo(dst []byte) []byte {
	for _, name := range h.columns {
		dst = append(appendQuoted(dst, name), ',')
	}
	dst = append(dst, strings.Join(h.closing(), ",")...)
	return append(dst, '\r', '\n')
}

// readHeader takes the columns from the file itself, so that they stay the same
// when a config was changed between two parts of a run.
func readHeader(f *file) (*header, error) {
	r := csv.NewReader(io.NewSectionReader(f.handle, 0, min(f.written, maxHeader)))
	r.FieldsPerRecord = -1
	names, err := r.Read()
	h := &header{deleted: slices.Contains(names, crawler.DeletedName)}
	fields := len(names) - len(h.closing())
	if err != nil || fields < 0 || !slices.Equal(names[fields:], h.closing()) {
		return nil, fmt.Errorf("%w: %s does not begin with the header that the run wrote: put that file back, or start over with --fresh",
			crawler.ErrStop, f.path)
	}
	h.columns, h.index = names[:fields], make(map[string]int, fields)
	for i, name := range h.columns {
		h.index[name] = i
	}
	return h, nil
}

// joinFields appends the fields of more whose names are not there yet. Names
// taken twice within more stay twice: they become columns of their own.
func joinFields(fields, more []crawler.Field) []crawler.Field {
	present := make(map[string]struct{}, len(fields))
	for i := range fields {
		present[fields[i].Name] = struct{}{}
	}
	for i := range more {
		if _, ok := present[more[i].Name]; !ok {
			fields = append(fields, more[i])
		}
	}
	return fields
}
