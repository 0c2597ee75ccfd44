package tables

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

var drawValue = rapid.OneOf(
	rapid.Just[any](nil),
	rapid.Map(rapid.Bool(), func(v bool) any { return v }),
	rapid.Map(rapid.Int64(), func(v int64) any { return v }),
	rapid.Map(rapid.Float64(), func(v float64) any { return v }),
	rapid.Map(rapid.String(), func(v string) any { return v }),
	rapid.Map(rapid.SliceOfN(rapid.Bool(), 0, 3), func(v []bool) any { return []any{len(v) == 2} }),
)

func drawRecord(t *rapid.T) crawler.Record {
	var r crawler.Record
	for range rapid.IntRange(0, 5).Draw(t, "fields") {
		name := rapid.SampledFrom([]string{"a", "A", "b", "", "_key", "_extra", strings.Repeat("é", 40), "x\x00"}).Draw(t, "name")
		r.Fields = append(r.Fields, crawler.Field{Name: name, Value: drawValue.Draw(t, "value")})
	}
	return r
}

// However records are cut into batches, the columns come out the same, and every
// value fits the column it goes to.
func TestColumnsDoNotDependOnBatches(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := make([]crawler.Record, rapid.IntRange(1, 8).Draw(t, "records"))
		for i := range records {
			records[i] = drawRecord(t)
		}
		at := rapid.IntRange(0, len(records)).Draw(t, "cut")
		whole, parts := newTable("t", true, nil), newTable("t", true, nil)
		whole.admit(records)
		for _, part := range [][]crawler.Record{records[:at], records[at:]} {
			for i := range parts.columns { // as a database says of columns that hold only nulls
				if !filled(records[:at], parts.columns[i].Name) {
					parts.columns[i].Kind = Any
				}
			}
			parts.admit(part)
		}
		if len(whole.columns) != len(parts.columns) {
			t.Fatalf("%v against %v", whole.columns, parts.columns)
		}
		for i, c := range whole.columns {
			if c != parts.columns[i] {
				t.Fatalf("%v against %v", whole.columns, parts.columns)
			}
			if len(c.Name) > maxName {
				t.Fatalf("the name %q has %d bytes", c.Name, len(c.Name))
			}
		}
		for i := range records {
			for j, value := range whole.row(&records[i], 1)[:len(whole.columns)] {
				if !fits(value, whole.columns[j].Kind) {
					t.Fatalf("%T in a column of kind %d", value, whole.columns[j].Kind)
				}
			}
		}
	})
}

func filled(records []crawler.Record, column string) bool {
	for i := range records {
		taken := map[string]bool{}
		for _, f := range namedFields(&records[i]) {
			if name := strings.ToLower(f.Name); !taken[name] {
				taken[name] = true
				if strings.EqualFold(name, column) && KindOf(f.Value) != Any {
					return true
				}
			}
		}
	}
	return false
}

func fits(value any, kind Kind) bool {
	switch value.(type) {
	case nil:
		return true
	case bool:
		return kind == Boolean
	case int64:
		return kind == Integer
	case float64:
		return kind == Number
	case string:
		return kind == JSON || kind == Text
	}
	return false
}

func TestTooManyColumns(t *testing.T) {
	var r crawler.Record
	for i := range MaxColumns + 3 {
		r.Fields = append(r.Fields, crawler.Field{Name: "f" + strings.Repeat("x", i%7) + string(rune('a'+i/7)), Value: int64(i)})
	}
	table := newTable("t", false, nil)
	table.admit([]crawler.Record{r})
	row := table.row(&r, 1)
	if extra, _ := row[len(row)-2].(string); len(table.columns) != MaxColumns || strings.Count(extra, ":") != 3 {
		t.Errorf("%d columns, and %q beside them", len(table.columns), extra)
	}
}
