package rows

import (
	"errors"
	"fmt"
	"strings"

	"github.com/amblecrawl/amble/crawler"
)

// AllRows is what a template names for all rows of a batch, as a JSON array.
const AllRows = "rows"

// Batch is rows that one text is made for.
type Batch struct {
	Rows []*Row
	// Columns are those that {{rows}} has, nil for all.
	Columns []string
	// Separator stands between the values of a column where they make one text.
	Separator string
}

var errSeparator = errors.New("the value holds the separator of the batch")

// FillAll makes the text for a batch. {{rows}} is a JSON array with an object for
// each row. A column is the JSON array of its values where JSON has a place for a
// value, and elsewhere the values with the separator between them, each escaped as
// in the text for one row.
func (t *Template) FillAll(b *Batch) (string, error) {
	return t.fill(func(p *part) (string, error) {
		list := t.context == JSON && p.filter == escaped && !p.inside || p.filter == asJSON
		switch {
		case p.ref.Column == AllRows && p.inside:
			return "", errors.New("all rows stand within quotes; leave out the quotes")
		case p.ref.Column == AllRows:
			return t.encoded(p, b.objects)
		case list:
			return t.encoded(p, func() (string, error) { return b.values(p.ref.Column) })
		}
		return b.joined(p.ref.Column, func(v any) (string, error) { return t.write(p, v) })
	})
}

// encoded is JSON, escaped where it does not stand in JSON or as it is.
func (t *Template) encoded(p *part, text func() (string, error)) (string, error) {
	s, err := text()
	if err == nil && (t.context == URL || t.context == Form) && p.filter != raw {
		s = percentEncode(s)
	}
	return s, err
}

func (b *Batch) each(column string, use func(v any) error) error {
	for _, r := range b.Rows {
		v, ok := r.value(column)
		if !ok {
			return errNone
		}
		if err := use(v); err != nil {
			return err
		}
	}
	return nil
}

func (b *Batch) values(column string) (string, error) {
	var texts []string
	err := b.each(column, func(v any) error {
		text, err := jsonOf(v)
		texts = append(texts, text)
		return err
	})
	return "[" + strings.Join(texts, ",") + "]", err
}

func (b *Batch) joined(column string, write func(any) (string, error)) (string, error) {
	var texts []string
	err := b.each(column, func(v any) error {
		if b.Separator != "" && strings.Contains(crawler.TextOf(v), b.Separator) {
			return errSeparator
		}
		text, err := write(v)
		texts = append(texts, text)
		return err
	})
	return strings.Join(texts, b.Separator), err
}

// objects is the JSON array of all rows.
func (b *Batch) objects() (string, error) {
	var out strings.Builder
	for i, r := range b.Rows {
		out.WriteByte("[,"[min(i, 1)])
		names := b.Columns
		if names == nil {
			for _, f := range r.Fields {
				names = append(names, f.Name)
			}
		}
		for n, name := range names {
			v, ok := r.value(name)
			if !ok {
				return "", fmt.Errorf("the row has no %s", name)
			}
			key, err := jsonOf(name)
			if err != nil {
				return "", err
			}
			value, err := jsonOf(v)
			if err != nil {
				return "", fmt.Errorf("%s: %w", name, err)
			}
			out.WriteString("{,"[min(n, 1):][:1] + key + ":" + value)
		}
		if len(names) == 0 {
			out.WriteByte('{')
		}
		out.WriteByte('}')
	}
	return out.String() + "]", nil
}
