package values

import (
	"bytes"
	"encoding/json"
	"testing"
)

func TestRelaxJSON(t *testing.T) {
	for text, want := range map[string]string{
		`{"a": 1,}`:                      `{"a": 1}`,
		"[1, 2 , ]":                      "[1, 2  ]",
		"[1 /* one */, // two\n 2]":      "[1 , \n 2]",
		"{\"a\": \"x\ny\tz\"}":           `{"a": "x\u000ay\u0009z"}`,
		`["//", "/* */", "a,]", "\",]"]`: `["//", "/* */", "a,]", "\",]"]`,
		`[1,,2]`:                         `[1,,2]`,
		`[,]`:                            `[]`,
		`"open`:                          `"open`,
		`{"a":1} /* open`:                `{"a":1} `,
	} {
		got := string(RelaxJSON([]byte(text)))
		var a, b bytes.Buffer
		if json.Compact(&a, []byte(got)) == nil && json.Compact(&b, []byte(want)) == nil {
			if a.String() == b.String() {
				continue
			}
		}
		if got != want {
			t.Errorf("RelaxJSON(%q) = %q, want %q", text, got, want)
		}
	}
}

// What is JSON stays the same JSON.
func FuzzRelaxJSON(f *testing.F) {
	for _, s := range []string{`{"a": [1, 2.5e3, "x\n", null]}`, `[1,]`, "/**/", `"\`, "[\"\x01\"]"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		out := RelaxJSON([]byte(text))
		if !json.Valid([]byte(text)) {
			return
		}
		var a, b bytes.Buffer
		if json.Compact(&a, []byte(text)) != nil || json.Compact(&b, out) != nil || a.String() != b.String() {
			t.Errorf("%q became %q", text, out)
		}
	})
}
