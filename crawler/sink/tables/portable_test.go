package tables

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// What is JSON stays JSON, without what databases refuse in it, and is the same where
// there is nothing to refuse.
func FuzzPortable(f *testing.F) {
	for _, s := range []string{`{"a":[1,-2.5e3,"\u0041"]}`, `"\u0000"`, `"\ud800\ud83d\ude00\ude00\\u0000\\\u0000"`, `[1e200000,1e-99999999999999999999]`, `"\ud800\u0000"`, `"\ud800`, `"\u00`, "-", `\u0000`, strings.Repeat("1", 2000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := portable(text)
		if !json.Valid([]byte(text)) {
			return // and there is no panic
		}
		var value, again any
		d := json.NewDecoder(strings.NewReader(got))
		d.UseNumber()
		if err := d.Decode(&value); err != nil {
			t.Fatalf("%q becomes %q: %v", text, got, err)
		}
		check(t, value)
		if portable(got) != got {
			t.Fatalf("%q becomes %q, and then %q", text, got, portable(got))
		}
		if err := json.Unmarshal([]byte(text), &again); err == nil && !strings.Contains(text, `\u`) && got != text && !strings.ContainsAny(text, "0123456789") {
			t.Fatalf("%q becomes %q", text, got)
		}
	})
}

func check(t *testing.T, value any) {
	switch v := value.(type) {
	case string:
		if strings.Contains(v, "\x00") {
			t.Fatalf("%q has a NUL", v)
		}
	case json.Number:
		if endless(string(v)) {
			t.Fatalf("%s is left", v)
		}
	case []any:
		for _, item := range v {
			check(t, item)
		}
	case map[string]any:
		for name, item := range v {
			check(t, name)
			check(t, item)
		}
	}
}

// Decimals that were read back are numbers where a float holds them.
func TestReadDecimals(t *testing.T) {
	for text, want := range map[string]Kind{
		"1.10": Number, "19.90": Number, "1E5": Number, "0.30000000000000004441": JSON, "12345678901234567.89": JSON, "1e400": JSON, "1e-400": JSON,
		"18446744073709551615": JSON, "[1.5]": JSON, `{"a":1.5}`: JSON, "1e-999999999": JSON,
	} {
		var c Columns
		c.AdmitRead(&crawler.Record{Fields: []crawler.Field{{Name: "a", Value: json.RawMessage(text)}}})
		if kind, _ := c.Kind("a"); kind != want {
			t.Errorf("%s is of the kind %d, want %d", text, kind, want)
		}
	}
}
