package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/rows"
	"github.com/amblecrawl/amble/crawler/urls"
)

// sampledRows are looked at before a run; the others become what they become.
const sampledRows = 1000

// request makes the requests of a dataset's rows.
type request struct {
	seed    *Seed
	name    string // of the dataset, in messages and in the rows' identity
	id      string // what tells this seed's rows from those of others
	keyID   string // likewise, of rows with a key
	url     *rows.Template
	body    *rows.Template // nil without one
	headers map[string]*rows.Template
	typed   string // a Content-Type that the body implies
}

// request prepares a seed of rows. The error is a *rowError.
func (c *Config) request(s *Seed) (*request, error) {
	r := &request{seed: s, name: c.datasetName(s), headers: map[string]*rows.Template{}}
	if len(s.Key) > 0 {
		r.keyID = c.keyIdentity(s, r.name)
	}
	r.id = c.secrets.everywhere(strings.Join(append([]string{r.name, s.Method, s.URL, s.Body}, s.Rows.identity()...), "\x00"))
	var err error
	if r.url, err = rows.Parse(s.URL, rows.URL); err != nil {
		return nil, &rowError{[]string{"url"}, err}
	}
	kind := ""
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		if r.headers[name], err = rows.Parse(s.Headers[name], rows.Text); err != nil {
			return nil, &rowError{[]string{"headers", name}, err}
		}
		if http.CanonicalHeaderKey(name) == "Content-Type" {
			kind = strings.ToLower(s.Headers[name])
		}
	}
	if s.Body == "" {
		return r, nil
	}
	in := rows.Text
	switch begin := strings.TrimSpace(s.Body)[:min(1, len(strings.TrimSpace(s.Body)))]; {
	case strings.Contains(kind, "json"), kind == "" && (begin == "{" || begin == "["):
		in = rows.JSON
		r.typed = "application/json"
	case strings.HasPrefix(kind, "application/x-www-form-urlencoded"):
		in = rows.Form
	case kind == "":
		r.typed = "text/plain; charset=utf-8"
	}
	if kind != "" {
		r.typed = ""
	}
	if r.body, err = rows.Parse(s.Body, in); err != nil {
		return nil, &rowError{[]string{"body"}, err}
	}
	if in == rows.JSON && r.body.Constant() && !json.Valid([]byte(s.Body)) {
		return nil, &rowError{[]string{"body"}, errors.New("the body is not JSON")}
	}
	return r, nil
}

// rowError is a mistake in a seed of rows, below these keys.
type rowError struct {
	path []string
	err  error
}

func (e *rowError) Error() string { return strings.Join(e.path, ".") + ": " + e.err.Error() }

// templates are those of the seed, each with its keys.
func (r *request) templates(each func(t *rows.Template, path ...string)) {
	each(r.url, "url")
	if r.body != nil {
		each(r.body, "body")
	}
	for _, name := range slices.Sorted(maps.Keys(r.headers)) {
		each(r.headers[name], "headers", name)
	}
}

// seedOf makes a seed of a row. One that makes no request has a fault.
func (r *request) seedOf(row *rows.Row) crawler.Seed {
	s := crawler.Seed{Types: []string{r.seed.Type}, Carry: carried(row.Fields), Idempotent: r.seed.Idempotency, Place: r.where(row)}
	err := r.know(&s, row)
	if err == nil {
		err = row.Err
	}
	if err == nil {
		err = r.fill(&s, &rows.Batch{Rows: []*rows.Row{row}})
	}
	if err == nil && crawler.SizeOfValues(s.Carry) > crawler.MaxRow {
		err = errTooMuch
	}
	if err != nil {
		s.Fault = fmt.Errorf("%s: %w", s.Place, err)
		s.URL, s.Call = urls.URL{}, nil
	}
	return s
}

var errTooMuch = fmt.Errorf("its values are more than the %d KiB that a row may have", crawler.MaxRow>>10)

// carried are the columns that the row's records keep: not those that amble itself
// gives to records, as when its own output is enriched further.
func carried(columns []crawler.Field) []crawler.Field {
	return slices.DeleteFunc(slices.Clone(columns), func(f crawler.Field) bool { return crawler.IsOwn(f.Name) })
}

// text fills a template for a row, or for the rows of a batch.
func (r *request) text(t *rows.Template, b *rows.Batch) (string, error) {
	if r.seed.Batch.Size > 0 {
		return t.FillAll(b)
	}
	return t.Fill(b.Rows[0])
}

func (r *request) fill(s *crawler.Seed, b *rows.Batch) error {
	text, err := r.text(r.url, b)
	if err != nil {
		return fmt.Errorf("url: %w", err)
	}
	if s.URL, err = parseSeed(text); err != nil {
		return fmt.Errorf("url: %w: %q", err, short(text))
	}
	call := &crawler.Call{Method: r.seed.Method, Header: http.Header{}}
	if call.Method == "" && r.body != nil {
		call.Method = http.MethodPost
	}
	for name, t := range r.headers {
		text, err := r.text(t, b)
		if err != nil {
			return fmt.Errorf("headers.%s: %w", name, err)
		}
		call.Header.Set(name, text)
	}
	if r.body != nil {
		if call.Body, err = r.text(r.body, b); err != nil {
			return fmt.Errorf("body: %w", err)
		}
	}
	if r.typed != "" {
		call.Header.Set("Content-Type", r.typed)
	}
	s.Call = call
	return call.Check()
}

// eachRow yields a seed for each row behind those that were taken, and reports
// whether to go on.
func (c *Config) eachRow(s Seed, taken Taken, yield func(crawler.Seed, error) bool) bool {
	fail := func(err error) bool {
		yield(crawler.Seed{}, err)
		return false
	}
	r, err := c.request(&s)
	if err != nil { // a config that loaded has none
		return fail(fmt.Errorf("seeds: %w", err))
	}
	mark := r.mark()
	behind, err := taken.of(mark)
	if err != nil {
		return fail(err)
	}
	in, err := r.open()
	if err != nil {
		return fail(fmt.Errorf("%s: %w", s.Rows.File, err))
	}
	defer in.Close()
	give := r.giver(func(seed crawler.Seed, last int64) bool {
		if last > 0 {
			seed.Dataset, seed.Number = mark, last
		}
		return yield(seed, nil)
	})
	for {
		row, err := in.Next()
		if err == io.EOF {
			return give(nil)
		}
		if err != nil {
			return fail(fmt.Errorf("%s: %w", s.Rows.File, err))
		}
		if row.Number > behind && !give(row) {
			return false
		}
	}
}

// Taken tells how many rows of a dataset the run has taken already; nil: none.
type Taken func(dataset string) (int64, error)

func (t Taken) of(dataset string) (int64, error) {
	if t == nil {
		return 0, nil
	}
	return t(dataset)
}

// RowTypes are the record types of rows with their columns, nil where the format of
// a dataset has no header.
func (c *Config) RowTypes() []crawler.RecordType {
	var types []crawler.RecordType
	for i := range c.Seeds {
		s := &c.Seeds[i]
		if s.Rows.empty() {
			continue
		}
		t := crawler.RecordType{Name: s.Type}
		if r, err := c.request(s); err == nil && !s.Rows.queried() {
			if in, err := r.open(); err == nil {
				t.Fields = slices.DeleteFunc(slices.Clone(in.Columns()), crawler.IsOwn)
				in.Close()
			}
		}
		types = append(types, t)
	}
	return types
}
