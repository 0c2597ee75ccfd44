package config

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

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
	url     *rows.Template
	body    *rows.Template // nil without one
	headers map[string]*rows.Template
	typed   string // a Content-Type that the body implies
}

// request prepares a seed of rows. The error is a *rowError.
func (c *Config) request(s *Seed) (*request, error) {
	r := &request{seed: s, name: s.Rows, headers: map[string]*rows.Template{}}
	if rel, err := filepath.Rel(c.Dir, s.Rows); err == nil && filepath.IsLocal(rel) {
		r.name = filepath.ToSlash(rel)
	}
	r.id = c.Redact(strings.Join([]string{r.name, s.Method, s.URL, s.Body}, "\x00"))
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

// open opens the dataset.
func (r *request) open() (*rows.Reader, error) {
	delimiter, _ := utf8.DecodeRuneInString(r.seed.Delimiter)
	if r.seed.Delimiter == "" {
		delimiter = 0
	}
	return rows.Open(r.seed.Rows, delimiter)
}

// seedOf makes a seed of a row. One that makes no request has a fault.
func (r *request) seedOf(row *rows.Row) crawler.Seed {
	s := crawler.Seed{
		Row:   max(1, xxh3.HashString(fmt.Sprintf("%s\x00%d", r.id, row.Number))),
		Types: []string{r.seed.Type}, Carry: carried(row.Fields), Idempotent: r.seed.Idempotency,
	}
	err := row.Err
	if err == nil {
		err = r.fill(&s, row)
	}
	if err == nil && crawler.SizeOfFields(s.Carry) > crawler.MaxCarried {
		err = fmt.Errorf("its values are more than the %d KiB that a row may have", crawler.MaxCarried>>10)
	}
	if err != nil {
		s.Fault = fmt.Errorf("%s:%d: %w", r.name, row.Line, err)
		s.URL, s.Call = urls.URL{}, nil
	}
	return s
}

// carried are the columns that the row's records keep: not those that amble itself
// gives to records, as when its own output is enriched further.
func carried(columns []crawler.Field) []crawler.Field {
	return slices.DeleteFunc(slices.Clone(columns), func(f crawler.Field) bool { return isOwn(f.Name) })
}

func isOwn(name string) bool {
	return name == crawler.FieldError || name == crawler.FieldErrorDetail || name == "_extra" || slices.Contains(crawler.ProvenanceNames, name)
}

func (r *request) fill(s *crawler.Seed, row *rows.Row) error {
	text, err := r.url.Fill(row)
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
		text, err := t.Fill(row)
		if err != nil {
			return fmt.Errorf("headers.%s: %w", name, err)
		}
		call.Header.Set(name, text)
	}
	if r.body != nil {
		if call.Body, err = r.body.Fill(row); err != nil {
			return fmt.Errorf("body: %w", err)
		}
	}
	if r.typed != "" {
		call.Header.Set("Content-Type", r.typed)
	}
	s.Call = call
	return call.Check()
}

// eachRow yields a seed for each row, and reports whether to go on.
func (c *Config) eachRow(s Seed, yield func(crawler.Seed, error) bool) bool {
	fail := func(err error) bool {
		yield(crawler.Seed{}, err)
		return false
	}
	r, err := c.request(&s)
	if err != nil { // a config that loaded has none
		return fail(fmt.Errorf("seeds: %w", err))
	}
	in, err := r.open()
	if err != nil {
		return fail(fmt.Errorf("%s: %w", s.Rows, err))
	}
	defer in.Close()
	for {
		row, err := in.Next()
		if err == io.EOF {
			return true
		}
		if err != nil {
			return fail(fmt.Errorf("%s: %w", s.Rows, err))
		}
		if !yield(r.seedOf(row), nil) {
			return false
		}
	}
}

// RowTypes are the record types of rows with their columns, nil where the format of
// a dataset has no header.
func (c *Config) RowTypes() []crawler.RecordType {
	var types []crawler.RecordType
	for i := range c.Seeds {
		s := &c.Seeds[i]
		if s.Rows == "" {
			continue
		}
		t := crawler.RecordType{Name: s.Type}
		if r, err := c.request(s); err == nil {
			if in, err := r.open(); err == nil {
				t.Fields = slices.DeleteFunc(slices.Clone(in.Columns()), isOwn)
				in.Close()
			}
		}
		types = append(types, t)
	}
	return types
}

// holds reports whether a value of the environment stands in what rows send, but
// for the host.
func (s *Seed) holds(forms []spelling) bool {
	authority := afterScheme(s.URL)
	behind := ""
	if at := strings.IndexAny(authority, "/?#"); at >= 0 {
		authority, behind = authority[:at], authority[at:]
	}
	user := authority[:max(0, strings.LastIndexByte(authority, '@'))]
	texts := append(slices.Collect(maps.Values(s.Headers)), user, behind, s.Body)
	return slices.ContainsFunc(texts, func(text string) bool {
		return slices.ContainsFunc(forms, func(f spelling) bool { return strings.Contains(text, f.text) })
	})
}

// rowKeys reports keys that only rows have, beside a seed of another kind.
func (k *seedCheck) rowKeys(n *node) (found bool) {
	for _, key := range []string{"delimiter", "method", "headers", "body", "type", "idempotency"} {
		if n.kind == mappingKind && n.get(key) != nil {
			k.errorf(n.get(key).place, "add rows: and a file", "seeds: %s belongs to rows", key)
			found = true
		}
	}
	return found
}

// rows checks a seed of rows: its templates, its dataset, and its first rows.
func (k *seedCheck) rows(c *Config, i int, n *node) {
	s := &c.Seeds[i]
	at, mistakes := n.below([]string{"rows"}), len(k.found)
	if s.Sitemap != "" || s.File != "" {
		return
	}
	if s.URL == "" {
		k.errorf(n.place, "such as url: https://api.example/v1/{{id}}", "seeds: rows need the template of a URL")
		return
	}
	k.rowType(c, s, n)
	k.rowMethod(s, n)
	r, err := c.request(s)
	if err != nil {
		k.templateError(err, n)
		return
	}
	if utf8.RuneCountInString(s.Delimiter) > 1 {
		k.errorf(n.below([]string{"delimiter"}).place, `one character, such as ";" or "\t"`, "seeds: not a delimiter; found %s", n.below([]string{"delimiter"}))
		return
	}
	in, err := r.open()
	if err != nil {
		k.errorf(at.place, "", "seeds: cannot read the rows: %v; found %s", err, at)
		return
	}
	defer in.Close()
	if k.columns(r, in.Columns(), n); len(k.found) == mistakes {
		k.sample(r, in, n)
	}
}

// someColumns are those of the first rows, where a format has no header.
func (r *request) someColumns() (columns []string) {
	in, err := r.open()
	if err != nil {
		return nil
	}
	defer in.Close()
	for range sampledRows {
		row, err := in.Next()
		if err != nil {
			break
		}
		for _, f := range row.Fields {
			if len(columns) < rows.MaxColumns && !slices.Contains(columns, f.Name) {
				columns = append(columns, f.Name)
			}
		}
	}
	return columns
}

// rowType finds the record type of a seed's rows.
func (k *seedCheck) rowType(c *Config, s *Seed, n *node) {
	var types []string
	for _, r := range c.Extract {
		if !slices.Contains(types, r.Type) {
			types = append(types, r.Type)
		}
	}
	if len(types) == 0 {
		types = []string{"page"}
	}
	switch at := n.below([]string{"type"}); {
	case s.Type == "" && len(types) == 1:
		s.Type = types[0]
	case s.Type == "":
		k.errorf(n.place, "add type: with one of "+strings.Join(types, ", "), "seeds: the rows' records may be of several types")
	case !slices.Contains(types, s.Type):
		hint := ""
		if near := nearest(s.Type, types); near != "" {
			hint = "did you mean " + near + "?"
		}
		k.errorf(at.place, hint, "seeds: no record type under extract has the name; found %s", at)
	}
}

func (k *seedCheck) rowMethod(s *Seed, n *node) {
	at := n.below([]string{"method"})
	s.Method = strings.ToUpper(s.Method)
	call := crawler.Call{Method: cmp.Or(s.Method, "GET")}
	switch err := call.Check(); {
	case err != nil:
		k.errorf(at.place, "GET, POST, PUT, PATCH or DELETE", "seeds: not a method; found %s", at)
	case s.Body != "" && (s.Method == http.MethodGet || s.Method == http.MethodHead):
		k.errorf(at.place, "leave out the body, or use POST", "seeds: a %s request has no body", s.Method)
	case s.Idempotency && s.Body == "" && call.Repeatable():
		k.errorf(n.below([]string{"idempotency"}).place, "remove it: such a request may be repeated as it is", "seeds: %s needs no idempotency key", call.Method)
	}
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		if err := (&crawler.Call{Header: http.Header{name: nil}}).Check(); err != nil {
			k.errorf(n.below([]string{"headers", name}).place, "", "seeds: %v", err)
		}
	}
}

// templateError shows a mistake at its place in a template.
func (k *seedCheck) templateError(err error, n *node) {
	re, ok := errors.AsType[*rowError](err)
	if !ok {
		k.foreign(n.place, "", "seeds: "+err.Error())
		return
	}
	at := n.below(re.path)
	place, hint := at.place, ""
	if se, ok := errors.AsType[*rows.SyntaxError](re.err); ok {
		place, hint = at.at(at.text, se.Offset), se.Hint
	}
	k.foreign(place, hint, "seeds: "+re.Error())
}

// sample reads the first rows and tells of those that make no request. It reads all
// of them where the hosts of the scope are in the rows.
func (k *seedCheck) sample(r *request, in *rows.Reader, n *node) {
	most := int64(sampledRows)
	if k.hostsOnly == nil && !strings.Contains(afterScheme(r.url.Prefix()), "/") && !r.url.Constant() {
		most = 1 << 62
	}
	told := 0
	var first error
	for count := int64(0); count < most; count++ {
		row, err := in.Next()
		if err == io.EOF {
			if count == 0 {
				k.warnf(n.below([]string{"rows"}).place, "", "seeds: the dataset has no rows; found %s", n.below([]string{"rows"}))
			}
			break
		}
		if err != nil {
			k.errorf(n.below([]string{"rows"}).place, "", "seeds: cannot read the rows: %v", err)
			return
		}
		s := r.seedOf(row)
		if s.Fault == nil {
			if rule := k.outside(s.URL, crawler.KindPage); rule != "" && first == nil {
				first = errors.New(rule)
			}
			continue
		}
		if told++; told <= maxLineMistakes {
			src := &source{name: r.seed.Rows, first: int(row.Line) - 1, lines: []string{""}}
			k.warnf(place{src, int(row.Line), 1}, "the row gets a record with this error", "%s", k.secrets.hide(errors.Unwrap(s.Fault).Error()))
			k.found[len(k.found)-1].Excerpt = "" // a row may take many lines
		}
	}
	if first != nil {
		at := n.below([]string{"url"})
		k.errorf(at.place, "widen the scope", "the rows lead outside of the scope: %s", k.secrets.hide(first.Error()))
	}
}

// afterScheme is the text behind "://", "" where a column stands in the scheme.
func afterScheme(prefix string) string {
	_, rest, _ := strings.Cut(prefix, "://")
	return rest
}

// columns looks for columns that a template names and the dataset has not.
func (k *seedCheck) columns(r *request, columns []string, n *node) {
	if columns == nil {
		if columns = r.someColumns(); columns == nil {
			return // each row says what is wrong with it
		}
	}
	r.templates(func(t *rows.Template, path ...string) {
		at := n.below(path)
		for _, ref := range t.Columns() {
			if slices.Contains(columns, ref.Column) {
				continue
			}
			hint := "its columns: " + short(strings.Join(columns, ", "))
			if near := nearest(ref.Column, columns); near != "" {
				hint = "did you mean {{" + near + "}}?"
			}
			k.errorf(at.at(at.text, ref.Offset), hint, "seeds: %s has no column %q", r.name, short(ref.Column))
		}
	})
}
