package signals

import (
	"fmt"
	"strings"
	"testing"
)

func TestTDMRep(t *testing.T) {
	const file = `[
		{"location": "/a/open/*.jpg$", "tdm-reservation": 0},
		{"location": "/a/", "tdm-reservation": 1, "tdm-policy": "https://h.example/p.json"},
		{"location": "/a/b/", "tdm-reservation": 0},
		{"location": "/odd/", "tdm-reservation": 2}
	]`
	r := ParseTDMRep([]byte(file))
	for _, c := range []struct{ section, path, want string }{
		{"a pattern with * and $", "/a/open/x.jpg", "tdm=yes"},
		{"$ is the end", "/a/open/x.jpg?y", "tdm=no"},
		{"a location is a prefix", "/a/x", "tdm=no"},
		{"the first match in sequence counts", "/a/b/x", "tdm=no"},
		{"matching is case-sensitive", "/A/x", ""},
		{"percent-encoding is undone", "https://h.example/%61/x", "tdm=no"},
		{"another value is an error", "/odd/x", "tdm=no!"},
		{"no match: nothing is said", "/x", ""},
	} {
		if got := brief(r.For(c.path)); got != c.want {
			t.Errorf("TDM file, %s: %s has %q, want %q", c.section, c.path, got, c.want)
		}
	}
	want := Statement{CategoryTDM, Denied, "TDMRep, tdmrep.json rule 2", "tdm-reservation: 1, tdm-policy: https://h.example/p.json", ""}
	if got := r.For("/a/"); len(got) != 1 || got[0] != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Whatever is wrong with a file, no page gets more access than it would by a
// reservation of the whole site, save by rules that stand before the fault.
func TestTDMRepThatCannotBeRead(t *testing.T) {
	const free = `{"location": "/free/", "tdm-reservation": 0}`
	for _, c := range []struct{ section, file, atFree, elsewhere string }{
		{"empty", ``, "tdm=no!", "tdm=no!"},
		{"no JSON", `<html>`, "tdm=no!", "tdm=no!"},
		{"no array", free, "tdm=no!", "tdm=no!"},
		{"an array of nothing", `[]`, "", ""},
		{"cut off", `[` + free + `, {"location": "/`, "tdm=yes", "tdm=no!"},
		{"not closed", `[` + free, "tdm=yes", "tdm=no!"},
		{"no comma", `[` + free + free + `]`, "tdm=yes", "tdm=no!"},
		{"more behind it", `[` + free + `] x`, "tdm=yes", "tdm=no!"},
		{"a second value", `[` + free + `] []`, "tdm=yes", "tdm=no!"},
		{"no object", `[` + free + `, 1]`, "tdm=yes", "tdm=no!"},
		{"no location", `[{"tdm-reservation": 0}, ` + free + `]`, "tdm=no!", "tdm=no!"},
		{"a location that is no text", `[{"location": ["/"], "tdm-reservation": 0}]`, "tdm=no!", "tdm=no!"},
		{"a location that is no path", `[{"location": "free/", "tdm-reservation": 0}]`, "tdm=no!", "tdm=no!"},
		{"no reservation", `[{"location": "/free/"}]`, "tdm=no!", ""},
		{"a reservation that is text", `[{"location": "/free/", "tdm-reservation": "0"}]`, "tdm=no!", ""},
		{"a reservation in capitals", `[{"location": "/free/", "TDM-reservation": 0}]`, "tdm=no!", ""},
		{"a property twice", `[{"location": "/free/", "tdm-reservation": 1, "tdm-reservation": 0}]`, "tdm=no!", "tdm=no!"},
		{"a policy that is no text", `[{"location": "/free/", "tdm-reservation": 1, "tdm-policy": {}}]`, "tdm=no!", ""},
		{"a byte-order mark", "\xef\xbb\xbf[" + free + "]", "tdm=yes", ""},
		{"deep nesting", `[` + free + `,` + strings.Repeat(`[`, 100_000), "tdm=yes", "tdm=no!"},
		{"too long", `[` + free + `, {"x": "` + strings.Repeat("x", MaxSize) + `"}]`, "tdm=yes", "tdm=no!"},
		{"too many rules", `[` + strings.Repeat(free+",", maxTDMRules) + free + `]`, "tdm=yes", "tdm=no!"},
	} {
		r := ParseTDMRep([]byte(c.file))
		if got := brief(r.For("/free/x")); got != c.atFree {
			t.Errorf("%s: /free/x has %q, want %q", c.section, got, c.atFree)
		}
		if got := brief(r.For("/x")); got != c.elsewhere {
			t.Errorf("%s: /x has %q, want %q", c.section, got, c.elsewhere)
		}
	}
	var none *TDMRep
	if none.For("/") != nil || none.Size() != 0 {
		t.Error("a nil TDMRep says something")
	}
}

func FuzzTDMRep(f *testing.F) {
	f.Add([]byte(`[{"location": "/a*b$", "tdm-reservation": 1, "tdm-policy": "p"}]`), "/ab")
	f.Add([]byte(`[{"location": "/", "tdm-reservation": 0}`), "/")
	f.Add([]byte(`[{"location": null, "a": {}, "a": 1}, 1]`), "")
	f.Fuzz(func(t *testing.T, body []byte, path string) {
		r := ParseTDMRep(body)
		checkUsage(t, Merge(r.For(path)))
		if len(body)+100 > MaxSize {
			return
		}
		// A reservation of everything before whatever was there stands.
		sure := fmt.Appendf(nil, `[{"location": "/", "tdm-reservation": 1}, %s`, body)
		if p, _ := Merge(ParseTDMRep(sure).For(path)).Preference(CategoryTDM); p != Denied {
			t.Fatalf("%s gets access to %q", sure, path)
		}
	})
}
