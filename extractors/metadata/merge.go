package metadata

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/metadata/item"
)

// The formats that merged extractors take from, by precedence.
var formatOrder = []string{"jsonld", "microdata", "rdfa", "microformats2", "opengraph", "html"}

// Precedence says which format is believed first.
type Precedence struct {
	Formats []string `yaml:"precedence,omitempty" default:"(jsonld, microdata, rdfa, microformats2, opengraph, html)" doc:"the formats to take from; where two have a field, the first counts. What is left out is not read"`
}

// Validate checks the formats.
func (x *Precedence) Validate() error {
	for i, name := range x.Formats {
		path := []string{"precedence", strconv.Itoa(i)}
		switch {
		case !slices.Contains(formatOrder, name):
			return &crawler.ConfigError{Path: path, Msg: fmt.Sprintf("%q is not a format", name), Hint: "one of " + strings.Join(formatOrder, ", ")}
		case slices.Index(x.Formats, name) < i:
			return &crawler.ConfigError{Path: path, Msg: name + " stands here a second time"}
		}
	}
	return nil
}

func (x *Precedence) order() []string {
	if len(x.Formats) == 0 {
		return formatOrder
	}
	return x.Formats
}

// said is what a page says in all formats that are asked for.
type said struct {
	page   *crawler.Page
	things []thing    // by precedence
	og     *item.Item // nil: not asked for, or nothing
	html   *head      // nil: not asked for
}

// thing is an item at the top of what a format says.
type thing struct {
	origin string
	*item.Item
}

// listen reads a page. A format that cannot be read is reported and costs no
// other.
func (x *Precedence) listen(ctx context.Context, p *crawler.Page, e *crawler.Emitter) (*said, error) {
	if _, err := p.Document(); err != nil {
		return nil, err
	}
	s := &said{page: p}
	for _, name := range x.order() {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		budget := item.NewBudget(ctx, len(p.Response.Body))
		var items []*item.Item
		var err error
		switch name {
		case "jsonld":
			items, _, err = readJSONLD(p, budget)
		case "microdata":
			items, err = readMicrodata(p, budget)
		case "rdfa":
			items, err = readRDFa(p, budget)
		case "microformats2":
			items, err = readMicroformats(p, budget)
		case "opengraph":
			s.og, err = readOpenGraph(p, budget)
		case "html":
			s.html, err = readHead(p, budget)
		}
		if err != nil {
			e.FieldError("", "", false, fmt.Errorf("%s: %w", name, err))
		}
		for _, it := range items {
			s.things = append(s.things, thing{name, it})
		}
	}
	return s, nil
}

// outermost are the things that match, wherever they stand.
func (s *said) outermost(match func(*item.Item) bool) []thing {
	var found []thing
	for i := 0; i < len(s.things); {
		origin := s.things[i].origin
		var top []*item.Item
		for ; i < len(s.things) && s.things[i].origin == origin; i++ {
			top = append(top, s.things[i].Item)
		}
		for _, it := range item.Outermost(top, match) {
			found = append(found, thing{origin, it})
		}
	}
	return found
}

// A claim is what one format says of one subject.
type claim struct {
	origin string
	values map[string]any // by field; none is nil
	keys   []string       // what the subject may be known by
}

func newClaim(origin string) *claim { return &claim{origin: origin, values: map[string]any{}} }

// set gives a field its value, unless it has one or there is none.
func (c *claim) set(field string, value any) {
	switch v := value.(type) {
	case nil:
		return
	case string:
		if v == "" {
			return
		}
	case []any:
		if len(v) == 0 {
			return
		}
	}
	if _, has := c.values[field]; !has {
		c.values[field] = value
	}
}

// key notes what the subject may be known by; kind keeps a name from being taken
// for an address.
func (c *claim) key(kind, value string) {
	if value = strings.ToLower(strings.Join(strings.Fields(value), " ")); value != "" {
		c.keys = append(c.keys, kind+"\x00"+value)
	}
}

// subject is what claims agree to speak of.
type subject struct {
	claims []*claim
	keys   map[string]bool
}

func (s *subject) take(c *claim) {
	s.claims = append(s.claims, c)
	for _, k := range c.keys {
		s.keys[k] = true
	}
}

func (s *subject) shares(c *claim) bool {
	return slices.ContainsFunc(c.keys, func(k string) bool { return s.keys[k] })
}

// joined makes subjects of claims. Two speak of one subject when they share a key;
// and when two formats each speak of one thing only, that is the page's.
func joined(claims []*claim) []*subject {
	per := map[string]int{}
	for _, c := range claims {
		per[c.origin]++
	}
	var all []*subject
	byKey := map[string]*subject{}
	for _, c := range claims {
		var s *subject
		for _, k := range c.keys {
			if s = byKey[k]; s != nil {
				break
			}
		}
		if s == nil && per[c.origin] == 1 && len(all) == 1 && all[0].claims[0].origin != c.origin && per[all[0].claims[0].origin] == 1 {
			s = all[0]
		}
		if s == nil {
			s = &subject{keys: map[string]bool{}}
			all = append(all, s)
		}
		s.take(c)
		for _, k := range c.keys {
			if byKey[k] == nil {
				byKey[k] = s
			}
		}
	}
	return all
}

// fields are a subject's, each from the first claim that has it, and where from.
func (s *subject) fields(names []string, order []string) []crawler.Field {
	claims := slices.Clone(s.claims)
	slices.SortStableFunc(claims, func(a, b *claim) int { return slices.Index(order, a.origin) - slices.Index(order, b.origin) })
	var origin []crawler.Field
	fields := make([]crawler.Field, 0, len(names)+1)
	for _, name := range names {
		f := crawler.Field{Name: name}
		for _, c := range claims {
			if v, ok := c.values[name]; ok {
				f.Value = v
				origin = append(origin, crawler.Field{Name: name, Value: c.origin})
				break
			}
		}
		fields = append(fields, f)
	}
	return append(fields, crawler.Field{Name: "origin", Value: origin})
}
