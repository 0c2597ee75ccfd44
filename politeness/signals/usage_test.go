package signals

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestContentSignal(t *testing.T) {
	for _, c := range []struct{ section, value, want string }{
		{"policy: yes and no", "search=yes, ai-input=no,ai-train=no", "search=yes ai-input=no ai-train=no"},
		{"blanks and case", " Search = YES ,\tAI-Train= No", "search=yes ai-train=no"},
		{"other separators", "search=yes;ai-train=no ai-input=no", "search=yes ai-train=no ai-input=no"},
		{"names of other vocabularies", "train-ai=no, ai_use=yes, bots=no", "ai-train=no ai-input=yes all=no"},
		{"an unknown name", "resale=no", "resale=no"},
		{"neither yes nor no", "search=maybe, ai-train=", "search=no! ai-train=no!"},
		{"twice", "search=yes, search=no", "search=yes search=no"},
		{"no pair", "search", "all=no!"},
		{"no name", "=no, s\x00=yes", "all=no! all=no!"},
		{"nothing", " , ", ""},
		{"too long", strings.Repeat("x", maxField+1), "all=no!"},
	} {
		if got := brief(contentSignal(c.value, "test")); got != c.want {
			t.Errorf("%s: %q says %q, want %q", c.section, c.value, got, c.want)
		}
	}
}

func TestContentUsage(t *testing.T) {
	for _, c := range []struct{ section, value, want string }{
		{"vocab-05 6: y and n", "train-ai=n, search=y", "ai-train=no search=yes"},
		{"vocab-05 6.1: labels of several revisions", "ai-use=n, ai-output=n, train-genai=n, bots=n", "ai-input=no ai-input=no ai-train=no all=no"},
		{"vocab-05 6.4: an unknown label", "resale=n", "resale=no"},
		{"vocab-05 6.4: parameters are skipped", "train-ai=y;why=\"a, b\";x, search=n;a=(", "all=no!"},
		{"vocab-05 6.4: parameters are skipped", "train-ai=y;why=\"a, b\";x, search=n;a=1.5", "ai-train=yes search=no"},
		{"vocab-05 6.5: another token", "train-ai=yes", "ai-train=no!"},
		{"vocab-05 6.5: no token", `train-ai="y", search, ai-use=?0, a=(y n), b=1`, "ai-train=no! search=no! ai-input=no! a=no! b=no!"},
		{"vocab-05 6.5: a key twice", "train-ai=n, train-ai=y", "ai-train=no ai-train=yes"},
		{"vocab-05 6.5: an upper-case key", "Train-AI=n", "all=no!"},
		{"vocab-05 6.5: no dictionary", "train-ai=n,", "all=no!"},
		{"RFC 9651 4.2: an empty field", "", ""},
	} {
		if got := brief(contentUsage(c.value, "test")); got != c.want {
			t.Errorf("%s: %q says %q, want %q", c.section, c.value, got, c.want)
		}
	}
}

func TestDictionary(t *testing.T) {
	for _, c := range []struct {
		section, field string
		want           string // "" for a failure
	}{
		{"3.2", "a=1, b=?0", "a=1 b=?0"},
		{"3.2: a member without a value", "a, b;x", "a=?1 b=?1"},
		{"4.2: blanks around", "  a=b  ", "a=b"},
		{"4.2.2: tabs around a comma", "a=1\t,\tb=2", "a=1 b=2"},
		{"4.2.2: a comma at the end", "a=1,", ""},
		{"4.2.2: no comma", "a=1 b=2", ""},
		{"4.2.1.2: an inner list", "a=(1 \"x)\" t;p=1)", `a=(1 "x)" t;p=1)`},
		{"4.2.1.2: an inner list does not nest", "a=((1))", ""},
		{"4.2.1.2: an inner list must end", "a=(1", ""},
		{"4.2.1.2: items need a blank between", `a=("x""y")`, ""},
		{"4.2.3.3: keys", "*a-b_c.d*1=x", "*a-b_c.d*1=x"},
		{"4.2.3.3: a key begins in lower case", "A=x", ""},
		{"4.2.3.3: a key begins with no digit", "1=x", ""},
		{"4.2.4: numbers", "a=-12.345, b=123456789012345", "a=-12.345 b=123456789012345"},
		{"4.2.4: sixteen digits", "a=1234567890123456", ""},
		{"4.2.4: four behind the point", "a=1.2345", ""},
		{"4.2.4: nothing behind the point", "a=1.", ""},
		{"4.2.4: a sign alone", "a=-", ""},
		{"4.2.5: a string", `a="x\"\\y"`, `a="x\"\\y"`},
		{"4.2.5: another escape", `a="\x"`, ""},
		{"4.2.5: an open string", `a="x`, ""},
		{"4.2.5: beyond ASCII", `a="ä"`, ""},
		{"4.2.6: a token", "a=*x:/y!", "a=*x:/y!"},
		{"4.2.7: octets", "a=:aGk=:", "a=:aGk=:"},
		{"4.2.7: open octets", "a=:aGk=", ""},
		{"4.2.8: a Boolean", "a=?1", "a=?1"},
		{"4.2.8: no Boolean", "a=?2", ""},
		{"4.2.9: a date", "a=@1659578233", "a=@1659578233"},
		{"4.2.9: a date is an Integer", "a=@1.5", ""},
		{"4.2.10: a display string", `a=%"f%c3%bc"`, `a=%"f%c3%bc"`},
		{"4.2.3.2: parameters", "a=1; b;c=2;d=\"x\"", "a=1"},
		{"4.2.3.2: a bad parameter", "a=1;B", ""},
		{"4.2.3.1: no value", "a=", ""},
		{"4.2.3.1: no item", "a=$", ""},
	} {
		members, err := parseDictionary(c.field)
		var got []string
		for _, m := range members {
			got = append(got, m.key+"="+m.value)
		}
		if text := strings.Join(got, " "); text != c.want || (err != nil) != (c.want == "") {
			t.Errorf("RFC 9651 %s: %q is %q (%v), want %q", c.section, c.field, text, err, c.want)
		}
	}
}

func TestFromHeader(t *testing.T) {
	for _, c := range []struct{ section, name, values, want string }{
		{"Content-Signal", "Content-Signal", "ai-train=no|search=yes", "ai-train=no search=yes"},
		{"Content-Usage is one list (RFC 9110 5.3)", "Content-Usage", "train-ai=n|search=y", "ai-train=no search=yes"},
		{"an empty field is none", "Content-Usage", "train-ai=y||", "ai-train=yes"},
		{"one bad field of several", "Content-Usage", "train-ai=y|!", "all=no!"},
		{"TDMRep: reserved", "Tdm-Reservation", "1", "tdm=no"},
		{"TDMRep: not reserved", "Tdm-Reservation", " 0 ", "tdm=yes"},
		{"TDMRep: another value", "Tdm-Reservation", "2", "tdm=no!"},
		{"TDMRep: an empty value", "Tdm-Reservation", "", "tdm=no!"},
		{"TDMRep: several values", "Tdm-Reservation", "0, 1", "tdm=yes tdm=no"},
		{"TDMRep: a policy alone", "Tdm-Policy", "https://h.example/p", "tdm=no!"},
		{"RSL", "Link", `<https://h.example/l.xml>; rel="license"; type="application/rsl+xml"`, "license=no"},
		{"RFC 8288 3: tokens, case, several relations", "Link", `</l>;TYPE=Application/RSL+xml;rel="next License"`, "license=no"},
		{"RFC 8288 3: several links in a field", "Link", `<a,b>; title="x, \"<y>; z"; rel=next, </l>; rel=license; type=application/rsl+xml`, "license=no"},
		{"RFC 8288 3.3: the first relation counts", "Link", `</l>; rel=next; rel=license; type=application/rsl+xml`, ""},
		{"another licence", "Link", `</l>; rel=license; type=text/html|</m>; rel=license`, ""},
		{"another relation", "Link", `</l>; rel=alternate; type=application/rsl+xml`, ""},
		{"another malformed link", "Link", `/l; rel=preload`, ""},
		{"a malformed link to a licence", "Link", `/l; rel=license; type=application/rsl+xml`, "license=no!"},
		{"an open quotation", "Link", `</l>; rel=license; type="application/rsl+xml`, "license=no!"},
		{"too many links", "Link", strings.Repeat("<a>,", maxLinks+1), "all=no!"},
		{"too long", "Link", strings.Repeat("x", maxField+1), "all=no!"},
	} {
		h := http.Header{c.name: strings.Split(c.values, "|")}
		if got := brief(FromHeader(h)); got != c.want {
			t.Errorf("%s: %q says %q, want %q", c.section, c.values, got, c.want)
		}
	}
}

func TestFromMetas(t *testing.T) {
	got := FromMetas([]Meta{{"TDM-Reservation", "1"}, {"tdm-policy", "https://h.example/p"}, {"robots", "1"}})
	want := "tdm=no (TDMRep, meta)"
	if text := Merge(got).String(); text != want || got[0].Text != "tdm-reservation: 1, tdm-policy: https://h.example/p" {
		t.Errorf("%q (%q), want %q", text, got[0].Text, want)
	}
	if FromMetas([]Meta{{"description", "1"}}) != nil || FromHeader(http.Header{}) != nil {
		t.Error("a page that says nothing says something")
	}
}

func TestPreference(t *testing.T) {
	all := func(stated string) Usage { return Merge(contentSignal(stated, "test")) }
	for _, c := range []struct {
		section, stated, use string
		want                 Preference
	}{
		{"nothing", "", "search", Unstated},
		{"a yes", "search=yes", "search", Allowed},
		{"vocab-05 5.1: a no beats a yes", "search=yes, search=no", "search", Denied},
		{"another use", "search=no", "ai-train", Unstated},
		{"all holds every use", "all=no, search=yes", "search", Denied},
		{"all allows none by itself", "all=yes", "search", Unstated},
		{"tdm holds training", "tdm=no, ai-train=yes", "ai-train", Denied},
		{"tdm holds no search", "tdm=no", "search", Unstated},
		{"tdm allows no training by itself", "tdm=yes", "ai-train", Unstated},
		{"training is not all of tdm", "ai-train=no", "tdm", Unstated},
	} {
		if got, _ := all(c.stated).Preference(c.use); got != c.want {
			t.Errorf("%s: %q makes %s %v, want %v", c.section, c.stated, c.use, got, c.want)
		}
	}
}

func TestUsageString(t *testing.T) {
	u := Merge(
		[]Statement{{"resale", Denied, "x", "", ""}, {"tdm", Denied, "TDMRep, header", "", `"2" is neither 0 nor 1`}},
		[]Statement{{"license", Denied, "RSL, Link header", "/l", ""}, {"search", Allowed, "a", "", ""}, {"search", Denied, "b", "", ""}},
		[]Statement{{"search", Allowed, "a", "", ""}},
	)
	want := `search=yes (a); search=no (b); tdm=no (TDMRep, header: "2" is neither 0 nor 1); license=/l (RSL, Link header); resale=no (x)`
	if got := u.String(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := u.Problems(); !slices.Equal(got, []string{`TDMRep, header: "2" is neither 0 nor 1`}) {
		t.Errorf("problems %q", got)
	}
	if (Usage{}).String() != "" {
		t.Error("nothing stated has a text")
	}
}

func TestMergeIsBounded(t *testing.T) {
	var many []Statement
	for i := range 3 * maxStatements {
		many = append(many, Statement{Category: "search", Allow: Allowed, Source: fmt.Sprint(i)})
	}
	u := Merge(many)
	if p, _ := u.Preference("search"); p != Denied || len(u.Statements) != maxStatements {
		t.Errorf("%d statements, search %v", len(u.Statements), p)
	}
	if text := u.String(); len(text) > maxUsageText || !strings.HasSuffix(text, " more") {
		t.Errorf("%d octets: %s", len(text), text)
	}
	if got := len(Merge(many[:maxStatements-1]).Statements); got != maxStatements-1 {
		t.Errorf("%d statements of %d are left", got, maxStatements-1)
	}
}

// More statements never give more access than a denial leaves, in any order.
func TestDenialsStay(t *testing.T) {
	statement := rapid.Custom(func(t *rapid.T) Statement {
		return Statement{
			Category: rapid.SampledFrom(append(Categories(), "all", "resale")).Draw(t, "category"),
			Allow:    rapid.SampledFrom([]Preference{Allowed, Denied}).Draw(t, "allow"),
			Source:   rapid.SampledFrom([]string{"a", "b"}).Draw(t, "source"),
		}
	})
	rapid.Check(t, func(t *rapid.T) {
		some := rapid.SliceOfN(statement, 0, 80).Draw(t, "some")
		more := rapid.SliceOfN(statement, 0, 80).Draw(t, "more")
		both, swapped := Merge(some, more), Merge(more, some)
		for _, c := range Categories() {
			before, _ := Merge(some).Preference(c)
			after, _ := both.Preference(c)
			if before == Denied && after != Denied {
				t.Fatalf("%s was denied and is %v", c, after)
			}
			if other, _ := swapped.Preference(c); other != after {
				t.Fatalf("%s is %v one way and %v the other", c, after, other)
			}
		}
	})
}

// Nothing but the words for it is ever read as a yes.
func TestOnlyYesIsYes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		switch strings.ToLower(strings.TrimFunc(value, blank)) {
		case "yes", "y", "0":
			t.Skip("it is one")
		}
		for _, s := range slices.Concat(
			contentSignal("ai-train="+value, "t"), contentUsage("ai-train="+value, "t"),
			[]Statement{reservation(value, "", "t")},
		) {
			if s.Allow == Allowed && !strings.ContainsAny(value, ",; \t\r\n\v\f") {
				t.Fatalf("%q is read as a yes: %v", value, s)
			}
		}
	})
}

func FuzzHeader(f *testing.F) {
	f.Add("search=yes, ai-train=no", "train-ai=n;a=\"b\", search=(1 y)", "1", `<l>; rel="license"; type="application/rsl+xml"`)
	f.Add("=;=", "a=:", "", "<")
	f.Add("a=b=c", "*=%\"", "1,0", `<>;;=";",`)
	f.Fuzz(func(t *testing.T, signal, usage, reserved, link string) {
		u := Merge(
			FromHeader(http.Header{"Content-Signal": {signal}, "Content-Usage": {usage}, "Tdm-Reservation": {reserved}, "Link": {link}}),
			FromMetas([]Meta{{"tdm-reservation", reserved}, {"tdm-policy", link}}),
		)
		checkUsage(t, u)
	})
}

func FuzzDictionary(f *testing.F) {
	for _, s := range []string{"a=1, b;x=?0", `a="x\"", b=%"%20"`, "a=(1 (", "a=:aGk=:;*", "a=@-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, field string) {
		members, err := parseDictionary(field)
		if err != nil {
			return
		}
		var again []string // what parses is made of members that parse
		for _, m := range members {
			again = append(again, m.key+"="+m.value)
		}
		second, err := parseDictionary(strings.Join(again, ","))
		if err != nil || !slices.Equal(members, second) {
			t.Fatalf("%q: %v, then %v (%v)", field, members, second, err)
		}
	})
}
