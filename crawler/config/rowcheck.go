package config

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/rows"
)

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
	for _, key := range []string{"delimiter", "method", "headers", "body", "type", "idempotency", "key", "batch"} {
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
	if s.Sitemap != "" || s.File != "" || s.Query != "" {
		return
	}
	if s.URL == "" {
		k.errorf(n.place, "such as url: https://api.example/v1/{{id}}", "seeds: rows need the template of a URL")
		return
	}
	k.rowType(c, s, n)
	k.rowMethod(s, n)
	k.rowBatch(s, n)
	if s.Rows.queried() && !k.rowQuery(c, i, n) {
		return
	}
	r, err := c.request(s)
	if err != nil {
		k.templateError(err, n)
		return
	}
	if utf8.RuneCountInString(s.Delimiter) > 1 {
		k.errorf(n.below([]string{"delimiter"}).place, `one character, such as ";" or "\t"`, "seeds: not a delimiter; found %s", n.below([]string{"delimiter"}))
		return
	}
	if s.Rows.queried() {
		k.queriedRows(r, n)
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
func (k *seedCheck) sample(r *request, in reader, n *node) {
	most := int64(sampledRows)
	if k.hostsOnly == nil && !strings.Contains(afterScheme(r.url.Prefix()), "/") && !r.url.Constant() {
		most = 1 << 62
	}
	told := 0
	var first error
	keys := map[string]int64{}
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
		s := r.alone(row)
		if s.Fault == nil {
			if rule := k.outside(s.URL, crawler.KindPage); rule != "" && first == nil {
				first = errors.New(rule)
			}
			if count >= sampledRows || s.Key == "" {
				continue
			}
			if before := keys[s.Key]; before == 0 {
				keys[s.Key] = row.Number
				continue
			}
			s.Fault = fmt.Errorf("%s: %w", s.Place, fmt.Errorf("the key %s stands twice, first in row %d", s.Key, keys[s.Key]))
		}
		if told++; told <= maxLineMistakes {
			line := int(max(row.Line, 1))
			why := errors.Unwrap(s.Fault).Error()
			if row.Line == 0 {
				why = fmt.Sprintf("row %d: %s", row.Number, why)
			}
			src := &source{name: r.seed.Rows.File, first: line - 1, lines: []string{""}}
			k.warnf(place{src, line, 1}, "the row gets a record with this error", "%s", k.secrets.hide(why))
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
	missing := func(at place, column, form string) {
		hint := "its columns: " + short(strings.Join(columns, ", "))
		if near := nearest(column, columns); near != "" {
			hint = "did you mean " + fmt.Sprintf(form, near) + "?"
		}
		k.errorf(at, hint, "seeds: %s has no column %q", r.name, short(column))
	}
	batched := r.seed.Batch.Size > 0
	r.templates(func(t *rows.Template, path ...string) {
		at := n.below(path)
		for _, ref := range t.Columns() {
			if !slices.Contains(columns, ref.Column) && (!batched || ref.Column != rows.AllRows) {
				missing(at.at(at.text, ref.Offset), ref.Column, "{{%s}}")
			}
		}
	})
	for i, column := range r.seed.Key {
		if !slices.Contains(columns, column) {
			missing(k.listed(n.below([]string{"key"}), i).place, column, "%s")
		}
	}
	b := n.below([]string{"batch"})
	for i, column := range r.seed.Batch.Columns {
		if !slices.Contains(columns, column) {
			missing(k.listed(b.below([]string{"columns"}), i).place, column, "%s")
		}
	}
	if by := r.seed.Batch.By; batched && by != byOrder && !slices.Contains(columns, by) {
		missing(b.below([]string{"by"}).place, by, "%s")
	}
}
