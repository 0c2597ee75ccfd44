package content

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/andybalholm/cascadia"
	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/values"
)

// DefaultMaxRecords bounds the records of one page where the config does not.
const DefaultMaxRecords = 10_000

func init() {
	crawler.Extractors.Register("table", func() crawler.Extractor { return &Table{CSS: "table", MaxRecords: DefaultMaxRecords} })
}

// Table makes a record of every row of a page's tables. Do not change it after
// its first use; Extract is safe for concurrent use.
type Table struct {
	CSS        string `yaml:"css,omitempty" default:"table" doc:"the tables to read"`
	Caption    string `yaml:"caption,omitempty" doc:"only tables whose caption has this text"`
	Header     string `yaml:"header,omitempty" enum:"auto,first,none" default:"auto" doc:"where the names of the columns are: auto finds them by thead and th, first takes the first row, none names them col_1, col_2 and so on"`
	Names      string `yaml:"names,omitempty" enum:"plain,text" default:"plain" doc:"plain makes the columns' names lower case with underscores, text takes them as they are"`
	Numbers    bool   `yaml:"numbers,omitempty" default:"false" doc:"make numbers of columns that hold nothing else; a unit behind them goes into a field NAME_unit"`
	Title      string `yaml:"title_field,omitempty" doc:"put the caption of the table, or else its number on the page, into a field of this name"`
	MaxRecords int    `yaml:"max_records,omitempty" default:"10000" doc:"the most records taken from one page; more are cut, with an error"`

	once     sync.Once
	selector cascadia.SelectorGroup
	err      error
}

var (
	_ crawler.Extractor = (*Table)(nil)
	_ crawler.Validator = (*Table)(nil)
)

// Validate compiles the configuration.
func (x *Table) Validate() error {
	x.once.Do(func() { x.err = x.compile() })
	return x.err
}

func (x *Table) compile() error {
	var wrong []error
	add := func(hint, key, msg string) {
		wrong = append(wrong, &crawler.ConfigError{Path: []string{key}, Msg: msg, Hint: hint})
	}
	selector, err := cascadia.ParseGroup(cmp.Or(x.CSS, "table"))
	if err != nil {
		add("", "css", fmt.Sprintf("the CSS selector does not compile: %v", err))
	}
	x.selector = selector
	if !oneOf(x.Header, "", "auto", "first", "none") {
		add("one of auto, first, none", "header", fmt.Sprintf("%q is no place of a header", x.Header))
	}
	if !oneOf(x.Names, "", "plain", "text") {
		add("plain or text", "names", fmt.Sprintf("%q is no form of names", x.Names))
	}
	if strings.HasPrefix(x.Title, "_") {
		add("names with an underscore in front are for provenance, such as _url", "title_field", fmt.Sprintf("the field name %q is reserved", x.Title))
	}
	if x.MaxRecords < 0 {
		add("leave it out for the default", "max_records", "max_records must be at least 1")
	}
	return errors.Join(wrong...)
}

func oneOf(s string, all ...string) bool {
	for _, a := range all {
		if s == a {
			return true
		}
	}
	return false
}

// Extract emits the rows of the tables in document order.
func (x *Table) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	if err := x.Validate(); err != nil {
		return err
	}
	doc, err := p.Document()
	if err != nil {
		return err
	}
	w := &work{ctx: ctx, left: maxSteps}
	left := cmp.Or(x.MaxRecords, DefaultMaxRecords)
	root, number := doc.Nodes[0], 0
	for n := root; n != nil; n = values.Following(n, root, true) {
		if err := w.step(1); err != nil {
			return err
		}
		if n.Type != html.ElementNode || n.DataAtom != atom.Table || !x.matches(n) || layout(n) {
			continue
		}
		number++
		g := &grid{work: w, maxRows: left + maxHeaderRows}
		if err := g.read(n); err != nil {
			return err
		}
		if x.Caption != "" && !strings.Contains(g.caption, x.Caption) {
			continue
		}
		full := x.emit(g, number, &left, e)
		if full || g.cut {
			e.FieldError("", "", true, fmt.Errorf("more than %d records on one page: the rest was left out", cmp.Or(x.MaxRecords, DefaultMaxRecords)))
			return nil
		}
	}
	return nil
}

func (x *Table) matches(n *html.Node) bool {
	for _, s := range x.selector {
		if s.Match(n) {
			return true
		}
	}
	return false
}

// layout tells a table that is none to a reader (ARIA in HTML, "presentation").
func layout(n *html.Node) bool {
	role := strings.ToLower(attribute(n, "role"))
	return role == "presentation" || role == "none"
}

// emit makes records of a table. It returns true when the page's are used up.
func (x *Table) emit(g *grid, number int, left *int, e *crawler.Emitter) bool {
	names, body := x.columns(g)
	columns := make([]column, len(names))
	for i, name := range names {
		columns[i] = column{name: name}
		if x.Numbers {
			columns[i].look(body, i)
		}
	}
	title := cmp.Or(g.caption, fmt.Sprint(number))
	for _, row := range body {
		fields := make([]crawler.Field, 0, len(columns)+1)
		if x.Title != "" {
			fields = append(fields, crawler.Field{Name: x.Title, Value: title})
		}
		found := false
		for i := range columns {
			text := row.text(i)
			found = found || text != ""
			fields = columns[i].append(fields, text)
		}
		if !found {
			continue
		}
		if *left == 0 {
			return true
		}
		*left--
		e.Record(fields...)
	}
	return false
}

// columns names the columns, and returns the rows that are not their headers.
func (x *Table) columns(g *grid) (names []string, body []row) {
	headers := 0
	switch cmp.Or(x.Header, "auto") {
	case "first":
		headers = min(1, len(g.rows))
	case "auto":
		headers = g.headerRows()
	}
	names = make([]string, g.width)
	for i := range names {
		var parts []string
		for _, r := range g.rows[:headers] {
			if text := r.text(i); text != "" && (len(parts) == 0 || parts[len(parts)-1] != text) {
				parts = append(parts, text)
			}
		}
		names[i] = strings.Join(parts, " ")
		if x.Names != "text" {
			names[i] = plainName(names[i])
		}
		if names[i] == "" || strings.HasPrefix(names[i], "_") {
			names[i] = fmt.Sprintf("col_%d", i+1)
		}
	}
	distinct(names, x.Title)
	for _, r := range g.rows[headers:] {
		if headers == 0 || !r.allHeaders() {
			body = append(body, r)
		}
	}
	return names, body
}
