package aggregate

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/big"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

// state is what a frontier keeps.
type state map[string][]byte

func (s state) Get(key string) ([]byte, error) { return s[key], nil }

func record(fields ...any) crawler.Record {
	r := crawler.Record{Type: "order"}
	for i := 0; i < len(fields); i += 2 {
		r.Fields = append(r.Fields, crawler.Field{Name: fields[i].(string), Value: fields[i+1]})
	}
	return r
}

// fold commits records as a batch.
func fold(t testing.TB, a *Account, s state, records ...crawler.Record) []crawler.RecordError {
	t.Helper()
	put := map[string][]byte{}
	committed, told, err := a.Fold(records, put)
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(s, put)
	committed()
	return told
}

func results(a *Account) string {
	var b strings.Builder
	for r := range a.Results() {
		for _, f := range r.Fields {
			v := fmt.Sprintf("%#v", f.Value)
			if raw, ok := f.Value.(json.RawMessage); ok {
				v = "json " + string(raw)
			}
			fmt.Fprintf(&b, "%s=%s ", f.Name, v)
		}
		b.WriteString(r.Key + "\n")
	}
	return b.String()
}

func reopened(t testing.TB, spec Spec, s state) *Account {
	t.Helper()
	a := New([]Spec{spec})
	if err := a.Open(s); err != nil {
		t.Fatal(err)
	}
	return a
}

var everything = Spec{Name: "sums", Of: "order", GroupBy: []string{"g"}, Count: true, Sum: []string{"v"}, Min: []string{"v", "o.p"}, Max: []string{"v"}, Avg: []string{"v"}}

func TestSums(t *testing.T) {
	a, s := reopened(t, everything, state{}), state{}
	told := fold(t, a, s,
		record("g", "ints", "v", int64(math.MaxInt64)), record("g", "ints", "v", int64(1)), record("g", "ints", "v", nil),
		record("g", "floats", "v", 0.1), record("g", "floats", "v", 0.2), record("g", "floats", "v", int64(3)),
		record("g", "texts", "v", "19.99"), record("g", "texts", "v", "19.990"), record("g", "texts", "v", ""),
		record("g", "decimals", "v", json.RawMessage("1.10")), record("g", "decimals", "v", json.RawMessage("-2.105")),
		record("g", "bad", "v", "none"), record("g", "bad", "v", true),
		record("g", nil, "o", []crawler.Field{{Name: "p", Value: int64(9)}}), record("g", nil, "o", []crawler.Field{{Name: "p", Value: int64(10)}}), record(),
		record("g", int64(1), "v", int64(9)), record("g", 1.0, "v", "10"), record("g", "1", "v", int64(1)),
		record("g", "huge", "v", 1e308), record("g", "huge", "v", 1e308),
		crawler.Record{Type: "other"}, crawler.Record{Type: "order", Failed: true},
	)
	if len(told) != 2 || told[0].Error() != `: sums.v: not a number: "none"` {
		t.Errorf("%v", told)
	}
	got := results(a)
	for _, want := range []string{
		`g=<nil> count=3 sum_v=<nil> min_v=<nil> min_o.p=9 max_v=<nil> avg_v=<nil> `,
		`g=1 count=2 sum_v="19" min_v=9 min_o.p=<nil> max_v="10" avg_v=9.5 `,
		`g="1" count=1 sum_v=1 min_v=1 min_o.p=<nil> max_v=1 avg_v=1 `,
		`g="bad" count=2 sum_v=<nil> min_v="none" min_o.p=<nil> max_v=true avg_v=<nil> `,
		`g="decimals" count=2 sum_v=json -1.005 min_v=json -2.105 min_o.p=<nil> max_v=json 1.10 avg_v=-0.5025 `,
		`g="floats" count=3 sum_v=3.3 min_v=0.1 min_o.p=<nil> max_v=3 avg_v=1.1 `,
		`g="huge" count=2 sum_v=json 2` + strings.Repeat("0", 308) + ` min_v=1e+308 min_o.p=<nil> max_v=1e+308 avg_v=1e+308 `,
		`g="ints" count=3 sum_v=json 9223372036854775808 min_v=1 min_o.p=<nil> max_v=9223372036854775807 avg_v=4.611686018427388e+18 `,
		`g="texts" count=3 sum_v="39.980" min_v="19.99" min_o.p=<nil> max_v="19.990" avg_v=19.99 `,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if lines := strings.Count(got, "\n"); lines != 9 {
		t.Errorf("%d groups:\n%s", lines, got)
	}
	if again := results(reopened(t, everything, s)); again != got {
		t.Errorf("after a restart\n%s\nwant\n%s", again, got)
	}
}

// Whatever the order and the batches, and wherever the process ends, the results are
// the same.
func TestOrderDoesNotMatter(t *testing.T) {
	value := rapid.OneOf(
		rapid.Map(rapid.Int64(), func(n int64) any { return n }),
		rapid.Map(rapid.Float64(), func(f float64) any { return f }),
		rapid.Map(rapid.SampledFrom([]string{"1", "1.0", "0.30", "-7e3", "x", "", "12345678901234567890.5"}), func(s string) any { return s }),
		rapid.Map(rapid.SampledFrom([]string{"1.5", "99999999999999999999"}), func(s string) any { return json.RawMessage(s) }),
		rapid.Just[any](nil), rapid.Just[any](true),
	)
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) crawler.Record {
			return record("g", rapid.SampledFrom([]any{"a", "b", nil, int64(1), 2.5}).Draw(t, "g"), "v", value.Draw(t, "v"))
		}), 0, 40).Draw(t, "records")
		whole := New([]Spec{everything})
		commit, _, err := whole.Fold(records, map[string][]byte{})
		if err != nil {
			t.Fatal(err)
		}
		commit()
		want := results(whole)

		shuffled := rapid.Permutation(records).Draw(t, "shuffled")
		s := state{}
		a := New([]Spec{everything})
		for len(shuffled) > 0 {
			n := rapid.IntRange(1, len(shuffled)).Draw(t, "n")
			put := map[string][]byte{}
			commit, _, err := a.Fold(shuffled[:n], put)
			if err != nil {
				t.Fatal(err)
			}
			switch rapid.IntRange(0, 3).Draw(t, "fate") {
			case 0: // refused: the same comes again
				continue
			case 1: // the process ends before the commit
				a = New([]Spec{everything})
				if err := a.Open(s); err != nil {
					t.Fatal(err)
				}
				continue
			case 2: // or behind it
				maps.Copy(s, put)
				a = New([]Spec{everything})
				if err := a.Open(s); err != nil {
					t.Fatal(err)
				}
			default:
				maps.Copy(s, put)
				commit()
			}
			shuffled = shuffled[n:]
		}
		if got := results(a); got != want {
			t.Fatalf("got\n%s\nwant\n%s", got, want)
		}
	})
}

// Everything that is left out is told: each field of each record.
func TestLeftOut(t *testing.T) {
	spec := Spec{Name: "sums", Of: "order", Sum: []string{"a", "b"}, Max: []string{"b", "c"}, Min: []string{"c"}}
	a := reopened(t, spec, state{})
	told := fold(t, a, state{}, record("a", "x", "b", "y", "c", int64(1)), record("a", strings.Repeat("é", 300), "b", "+Inf", "c", "+Inf"), record("a", int64(1), "c", "-Inf"), record("c", "NaN"), record("c", int64(2)))
	var got []string
	for _, e := range told {
		got = append(got, e.Field+"="+e.Value[:min(4, len(e.Value))])
		if len(e.Value) > 200 {
			t.Errorf("a value of %d bytes is shown", len(e.Value))
		}
	}
	if want := "a=x b=y a=éé b=+Inf c=+Inf c=-Inf c=NaN"; strings.Join(got, " ") != want {
		t.Errorf("told are %q, want %s", got, want)
	}
	if got := results(a); !strings.HasPrefix(got, `sum_a=1 sum_b=<nil> min_c=1 max_b="y" max_c=2 `) {
		t.Error(got)
	}
}

func TestBounds(t *testing.T) {
	spec := everything
	spec.MaxGroups = 2
	a := New([]Spec{spec})
	s := state{}
	fold(t, a, s, record("g", "a"), record("g", "b"))
	before := results(a)
	_, _, err := a.Fold([]crawler.Record{record("g", "a"), record("g", "c")}, map[string][]byte{})
	if !errors.Is(err, crawler.ErrStop) || !strings.Contains(err.Error(), "aggregate.sums has more than 2 groups") {
		t.Errorf("%v", err)
	}
	if results(a) != before {
		t.Error("a batch that was refused has been counted")
	}
	if told := fold(t, a, s, record("g", strings.Repeat("x", maxGroup+1))); len(told) != 1 || results(a) != before {
		t.Errorf("%v", told)
	}
	other := spec
	other.GroupBy = []string{"h"}
	if err := New([]Spec{other}).Open(s); !errors.Is(err, crawler.ErrForeignState) {
		t.Errorf("a changed aggregate: %v", err)
	}
	for key := range s {
		broken := maps.Clone(s)
		broken[key] = []byte(`{"v":[1,2]}`)
		if New([]Spec{spec}).Open(broken) == nil {
			t.Errorf("a broken %s is taken", key)
		}
	}
}

func TestFields(t *testing.T) {
	a := New([]Spec{everything})
	fold(t, a, state{}, record("g", "a"))
	for r := range a.Results() {
		var names []string
		for _, f := range r.Fields {
			names = append(names, f.Name)
		}
		if !slices.Equal(names, a.Types()[0].Fields) {
			t.Errorf("%q, want %q", names, a.Types()[0].Fields)
		}
	}
}

func FuzzDecimal(f *testing.F) {
	for _, s := range []string{"1", "-0.50", "1e308", "5e-324", "1.e", "--1", "0x1", "9e999"} {
		f.Add(s, "7")
	}
	f.Fuzz(func(t *testing.T, one, two string) {
		var a, b, again decimal
		if !a.parse(one) || !b.parse(two) {
			return
		}
		x, okX := new(big.Rat).SetString(one)
		y, okY := new(big.Rat).SetString(two)
		if !okX || !okY {
			t.Fatalf("%q or %q is no number", one, two)
		}
		sum := a.add(&b)
		want := new(big.Rat).Add(x, y)
		if got, ok := new(big.Rat).SetString(sum.String()); !ok || got.Cmp(want) != 0 {
			t.Fatalf("%q + %q = %s", one, two, sum)
		}
		if a.compare(&b) != x.Cmp(y) {
			t.Fatalf("%q against %q: %d", one, two, a.compare(&b))
		}
		if !again.read(sum.String()) || again.compare(sum) != 0 {
			t.Fatalf("%s is not read as it was", sum)
		}
		wantFloat, _ := new(big.Rat).Quo(want, big.NewRat(3, 1)).Float64()
		if got := sum.over(3); got != wantFloat {
			t.Fatalf("%s / 3 = %v, want %v", sum, got, wantFloat)
		}
	})
}
