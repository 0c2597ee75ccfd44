package signals

import (
	"maps"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestParsePolicy(t *testing.T) {
	for _, c := range []struct {
		name   string
		stated map[string]string
		want   string // the error, "" for none
	}{
		{"every use and rule", map[string]string{"search": "ignore", "ai-input": "record", "ai-train": "require-allow", "tdm": "respect", "license": "respect"}, ""},
		{"another vocabulary's name", map[string]string{"train-ai": "respect"}, ""},
		{"nothing", nil, ""},
		{"a slip in a use", map[string]string{"ai-trian": "respect"}, `"ai-trian" is no use of content: did you mean ai-train?`},
		{"no such use", map[string]string{"resale": "respect"}, `"resale" is no use of content: known are search, ai-input, ai-train, tdm, license`},
		{"all is no use", map[string]string{"all": "respect"}, `"all" is no use of content: known are search, ai-input, ai-train, tdm, license`},
		{"a slip in a rule", map[string]string{"tdm": "require-alow"}, `tdm: "require-alow" is no rule: did you mean require-allow?`},
		{"no such rule", map[string]string{"tdm": "42"}, `tdm: "42" is no rule: known are record, ignore, respect, require-allow`},
		{"a rule that nothing meets", map[string]string{"license": "require-allow"}, "license: require-allow could never be met, since licences are not read: use respect or record"},
		{"a use twice", map[string]string{"train-ai": "respect", "ai-train": "record"}, "train-ai is ai-train, which is there twice"},
		{"all mistakes at once", map[string]string{"tdn": "respect", "search": "forbid", "tdm": "record"}, "search: \"forbid\" is no rule: known are record, ignore, respect, require-allow\n\"tdn\" is no use of content: did you mean tdm?"},
	} {
		p, err := ParsePolicy(c.stated)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != c.want || (err == nil) != (p != nil) {
			t.Errorf("%s: %q\nwant %q", c.name, got, c.want)
		}
		if err == nil && len(p) != len(c.stated) {
			t.Errorf("%s: %v of %v", c.name, p, c.stated)
		}
	}
	for _, name := range RuleNames() {
		if r, err := ParseRule(name); err != nil || r.String() != name {
			t.Errorf("%s is %v (%v)", name, r, err)
		}
	}
}

func TestDecide(t *testing.T) {
	for _, c := range []struct {
		name        string
		policy      Policy
		stated      string
		early, late string // the reasons, "" for allowed
	}{
		{"no policy", nil, "all=no", "", ""},
		{"record", Policy{"ai-train": Record}, "ai-train=no", "", ""},
		{"ignore", Policy{"ai-train": Ignore}, "ai-train=no", "", ""},
		{"respect a no", Policy{"ai-train": Respect}, "ai-train=no",
			"usage policy ai-train: respect: ai-train=no (test)", "usage policy ai-train: respect: ai-train=no (test)"},
		{"respect a no to a wider use", Policy{"ai-train": Respect}, "tdm=no",
			"usage policy ai-train: respect: tdm=no (test)", "usage policy ai-train: respect: tdm=no (test)"},
		{"respect nothing stated", Policy{"ai-train": Respect}, "search=no", "", ""},
		{"respect a yes", Policy{"ai-train": Respect}, "ai-train=yes", "", ""},
		{"require a yes: a yes", Policy{"ai-train": RequireAllow}, "ai-train=yes", "", ""},
		{"require a yes: nothing", Policy{"ai-train": RequireAllow}, "search=yes", "", "usage policy ai-train: require-allow: nothing is stated"},
		{"require a yes: a yes to a wider use", Policy{"ai-train": RequireAllow}, "tdm=yes", "", "usage policy ai-train: require-allow: nothing is stated"},
		{"require a yes: a no", Policy{"ai-train": RequireAllow}, "ai-train=no",
			"usage policy ai-train: require-allow: ai-train=no (test)", "usage policy ai-train: require-allow: ai-train=no (test)"},
		{"what cannot be read is a no", Policy{"search": Respect}, "!",
			`usage policy search: respect: all=no (test: "!" is no signal)`, `usage policy search: respect: all=no (test: "!" is no signal)`},
		{"the first use in order is the reason", Policy{"tdm": Respect, "search": Respect}, "tdm=no, search=no",
			"usage policy search: respect: search=no (test)", "usage policy search: respect: search=no (test)"},
	} {
		u := Merge(contentSignal(c.stated, "test"))
		for which, v := range map[string]struct {
			got  Verdict
			want string
		}{"early": {c.policy.DecideEarly(u), c.early}, "late": {c.policy.Decide(u), c.late}} {
			if v.got.Reason != v.want || v.got.Allowed != (v.want == "") {
				t.Errorf("%s, %s: %+v\nwant %q", c.name, which, v.got, v.want)
			}
		}
	}
	licensed := Merge(ParseRobotsTxt([]byte("License: https://h.example/l"), "bookbot").For("/"))
	if v := (Policy{"license": Respect}).Decide(licensed); v.Allowed || !strings.Contains(v.Reason, "license=https://h.example/l (RSL, robots.txt line 1)") {
		t.Errorf("%+v", v)
	}
	if v := (Policy{"ai-train": Respect}).Decide(licensed); !v.Allowed {
		t.Errorf("a licence whose terms are not read decides on training: %+v", v)
	}
}

func TestRecorded(t *testing.T) {
	u := Merge(contentSignal("search=yes, ai-train=no", "test"))
	if got := (Policy{"search": Ignore, "ai-train": Respect}).Recorded(u).String(); got != "ai-train=no (test)" {
		t.Errorf("recorded %q", got)
	}
	if got := Policy(nil).Recorded(u); len(got.Statements) != 2 {
		t.Errorf("recorded %q", got)
	}
}

// What is forbidden before a page is fetched stays forbidden, whatever the page
// adds.
func TestEarlyVerdictsStand(t *testing.T) {
	rule := rapid.SampledFrom([]Rule{Record, Ignore, Respect, RequireAllow})
	stated := rapid.StringMatching(`((search|ai-train|tdm|all|x)=(yes|no|\?),? ?){0,5}`)
	rapid.Check(t, func(t *rapid.T) {
		p := Policy(rapid.MapOf(rapid.SampledFrom(Categories()), rule).Draw(t, "policy"))
		site := contentSignal(stated.Draw(t, "site"), "site")
		page := contentSignal(stated.Draw(t, "page"), "page")
		if early := p.DecideEarly(Merge(site)); !early.Allowed && p.Decide(Merge(site, page)).Allowed {
			t.Fatalf("%s, and then allowed", early.Reason)
		}
		if late := p.Decide(Merge(site)); late.Allowed && !p.DecideEarly(Merge(site)).Allowed {
			t.Fatal("early is stricter than late")
		}
	})
}

func FuzzParsePolicy(f *testing.F) {
	f.Add("ai-train", "respect")
	f.Add("\xff", strings.Repeat("require-allow", 9))
	f.Fuzz(func(t *testing.T, use, rule string) {
		p, err := ParsePolicy(map[string]string{use: rule})
		if err == nil && len(p) != 1 || err != nil && len(err.Error()) > 300 {
			t.Fatalf("%v %v", p, err)
		}
		for category := range maps.Keys(p) {
			p.Decide(Merge(contentSignal(category+"=no", "t")))
		}
	})
}
