package config

import (
	"cmp"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/rows"
	"github.com/amblecrawl/amble/crawler/rows/parquet"
)

// Dataset is where rows come from: a file, or a query.
type Dataset struct {
	File       string            `yaml:"file,scalar,path" doc:"A .csv or .tsv file with a header, a .jsonl or a .parquet file."`
	Connection string            `yaml:"connection" default:"(that of the query)" doc:"The connection that the query is put to."`
	Query      string            `yaml:"query" doc:"Instead of a file: the name of a query, or SQL, whose rows are the dataset."`
	Params     map[string]string `yaml:"params" doc:"The values of the named query's parameters."`
	Page       *QueryPage        `yaml:"page" doc:"Has the result of SQL that stands here read in pages; a named query has its own."`

	queryName string // as URLs have it
}

// empty reports that a seed has no rows.
func (d *Dataset) empty() bool { return d.File == "" && !d.queried() }

// queried reports that the rows are those of a query.
func (d *Dataset) queried() bool { return d.Query != "" || d.Connection != "" }

// identity is what tells the rows of a query from those of another, beside their name.
func (d *Dataset) identity() []string {
	if !d.queried() {
		return nil
	}
	parts := []string{d.Query}
	for _, name := range slices.Sorted(maps.Keys(d.Params)) {
		parts = append(parts, name, d.Params[name])
	}
	return parts
}

// sql reports that the query stands in the seed itself.
func (d *Dataset) sql() bool { return strings.ContainsAny(strings.TrimSpace(d.Query), " \t\r\n") }

// reader reads a dataset row by row.
type reader interface {
	// Columns are those of the header, nil where the format has none.
	Columns() []string
	// Next returns io.EOF behind the last row.
	Next() (*rows.Row, error)
	Close() error
}

// open opens the dataset's file.
func (r *request) open() (reader, error) {
	if strings.EqualFold(filepath.Ext(r.seed.Rows.File), ".parquet") {
		return parquet.Open(r.seed.Rows.File)
	}
	delimiter, _ := utf8.DecodeRuneInString(r.seed.Delimiter)
	if r.seed.Delimiter == "" {
		delimiter = 0
	}
	return rows.Open(r.seed.Rows.File, delimiter)
}

// datasetName is what people are told of a dataset.
func (c *Config) datasetName(s *Seed) string {
	switch d := &s.Rows; {
	case d.sql():
		return "rows of " + d.Connection
	case d.queried():
		return d.Connection + "/" + d.queryName
	}
	if rel, err := filepath.Rel(c.Dir, s.Rows.File); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return s.Rows.File
}

// where is the place of a row.
func (r *request) where(row *rows.Row) string {
	if row.Line > 0 {
		return fmt.Sprintf("%s:%d", r.name, row.Line)
	}
	return fmt.Sprintf("%s: row %d", r.name, row.Number)
}

// know gives a seed what its row is known by. A key makes it the same wherever the
// row stands.
func (r *request) know(s *crawler.Seed, row *rows.Row) error {
	s.Row = rowID(fmt.Sprintf("%s\x00%d", r.id, row.Number))
	if len(r.seed.Key) == 0 || row.Err != nil {
		return nil
	}
	var values []string
	empty := true
	for _, column := range r.seed.Key {
		v := row.Text(column)
		empty = empty && v == ""
		values = append(values, fmt.Sprintf("%q", v))
	}
	if empty {
		return fmt.Errorf("the row has no value of its key, %s", strings.Join(r.seed.Key, ", "))
	}
	s.Spare = s.Row
	s.Key = strings.Join(values, ", ")
	s.Row = rowID(r.keyID + "\x00" + s.Key)
	return nil
}

func rowID(text string) uint64 { return max(1, xxh3.HashString(text)) }

// keyIdentity tells the keys of a dataset from those of others, and of the same
// dataset where it is asked for twice. Neither URL nor body is part of it, so that
// keys outlast a new version of the API.
func (c *Config) keyIdentity(s *Seed, name string) string {
	before := 0
	for i := range c.Seeds {
		other := &c.Seeds[i]
		if other == s || other.equals(s) {
			break
		}
		if !other.Rows.empty() && other.Type == s.Type && c.datasetName(other) == name {
			before++
		}
	}
	return c.secrets.everywhere(strings.Join([]string{"key", name, s.Type, fmt.Sprint(before), strings.Join(s.Key, "\x00")}, "\x00"))
}

// equals tells a copy of a seed from another one, by what rows are told apart by.
func (s *Seed) equals(t *Seed) bool {
	return s.Rows.File == t.Rows.File && s.Rows.Query == t.Rows.Query && s.URL == t.URL && s.Method == t.Method && s.Body == t.Body &&
		s.Type == t.Type && slices.Equal(s.Key, t.Key)
}

// mark names a dataset in the state, where it stands how far it has been read. It
// changes with what the rows are asked for by, so that a changed seed begins anew.
func (r *request) mark() string {
	b := &r.seed.Batch
	return fmt.Sprintf("%016x", xxh3.HashString(fmt.Sprintf("%s\x00%q\x00%d\x00%q", r.id, r.seed.Key, b.Size, cmp.Or(b.Separator, ","))))
}
