package sink

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink/sinktest"
)

// A record that was written as a line is read back as it was.
func TestParseJSONIsTheReverse(t *testing.T) {
	value := rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Map(rapid.Bool(), func(v bool) any { return v }),
		rapid.Map(rapid.Int64(), func(v int64) any { return v }),
		rapid.Map(rapid.Float64Range(-1e9, 1e9), func(v float64) any { return v + 0.5 }),
		rapid.Map(rapid.String(), func(v string) any { return v }),
		rapid.Map(rapid.SliceOf(rapid.Int()), func(v []int) any {
			data, _ := json.Marshal(append([]int{1}, v...))
			return json.RawMessage(data)
		}),
	)
	rapid.Check(t, func(t *rapid.T) {
		r := crawler.Record{Type: "t", URL: "http://a/", Requested: "http://b/", Run: "r", Key: "k", FetchedAt: time.UnixMilli(rapid.Int64Range(0, 1<<41).Draw(t, "at")).UTC()}
		if rapid.Bool().Draw(t, "usage") {
			r.Usage = "search=n"
		}
		for i := range rapid.IntRange(0, 5).Draw(t, "fields") {
			r.Fields = append(r.Fields, crawler.Field{Name: fmt.Sprint("f", i), Value: value.Draw(t, "value")})
		}
		line := AppendJSON(nil, &r)
		back, err := ParseJSON(line)
		if err != nil {
			t.Fatal(err)
		}
		if again := AppendJSON(nil, &back); string(again) != string(line) {
			t.Fatalf("%s\nread back and written again:\n%s", line, again)
		}
		for i, f := range r.Fields {
			if f.Value != nil && reflect.TypeOf(f.Value) != reflect.TypeOf(back.Fields[i].Value) {
				if v, ok := f.Value.(float64); ok && v == float64(int64(v)) {
					continue // a whole number is an integer in JSON
				}
				t.Fatalf("%T became %T: %s", f.Value, back.Fields[i].Value, line)
			}
		}
	})
}

// tokens are those of a line: what is no UTF-8, and half a surrogate pair, may be spelled
// in more than one way.
func tokens(line []byte) string {
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	var b strings.Builder
	for {
		token, err := d.Token()
		if err != nil {
			return b.String() + err.Error()
		}
		fmt.Fprintf(&b, "%T %q,", token, fmt.Sprint(token))
	}
}

func FuzzParseJSON(f *testing.F) {
	f.Add([]byte(`{"a":1,"_type":"t","_fetched_at":"2026-03-01T00:00:00.000Z"}`))
	f.Add([]byte(`{"a":[1,{"b":null}],"_key":3}`))
	f.Add([]byte("{\"a\":-1e999,\"b\":18446744073709551615,\"c\":1.10,\"d\":-0}"))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := ParseJSON(line)
		if err != nil {
			return
		}
		written := AppendJSON(nil, &r)
		back, err := ParseJSON(written)
		if again := AppendJSON(nil, &back); err != nil || tokens(again) != tokens(written) {
			t.Fatalf("%q gives %q, and that %q (%v)", line, written, again, err)
		}
	})
}

// What is committed is read back, and nothing else.
func TestEachCommitted(t *testing.T) {
	dir := t.TempDir()
	j := &JSONL{Path: filepath.Join(dir, "{type}.jsonl")}
	run := crawler.RunInfo{Crawl: "c", ID: "r", Types: []crawler.RecordType{{Name: "a"}, {Name: "b"}}}
	if err := j.Open(t.Context(), run, nil); err != nil {
		t.Fatal(err)
	}
	write := func(kinds ...string) []byte {
		for i, kind := range kinds {
			if err := j.Write(t.Context(), []crawler.Record{{Type: kind, Key: fmt.Sprint(i), Fields: []crawler.Field{{Name: "n", Value: int64(i)}}}}); err != nil {
				t.Fatal(err)
			}
		}
		position, err := j.Flush(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return position
	}
	position := write("a", "b", "a")
	write("a", "b")
	count := func() (n map[string]int, err error) {
		n = map[string]int{}
		err = (&JSONL{Path: j.Path}).EachCommitted(position, func(r *crawler.Record) error { n[r.Type]++; return nil })
		return n, err
	}
	if n, err := count(); err != nil || n["a"] != 2 || n["b"] != 1 {
		t.Errorf("%v, %v", n, err)
	}
	stop := errors.New("enough")
	if err := j.EachCommitted(position, func(*crawler.Record) error { return stop }); !errors.Is(err, stop) {
		t.Errorf("%v", err)
	}
	_ = j.Close()
	if err := os.Truncate(filepath.Join(dir, "a.jsonl"), 3); err != nil {
		t.Fatal(err)
	}
	if _, err := count(); err == nil {
		t.Error("a file that was cut is read all the same")
	}
}

// Whatever a page or a plugin gives, its line is read back and makes the same line.
func TestAwkwardRecordsComeBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		for _, r := range sinktest.Awkward().Draw(t, "records") {
			line := AppendJSON(nil, &r)
			back, err := ParseJSON(line)
			if err != nil {
				t.Fatal(err)
			}
			if again := AppendJSON(nil, &back); tokens(again) != tokens(line) {
				t.Fatalf("%.2000s\nread back and written again:\n%.2000s", line, again)
			}
		}
	})
}
