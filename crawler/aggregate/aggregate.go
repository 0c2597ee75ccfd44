package aggregate

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/amblecrawl/amble/crawler"
)

// DefaultMaxGroups is how many groups there are at most where a Spec does not say.
const DefaultMaxGroups = 100_000

// maxGroup bounds the values that make a group, in bytes.
const maxGroup = 4 << 10

// Spec is what is made of the records of one type.
type Spec struct {
	Name    string // the record type of the results
	Of      string // that of the records
	GroupBy []string
	Count   bool
	Sum     []string
	Min     []string
	Max     []string
	Avg     []string
	// Only says that the records themselves are not written.
	Only      bool
	MaxGroups int

	sums, ends []string // the fields that have a sum, or a least and greatest value
}

// Fields are those of the results, in their order.
func (s *Spec) Fields() []string {
	fields := slices.Clone(s.GroupBy)
	if s.Count {
		fields = append(fields, "count")
	}
	for _, part := range []struct {
		what  string
		names []string
	}{{"sum", s.Sum}, {"min", s.Min}, {"max", s.Max}, {"avg", s.Avg}} {
		for _, name := range part.names {
			fields = append(fields, part.what+"_"+name)
		}
	}
	return fields
}

func union(a, b []string) []string {
	all := slices.Clone(a)
	for _, name := range b {
		if !slices.Contains(all, name) {
			all = append(all, name)
		}
	}
	return all
}

func (s *Spec) newGroup(values []any) *group {
	return &group{values: values, sums: make([]sum, len(s.sums)), ends: make([]end, len(s.ends))}
}

var (
	errState  = errors.New("its state is not as it was written")
	errNumber = errors.New("not a number")
)

// Account sums up one run. It is used by one goroutine.
type Account struct {
	specs  []Spec
	groups []map[string]*group // of each spec, by their values
}

// New prepares an account of these sums.
func New(specs []Spec) *Account {
	a := &Account{specs: slices.Clone(specs)}
	for i := range a.specs {
		s := &a.specs[i]
		if s.MaxGroups <= 0 {
			s.MaxGroups = DefaultMaxGroups
		}
		s.sums, s.ends = union(s.Sum, s.Avg), union(s.Min, s.Max)
		a.groups = append(a.groups, map[string]*group{})
	}
	return a
}

var _ crawler.Aggregate = (*Account)(nil)

// keyPrefix, followed by the name of a Spec, is where its head stands in the state,
// and followed by a slash and a number, each group.
const keyPrefix = "aggregate/"

// head says how many groups there are, and what they are of.
type head struct {
	Groups int    `json:"groups"`
	Spec   string `json:"spec"`
}

// print is what must not change while a run is under way.
func (s *Spec) print() string {
	return fmt.Sprintf("%q %q %q %q", s.Of, s.GroupBy, s.sums, s.ends)
}

// Open takes up the groups where the state left them.
func (a *Account) Open(state crawler.Values) error {
	for i := range a.specs {
		s := &a.specs[i]
		text, err := state.Get(keyPrefix + s.Name)
		if err != nil {
			return err
		}
		var h head
		if text == nil {
			continue
		}
		if err := json.Unmarshal(text, &h); err != nil {
			return fmt.Errorf("%s: %w: %w", s.Name, errState, err)
		}
		if h.Spec != s.print() {
			return fmt.Errorf("aggregate.%s has changed since the unfinished run began: put it back, or start over with --fresh: %w", s.Name, crawler.ErrForeignState)
		}
		for n := range h.Groups {
			if text, err = state.Get(groupKey(s, n)); err != nil {
				return err
			}
			g, err := decode(text, s)
			if err != nil {
				return fmt.Errorf("%s: group %d: %w: %w", s.Name, n, errState, err)
			}
			g.number = n
			a.groups[i][keyOf(g.values)] = g
		}
	}
	return nil
}

func groupKey(s *Spec, n int) string { return keyPrefix + s.Name + "/" + strconv.Itoa(n) }

// Fold counts the records of a batch, and puts the groups that change into put. It
// takes effect with committed; until then the records may come again. told are values
// that are no numbers where one is asked for.
func (a *Account) Fold(records []crawler.Record, put map[string][]byte) (committed func(), told []crawler.RecordError, err error) {
	changed := make([]map[string]*group, len(a.specs))
	for i := range a.specs {
		s := &a.specs[i]
		changed[i] = map[string]*group{}
		fresh := len(a.groups[i])
		for j := range records {
			r := &records[j]
			if r.Type != s.Of || r.Failed {
				continue
			}
			values, err := s.valuesOf(r.Fields)
			if err != nil {
				told = append(told, crawler.RecordError{Type: s.Name, URL: r.URL, Err: err})
				continue
			}
			key := keyOf(values)
			g := changed[i][key]
			if g == nil {
				if known := a.groups[i][key]; known != nil {
					g = known.clone()
				} else if fresh >= s.MaxGroups {
					return nil, nil, fmt.Errorf("aggregate.%s has more than %d groups: group by less, raise aggregate.%s.max_groups, or let a database do it (docs/databases.md): %w",
						s.Name, s.MaxGroups, s.Name, crawler.ErrStop)
				} else {
					g = s.newGroup(values)
					g.number = fresh
					fresh++
				}
				changed[i][key] = g
			}
			for _, bad := range g.add(s, r.Fields) {
				bad.URL = r.URL
				told = append(told, bad)
			}
		}
		if err := s.put(changed[i], fresh, put); err != nil {
			return nil, nil, err
		}
	}
	return func() {
		for i, groups := range changed {
			for key, g := range groups {
				a.groups[i][key] = g
			}
		}
	}, told, nil
}

func (s *Spec) put(changed map[string]*group, groups int, put map[string][]byte) error {
	if len(changed) == 0 {
		return nil
	}
	for _, g := range changed {
		text, err := g.encode()
		if err != nil {
			return err
		}
		put[groupKey(s, g.number)] = text
	}
	text, err := json.Marshal(head{groups, s.print()})
	put[keyPrefix+s.Name] = text
	return err
}

// valuesOf are the values that say which group a record is of.
func (s *Spec) valuesOf(fields []crawler.Field) ([]any, error) {
	values := make([]any, len(s.GroupBy))
	size := 0
	for i, name := range s.GroupBy {
		v := scalar(valueOf(fields, name))
		if f, isFloat := v.(float64); isFloat && f == math.Trunc(f) && math.Abs(f) < 1<<53 {
			v = int64(f) // one group, whichever comes first
		}
		size += len(crawler.TextOf(v))
		values[i] = v
	}
	if size > maxGroup {
		return nil, fmt.Errorf("the values to group by are longer than %d KiB", maxGroup>>10)
	}
	return values, nil
}

func keyOf(values []any) string {
	var b strings.Builder
	for _, v := range values {
		b.Write(raw(v))
		b.WriteByte(',')
	}
	return b.String()
}

// scalar is a value that can be compared; lists and objects are their JSON as text.
func scalar(v any) any {
	switch v := v.(type) {
	case nil, string, bool, int64:
		return v
	case float64:
		return finite(v)
	case json.RawMessage:
		var d decimal
		if d.parse(string(v)) {
			return v
		}
		return string(v)
	}
	text, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return string(text)
}

func finite(f float64) any {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return nil
	}
	return f
}

// valueOf finds a field by its name, or by a path through objects, "offer.price".
func valueOf(fields []crawler.Field, name string) any {
	for _, f := range fields {
		if f.Name == name {
			return f.Value
		}
	}
	first, rest, nested := strings.Cut(name, ".")
	if !nested {
		return nil
	}
	for _, f := range fields {
		if below, ok := f.Value.([]crawler.Field); ok && f.Name == first {
			return valueOf(below, rest)
		}
	}
	return nil
}

// Drops reports whether the records of a type are not written themselves.
func (a *Account) Drops(recordType string) bool {
	return slices.ContainsFunc(a.specs, func(s Spec) bool { return s.Of == recordType && s.Only })
}

// Types are those of the results.
func (a *Account) Types() []crawler.RecordType {
	var types []crawler.RecordType
	for i := range a.specs {
		types = append(types, crawler.RecordType{Name: a.specs[i].Name, Fields: a.specs[i].Fields()})
	}
	return types
}

// Results are a record for each group, of each Spec in the order of their values.
func (a *Account) Results() iter.Seq[crawler.Record] {
	return func(yield func(crawler.Record) bool) {
		for i := range a.specs {
			s := &a.specs[i]
			keys := make([]string, 0, len(a.groups[i]))
			for key := range a.groups[i] {
				keys = append(keys, key)
			}
			slices.SortFunc(keys, func(x, y string) int {
				return slices.CompareFunc(a.groups[i][x].values, a.groups[i][y].values, compareGroups)
			})
			for _, key := range keys {
				sum := sha256.Sum256([]byte(s.Name + "\x00" + key))
				r := crawler.Record{Type: s.Name, Fields: a.groups[i][key].record(s), Key: hex.EncodeToString(sum[:16])}
				if !yield(r) {
					return
				}
			}
		}
	}
}

// compareGroups puts null first.
func compareGroups(a, b any) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return compare(a, b)
}
