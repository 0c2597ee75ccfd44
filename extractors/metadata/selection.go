package metadata

import (
	"fmt"
	"path"
	"strconv"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/metadata/item"
)

// DefaultMaxRecords bounds the records of one page where the config does not.
const DefaultMaxRecords = 10_000

// Selection says which of a page's things become records.
type Selection struct {
	Types      []string `yaml:"types,omitempty" doc:"only things of these types, such as Product, wherever on the page they stand; * stands for any letters, as in *Event. Without it the things that stand by themselves"`
	MaxRecords int      `yaml:"max_records,omitempty" default:"10000" doc:"the most records taken from one page; more are cut, with an error"`
}

// Validate checks the options.
func (s *Selection) Validate() error {
	for i, t := range s.Types {
		if _, err := path.Match(t, ""); err != nil || t == "" {
			return &crawler.ConfigError{Path: []string{"types", strconv.Itoa(i)}, Msg: fmt.Sprintf("%q is not a type", t), Hint: "write Product, or *Event for all that end in Event"}
		}
	}
	if s.MaxRecords < 0 {
		return &crawler.ConfigError{Path: []string{"max_records"}, Msg: "max_records must be at least 1", Hint: "leave it out for the default"}
	}
	return nil
}

// of picks from the things at a page's top.
func (s *Selection) of(top []*item.Item) []*item.Item {
	if len(s.Types) == 0 {
		return top
	}
	return item.Outermost(top, s.match)
}

func (s *Selection) match(it *item.Item) bool {
	for _, pattern := range s.Types {
		for _, t := range it.Types {
			if ok, _ := path.Match(item.Plain(pattern), t); ok {
				return true
			}
		}
	}
	return false
}

// emit makes records of things.
func (s *Selection) emit(p *crawler.Page, e *crawler.Emitter, items []*item.Item) {
	limit := s.MaxRecords
	if limit == 0 {
		limit = DefaultMaxRecords
	}
	w := item.NewWriter(len(p.Response.Body))
	n := 0
	for _, it := range items {
		if len(it.Types) == 0 && len(it.Props) == 0 {
			continue
		}
		if n == limit {
			e.FieldError("", "", true, fmt.Errorf("more than %d records on one page: the rest was left out", limit))
			break
		}
		if fields := w.Fields(it); len(fields) > 0 { // of properties without a value nothing is left
			n++
			e.Record(fields...)
		}
	}
	if w.Cut {
		e.FieldError("", "", false, errCut)
	}
}
