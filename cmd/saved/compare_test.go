package saved

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func parseRecords(t interface{ Fatal(...any) }, text string) []Record {
	var list []Record
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

func TestCompareRecords(t *testing.T) {
	for _, tt := range []struct{ want, got, changes string }{
		{`[]`, `[]`, ``},
		{`[{"_type":"a","x":1}]`, `[{"_type":"a","x":1.0}]`, ``},
		{`[{"_type":"a","x":9007199254740993}]`, `[{"_type":"a","x":9007199254740992}]`, `a 1 x: 9007199254740993 → 9007199254740992`},
		{`[{"_type":"a","x":1,"y":2}]`, `[{"_type":"a","y":2,"x":1}]`, ``},
		{`[{"_type":"a","x":"1"}]`, `[{"_type":"a","x":1}]`, `a 1 x: "1" → 1`},
		{`[{"_type":"a","x":null}]`, `[{"_type":"a"}]`, `a 1 x: null → `},
		{`[{"_type":"a"}]`, `[{"_type":"a","x":null}]`, `a 1 x:  → null`},
		{`[{"_type":"a","x":{"y":{"z":1}}}]`, `[{"_type":"a","x":{"y":{"z":2},"n":0}}]`, `a 1 x.y.z: 1 → 2|a 1 x.n:  → 0`},
		{`[{"_type":"a","x":[1,2,3]}]`, `[{"_type":"a","x":[1,4]}]`, `a 1 x.2: 2 → 4|a 1 x.3: 3 → `},
		{`[{"_type":"a","x":[1]}]`, `[{"_type":"a","x":{"y":1}}]`, `a 1 x: [1] → {"y":1}`},
		// One record more or less does not make the others differ.
		{`[{"_type":"a","n":1},{"_type":"a","n":2},{"_type":"a","n":3}]`, `[{"_type":"a","n":2},{"_type":"a","n":3}]`, `a 1 : {"_type":"a","n":1} → `},
		{`[{"_type":"a","n":2}]`, `[{"_type":"b","n":1},{"_type":"a","n":2},{"_type":"a","n":3}]`, `b 1 :  → {"_type":"b","n":1}|a 2 :  → {"_type":"a","n":3}`},
		{`[{"_type":"a","n":1},{"_type":"b","n":1}]`, `[{"_type":"b","n":2},{"_type":"a","n":2}]`, `a 1 n: 1 → 2|b 1 n: 1 → 2`},
	} {
		var got []string
		for _, c := range Compare(parseRecords(t, tt.want), parseRecords(t, tt.got)) {
			got = append(got, fmt.Sprintf("%s %s: %s → %s", c.Record, c.path, c.want, c.got))
		}
		if text := strings.Join(got, "|"); text != tt.changes {
			t.Errorf("%s and %s differ by %q, want %q", tt.want, tt.got, text, tt.changes)
		}
	}
}

// Records differ from others exactly when they are not equal, and each record has
// its part in at most one change as a whole.
func TestCompareRecordsProperties(t *testing.T) {
	record := rapid.Custom(func(t *rapid.T) string {
		return fmt.Sprintf(`{"_type":%q,"n":%d,"tags":[%d]}`, rapid.SampledFrom([]string{"a", "b"}).Draw(t, "type"),
			rapid.IntRange(0, 3).Draw(t, "n"), rapid.IntRange(0, 1).Draw(t, "tag"))
	})
	rapid.Check(t, func(t *rapid.T) {
		want, got := rapid.SliceOfN(record, 0, 8).Draw(t, "want"), rapid.SliceOfN(record, 0, 8).Draw(t, "got")
		w, g := parseRecords(t, "["+strings.Join(want, ",")+"]"), parseRecords(t, "["+strings.Join(got, ",")+"]")
		changes := Compare(w, g)
		if same := strings.Join(want, ",") == strings.Join(got, ","); same != (len(changes) == 0) {
			t.Fatalf("changes %+v", changes)
		}
		more := 0
		for _, c := range changes {
			if c.path == "" && c.want == nil {
				more++
			} else if c.path == "" {
				more--
			}
			if len(c.Lines()) < 2 {
				t.Fatalf("nothing is shown of %+v", c)
			}
		}
		if more != len(g)-len(w) {
			t.Fatalf("%d records more, but changes say %d: %+v", len(g)-len(w), more, changes)
		}
	})
}

func TestWindowShowsTheDifference(t *testing.T) {
	long := strings.Repeat("ä", 5000)
	c := Change{Record: "a 1", path: "text", want: json.RawMessage(`"` + long + `here` + long + `"`), got: json.RawMessage(`"` + long + `there` + long + `"`)}
	lines := c.Lines()
	if len(lines) != 3 || !strings.Contains(lines[1], "here") || !strings.Contains(lines[2], "there") || len([]rune(lines[1])) > shownValue+10 {
		t.Errorf("shown as %q", lines)
	}
}

// FuzzSavedRecord reads what may stand in the file of a saved page.
func FuzzSavedRecord(f *testing.F) {
	for _, seed := range []string{`{"a": 1, "b": [1.5, "x", null, {"c": true}]}`, `null`, `[]`, `{"a":`, `{"a":1e999}`, `{"a":"\ud800"}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var r Record
		if json.Unmarshal(text, &r) != nil {
			return
		}
		again, err := r.MarshalJSON()
		if err != nil || !json.Valid(again) {
			t.Fatalf("%q becomes %q: %v", text, again, err)
		}
		_, _ = r.Fields() // numbers may be out of range
		for _, c := range Compare([]Record{r}, []Record{{}}) {
			if len(c.Lines()) < 2 {
				t.Fatalf("nothing is shown of %+v", c)
			}
		}
	})
}
