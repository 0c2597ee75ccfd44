package aggregate

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/crawler"
)

// group is the state of one group: small, and changed as a copy.
type group struct {
	number int // in the order of their first commit
	values []any
	count  int64
	sums   []sum
	ends   []end
}

// sum is of the values of one field that are there.
type sum struct {
	total decimal
	kind  kind
	count int64
}

// end is the least and the greatest value of one field.
type end struct {
	least, greatest any
	found           bool
}

// kept is a group as the state has it.
type kept struct {
	Values []json.RawMessage   `json:"v"`
	Count  int64               `json:"c"`
	Sums   []keptSum           `json:"s,omitempty"`
	Ends   [][]json.RawMessage `json:"e,omitempty"`
}

type keptSum struct {
	Total string `json:"t"`
	Kind  kind   `json:"k,omitempty"`
	Count int64  `json:"c"`
}

func (g *group) clone() *group {
	c := *g
	c.sums = append([]sum(nil), g.sums...) // decimals are replaced, never changed
	c.ends = append([]end(nil), g.ends...)
	return &c
}

// raw writes a value so that native reads it as it was: texts, numbers and others
// are told apart, and a float is told from an integer.
func raw(v any) json.RawMessage {
	switch v := v.(type) {
	case json.RawMessage:
		text, _ := json.Marshal([]json.RawMessage{v}) // JSON, as it has been checked to be
		return text
	case float64:
		text, _ := json.Marshal(v) // it is finite
		if !strings.ContainsAny(string(text), ".eE") {
			text = append(text, ".0"...)
		}
		return text
	}
	text, _ := json.Marshal(v) // nil, text, truth or int64
	return text
}

func native(text json.RawMessage) (v any) {
	switch {
	case len(text) > 0 && text[0] == '[':
		var list []json.RawMessage
		if json.Unmarshal(text, &list) == nil && len(list) == 1 {
			return list[0]
		}
		return nil
	case strings.ContainsAny(string(text), "0123456789") && text[0] != '"' && !strings.ContainsAny(string(text), ".eE"):
		var n int64
		if json.Unmarshal(text, &n) == nil {
			return n
		}
		return nil
	}
	_ = json.Unmarshal(text, &v) // as it was written by raw
	return v
}

func (g *group) encode() ([]byte, error) {
	k := kept{Count: g.count}
	for _, v := range g.values {
		k.Values = append(k.Values, raw(v))
	}
	for i := range g.sums {
		s := &g.sums[i]
		k.Sums = append(k.Sums, keptSum{s.total.String(), s.kind, s.count})
	}
	for _, e := range g.ends {
		var both []json.RawMessage
		if e.found {
			both = []json.RawMessage{raw(e.least), raw(e.greatest)}
		}
		k.Ends = append(k.Ends, both)
	}
	return json.Marshal(k)
}

func decode(text []byte, s *Spec) (*group, error) {
	var k kept
	if err := json.Unmarshal(text, &k); err != nil {
		return nil, err
	}
	if len(k.Values) != len(s.GroupBy) || len(k.Sums) != len(s.sums) || len(k.Ends) != len(s.ends) {
		return nil, errState
	}
	g := s.newGroup(nil)
	g.count = k.Count
	for _, v := range k.Values {
		g.values = append(g.values, native(v))
	}
	for i, kept := range k.Sums {
		if !g.sums[i].total.read(kept.Total) {
			return nil, errState
		}
		g.sums[i].kind, g.sums[i].count = kept.Kind, kept.Count
	}
	for i, both := range k.Ends {
		if len(both) == 2 {
			g.ends[i] = end{native(both[0]), native(both[1]), true}
		}
	}
	return g, nil
}

// add counts a record, and reports values that are no numbers where one is asked for.
func (g *group) add(s *Spec, fields []crawler.Field) (bad []crawler.RecordError) {
	g.count++
	for i, name := range s.sums {
		v := valueOf(fields, name)
		if v == nil || v == "" {
			continue
		}
		d, k, ok := number(v)
		if !ok {
			bad = append(bad, crawler.RecordError{Type: s.Name, Field: name, Value: shown(v), Err: errNumber})
			continue
		}
		t := &g.sums[i]
		t.total, t.kind, t.count = *t.total.add(&d), max(t.kind, k), t.count+1
	}
	for i, name := range s.ends {
		v := scalar(valueOf(fields, name))
		if v == nil || v == "" {
			continue
		}
		if beyond(v) {
			if !slices.Contains(s.sums, name) { // else it has been told
				bad = append(bad, crawler.RecordError{Type: s.Name, Field: name, Value: shown(v), Err: errNumber})
			}
			continue
		}
		e := &g.ends[i]
		if !e.found {
			*e = end{v, v, true}
			continue
		}
		if compare(v, e.least) < 0 {
			e.least = v
		}
		if compare(v, e.greatest) > 0 {
			e.greatest = v
		}
	}
	return bad
}

// beyond reports what queries give for numbers that JSON has not: it is neither the least
// nor the greatest of numbers that can be written, and no text that was meant.
func beyond(v any) bool { return v == "NaN" || v == "+Inf" || v == "-Inf" }

// shown is the beginning of a value, for people.
func shown(v any) string {
	text := crawler.TextOf(v)
	return strings.ToValidUTF8(text[:min(len(text), 200)], "")
}

// compare orders all values, whatever they are: numbers (also as text) by their
// value, before all other text by its bytes. It tells different values apart, so that
// the least of some does not depend on their order.
func compare(a, b any) int {
	x, _, isX := number(a)
	y, _, isY := number(b)
	switch {
	case isX && isY:
		if c := x.compare(&y); c != 0 {
			return c
		}
	case isX:
		return -1
	case isY:
		return 1
	}
	return cmp.Or(strings.Compare(crawler.TextOf(a), crawler.TextOf(b)), cmp.Compare(rank(a), rank(b)))
}

func rank(v any) int {
	switch v.(type) {
	case int64:
		return 0
	case float64:
		return 1
	case json.RawMessage:
		return 2
	case bool:
		return 3
	}
	return 4
}

// record is the group's record.
func (g *group) record(s *Spec) []crawler.Field {
	var fields []crawler.Field
	for i, name := range s.GroupBy {
		fields = append(fields, crawler.Field{Name: name, Value: g.values[i]})
	}
	if s.Count {
		fields = append(fields, crawler.Field{Name: "count", Value: g.count})
	}
	sums, ends := map[string]*sum{}, map[string]*end{}
	for i, name := range s.sums {
		sums[name] = &g.sums[i]
	}
	for i, name := range s.ends {
		ends[name] = &g.ends[i]
	}
	put := func(what string, names []string, value func(name string) any) {
		for _, name := range names {
			fields = append(fields, crawler.Field{Name: what + "_" + name, Value: value(name)})
		}
	}
	put("sum", s.Sum, func(name string) any {
		if t := sums[name]; t.count > 0 {
			return t.kind.as(&t.total)
		}
		return nil
	})
	put("min", s.Min, func(name string) any { return ends[name].least })
	put("max", s.Max, func(name string) any { return ends[name].greatest })
	put("avg", s.Avg, func(name string) any {
		if t := sums[name]; t.count > 0 {
			return finite(t.total.over(t.count))
		}
		return nil
	})
	return fields
}
