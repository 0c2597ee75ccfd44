package parquet_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	library "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/deprecated"
	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler/rows"
	"github.com/amblecrawl/amble/crawler/rows/parquet"
)

type point struct {
	X float64 `parquet:"x"`
	Y *int32  `parquet:"y,optional"`
}

type all struct {
	ID      int64            `parquet:"id"`
	Small   int32            `parquet:"small"`
	Big     uint64           `parquet:"big"`
	Name    *string          `parquet:"name,optional"`
	Bytes   []byte           `parquet:"bytes"`
	On      bool             `parquet:"on"`
	Single  float32          `parquet:"single"`
	Price   int64            `parquet:"price,decimal(2:18)"`
	Day     int32            `parquet:"day,date"`
	At      time.Time        `parquet:"at,timestamp(microsecond)"`
	Clock   int64            `parquet:"clock,time(microsecond)"`
	Mark    uuid.UUID        `parquet:"mark,uuid"`
	Doc     json.RawMessage  `parquet:"doc,json"`
	Old     deprecated.Int96 `parquet:"old"`
	Tags    []string         `parquet:"tags,list"`
	Plain   []int64          `parquet:"plain"`
	Points  []point          `parquet:"points,list"`
	Nested  *point           `parquet:"nested,optional"`
	Prices  map[string]int64 `parquet:"prices"`
	Unknown *string          `parquet:"unknown,optional"`
}

func write[T any](t testing.TB, values []T, options ...library.WriterOption) []byte {
	t.Helper()
	var b bytes.Buffer
	w := library.NewGenericWriter[T](&b, options...)
	if _, err := w.Write(values); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func open(t testing.TB, file []byte) *parquet.Reader {
	t.Helper()
	r, err := parquet.NewReader(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// told writes a row as a line.
func told(row *rows.Row) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", row.Number)
	for _, f := range row.Fields {
		v := fmt.Sprintf("%#v", f.Value)
		if raw, ok := f.Value.(json.RawMessage); ok {
			v = "json " + string(raw)
		}
		fmt.Fprintf(&b, "\n%s = %s", f.Name, v)
	}
	if row.Err != nil {
		fmt.Fprintf(&b, "\n! %v", row.Err)
	}
	return b.String()
}

func TestTypes(t *testing.T) {
	name, broken, y := "Köln", "K\xf6ln", int32(7)
	full := all{
		ID: 1, Small: -2, Big: 1<<64 - 1, Name: &name, Bytes: []byte("plain"), On: true, Single: 0.1, Price: -5, Day: 19000,
		At: time.Date(2026, 1, 31, 12, 0, 0, 123000, time.UTC), Clock: 3_723_000_000, Mark: uuid.MustParse("00112233-4455-6677-8899-aabbccddeeff"),
		Doc: json.RawMessage(`{"a":[1]}`), Old: deprecated.Int96{0, 0, 2440588}, Tags: []string{"a", "b"}, Plain: []int64{1, 2},
		Points: []point{{1.5, &y}, {2, nil}}, Nested: &point{X: 3}, Prices: map[string]int64{"eur": 5},
	}
	bare := all{ID: 2, Name: &broken, Doc: json.RawMessage("1"), Bytes: []byte{0xff}, Old: deprecated.Int96{0, 0, 2440589}, At: time.Unix(0, 0)}
	r := open(t, write(t, []all{full, bare}))
	for _, want := range []string{`1
id = 1
small = -2
big = json 18446744073709551615
name = "Köln"
bytes = "plain"
on = true
single = 0.1
price = json -0.05
day = "2022-01-08"
at = "2026-01-31T12:00:00.000123Z"
clock = "01:02:03"
mark = "00112233-4455-6677-8899-aabbccddeeff"
doc = json {"a":[1]}
old = "1970-01-01T00:00:00Z"
tags = json ["a","b"]
plain = json [1,2]
points = json [{"x":1.5,"y":7},{"x":2,"y":null}]
nested = json {"x":3,"y":null}
prices = json {"eur":5}
unknown = <nil>`, `2
id = 2
small = 0
big = 0
name = "K�ln"
bytes = "/w=="
on = false
single = 0
price = json 0.00
day = "1970-01-01"
at = "1970-01-01T00:00:00Z"
clock = "00:00:00"
mark = "00000000-0000-0000-0000-000000000000"
doc = json 1
old = "1970-01-02T00:00:00Z"
tags = json []
plain = json []
points = json []
nested = <nil>
prices = json {}
unknown = <nil>
! name: the text is not UTF-8`} {
		row, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if got := told(row); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	if _, err := r.Next(); err != io.EOF {
		t.Error(err)
	}
}

// Bytes of which the file says nothing are text where they can be.
func TestUnsaidBytes(t *testing.T) {
	type row struct {
		Bytes [][]byte `parquet:"bytes,list"`
	}
	r := open(t, write(t, []row{{[][]byte{[]byte("Köln"), nil, {0xff, 0xd8}, {'a', 0}}}}))
	got, err := r.Next()
	if err != nil || told(got) != `1
bytes = json ["Köln","","/9g=","YQA="]` {
		t.Errorf("%s, %v", told(got), err)
	}
}

type pair struct {
	A int64   `parquet:"a"`
	B *string `parquet:"b,optional"`
}

// Whatever row groups and pages a file has, its rows are read in their order.
func TestEachRowOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) pair {
			p := pair{A: rapid.Int64().Draw(t, "a")}
			if rapid.Bool().Draw(t, "has") {
				s := rapid.String().Draw(t, "b")
				p.B = &s
			}
			return p
		}), 0, 300).Draw(t, "values")
		var b bytes.Buffer
		w := library.NewGenericWriter[pair](&b, library.PageBufferSize(rapid.IntRange(16, 4096).Draw(t, "page")), library.Compression(&library.Snappy))
		for i, v := range values {
			if _, err := w.Write([]pair{v}); err != nil {
				t.Fatal(err)
			}
			if i%rapid.IntRange(1, 100).Draw(t, "group") == 50 {
				if err := w.Flush(); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		r, err := parquet.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range values {
			row, err := r.Next()
			if err != nil || row.Err != nil || row.Number != int64(i+1) || row.Fields[0].Value != v.A {
				t.Fatalf("row %d: %v %+v", i, err, row)
			}
			if got := row.Fields[1].Value; v.B == nil && got != nil || v.B != nil && got != *v.B {
				t.Fatalf("row %d: %q, want %v", i, got, v.B)
			}
		}
		if _, err := r.Next(); err != io.EOF {
			t.Fatal(err)
		}
	})
}

func TestNotParquet(t *testing.T) {
	good := write(t, []pair{{A: 1}, {A: 2}})
	cut := append(bytes.Clone(good[:20]), good[30:]...)
	for name, c := range map[string]struct{ text, want string }{
		"empty":     {"", "the file is not Parquet"},
		"text":      {"id,city\n1,Kyiv\n2,Rome\n", "the file is not Parquet"},
		"half":      {string(good[:len(good)/2]), "the file is not Parquet"},
		"encrypted": {"PARE" + strings.Repeat("x", 20) + "PARE", "the file is encrypted"},
		"footer":    {"PAR1" + strings.Repeat("x", 20) + "\xff\xff\xff\x7fPAR1", "the file is not Parquet"},
	} {
		path := filepath.Join(t.TempDir(), "x.parquet")
		if err := os.WriteFile(path, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := parquet.Open(path); err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
	if _, err := parquet.Open(filepath.Join(t.TempDir(), "none.parquet")); err == nil || err.Error() != "no such file or directory" {
		t.Error(err)
	}
	// A damaged file ends with an error, and not as if it had an end there.
	r, err := parquet.NewReader(bytes.NewReader(cut), int64(len(cut)))
	for err == nil {
		_, err = r.Next()
	}
	if err == io.EOF {
		t.Error("a damaged file is read to its end")
	}
}

func FuzzReader(f *testing.F) {
	f.Add(write(f, []pair{{A: 1}, {A: 2}}))
	s := "x"
	f.Add(write(f, []all{{Name: &s, Doc: json.RawMessage("1"), Tags: []string{"a"}, Points: []point{{X: 1}}, At: time.Unix(0, 0)}}))
	f.Fuzz(func(t *testing.T, file []byte) {
		r, err := parquet.NewReader(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		defer r.Close()
		for n := int64(1); n < 10_000; n++ {
			row, err := r.Next()
			if err != nil {
				return
			}
			if row.Number != n {
				t.Fatalf("row %d is the %dth", row.Number, n)
			}
			for _, v := range row.Fields {
				if raw, ok := v.Value.(json.RawMessage); ok && !json.Valid(raw) {
					t.Fatalf("%s is not JSON: %q", v.Name, raw)
				}
			}
		}
	})
}
