package signals

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// asked is Robots in short: the letters of what is set.
func asked(r Robots) string {
	out := ""
	for _, f := range []struct {
		set  bool
		name string
	}{{r.NoIndex, "index "}, {r.NoFollow, "follow "}, {r.NoArchive, "archive "}} {
		if f.set {
			out += f.name
		}
	}
	return strings.TrimSpace(out)
}

func TestDirectivesOfHeaders(t *testing.T) {
	for _, c := range []struct{ section, fields, want string }{
		{"X-Robots-Tag: one directive", "noindex", "index"},
		{"X-Robots-Tag: a list", "noindex, nofollow", "index follow"},
		{"X-Robots-Tag: none is both", "none", "index follow"},
		{"X-Robots-Tag: noarchive", "noarchive", "archive"},
		{"Bing's name for noarchive", "nocache", "archive"},
		{"not case sensitive", "NoIndex", "index"},
		{"several fields add up", "noindex|noarchive", "index archive"},
		{"all takes nothing back", "nofollow|all, index, follow", "follow"},
		{"unknown directives are ignored", "nosnippet, max-snippet:-1, max-image-preview: large, foo, bar:1", ""},
		{"unknown directives hide nothing behind them", "max-snippet:-1, foo:bar, nofollow", "follow"},
		{"per agent: another's", "otherbot: noindex, nofollow", ""},
		{"per agent: ours", "bookbot: noindex, nofollow", "index follow"},
		{"per agent: case and version", "BookBot/2.1: nofollow", "follow"},
		{"per agent: several fields", "otherbot: noindex|bookbot: nofollow|noarchive", "follow archive"},
		{"per agent: several in one field", "otherbot: noindex, bookbot: nofollow", "follow"},
		{"per agent: a list of all before a name", "noarchive, otherbot: noindex", "archive"},
		{"per agent: a value behind the name", "otherbot: max-snippet:-1, nofollow", ""},
		{"per agent: a name without directives", "otherbot:, nofollow", ""},
		{"per agent: everyone as *", "*: nofollow", "follow"},
		{"a longer name is another agent", "bookbots: noindex", ""},
		{"semicolons for commas", "noindex; nofollow", "index follow"},
		{"no commas", "noindex nofollow", "index follow"},
		{"no comma before a date", "nofollow unavailable_after: 2099-01-01", "follow"},
		{"no comma behind a value", "max-snippet: 50 noindex", "index"},
		{"other hyphens", "no-index, NO_FOLLOW, no archive", "index follow archive"},
		{"empty pieces", ",, noindex ,", "index"},
		{"unavailable_after without a date has passed", "unavailable_after", "index"},
	} {
		h := http.Header{"X-Robots-Tag": strings.Split(c.fields, "|")}
		if got := asked(Directives("bookbot/2.0 (+https://me.example)", h, nil, now)); got != c.want {
			t.Errorf("%s: %q asks %q, want %q", c.section, c.fields, got, c.want)
		}
	}
}

func TestDirectivesOfMetas(t *testing.T) {
	for _, c := range []struct {
		section string
		meta    Meta
		want    string
	}{
		{"robots", Meta{"robots", "noindex,nofollow"}, "index follow"},
		{"robots in capitals", Meta{"ROBOTS", "NONE"}, "index follow"},
		{"our name", Meta{"BookBot", "nofollow"}, "follow"},
		{"another's name", Meta{"otherbot", "noindex"}, ""},
		{"another element", Meta{"description", "noindex"}, ""},
		{"an empty name", Meta{"", "noindex"}, ""},
		{"a name in the content is no scope", Meta{"robots", "otherbot: noindex"}, "index"},
	} {
		if got := asked(Directives("bookbot", nil, []Meta{c.meta}, now)); got != c.want {
			t.Errorf("%s: %v asks %q, want %q", c.section, c.meta, got, c.want)
		}
	}
	if got := asked(Directives("", nil, []Meta{{"", "noindex"}, {"2", "noindex"}}, now)); got != "" {
		t.Errorf("a crawler without a name is taken for %q", got)
	}
}

func TestDirectivesSayWhoSaidThem(t *testing.T) {
	h := http.Header{"X-Robots-Tag": {"bookbot: nofollow", "noarchive, unavailable_after: 2099-01-02T03:04:05Z"}}
	r := Directives("bookbot", h, []Meta{{"Robots", "none"}, {"robots", "none"}}, now)
	want := []string{
		"nofollow (X-Robots-Tag)", "noarchive (X-Robots-Tag)",
		"unavailable_after 2099-01-02T03:04:05Z (X-Robots-Tag)", "none (meta robots)",
	}
	if !slices.Equal(r.From, want) || r.Problems != nil {
		t.Errorf("from %q with problems %q, want %q", r.From, r.Problems, want)
	}
}

func TestUnavailableAfter(t *testing.T) {
	for _, c := range []struct {
		value, want string // want: RFC 3339, "" where it cannot be read
	}{
		{"2027-03-01T09:30:00Z", "2027-03-01T09:30:00Z"},
		{"2027-03-01T09:30:00+01:00", "2027-03-01T08:30:00Z"},
		{"2027-03-01 09:30 UTC", "2027-03-01T09:30:00Z"},
		{"25 Jun 2027 15:00:00 PST", "2027-06-25T23:00:00Z"},
		{"Friday, 25-Jun-27 15:00:00 EST", "2027-06-25T20:00:00Z"},
		{"Fri, 25 Jun 2027 15:00:00 GMT", "2027-06-25T15:00:00Z"},
		{"Fri, 25 Jun 2027 15:00:00 -0500", "2027-06-25T20:00:00Z"},
		{"Fri Jun 25 15:00:00 2027", "2027-06-25T01:00:00Z"},
		{"Fri Jun 25 15:00:00 UTC 2027", "2027-06-25T15:00:00Z"},
		{"Friday, June 25th, 2027, 3:00 pm GMT", "2027-06-25T15:00:00Z"},
		{"25 Sept 2027 12:00 GMT+2", ""},
		{"25 Sept 2027 12:00 GMT+02:00", "2027-09-25T10:00:00Z"},
		{"25.6.2027", "2027-06-24T10:00:00Z"},
		{"20270625", "2027-06-24T10:00:00Z"},
		{"2027-06-25", "2027-06-24T10:00:00Z"},            // a day begins first at UTC+14
		{"25 Jun 2027 15:00 CET", "2027-06-25T01:00:00Z"}, // a zone of unknown offset likewise
		{"03/04/2027 00:00 UTC", "2027-03-04T00:00:00Z"},  // the earlier of two readings
		{"04/03/2027 00:00 UTC", "2027-03-04T00:00:00Z"},  // whichever way round
		{"31 Feb 2027", ""},            // no such day
		{"25 Jun 2027 25:00", ""},      // no such time
		{"2027-06-25 10:00 11:00", ""}, // two times
		{"2027-06-25T10:00Z Z", ""},    // two zones
		{"next week", ""},
		{"", ""},
		{strings.Repeat("2", 200), ""},
	} {
		h := http.Header{"X-Robots-Tag": {"unavailable_after: " + c.value + ", nofollow"}}
		r := Directives("bookbot", h, nil, now)
		if !r.NoFollow {
			t.Errorf("%q hides the directive behind it", c.value)
		}
		got := ""
		if len(r.Problems) == 0 {
			got = r.UnavailableAfter.UTC().Format(time.RFC3339)
		}
		if got != c.want {
			t.Errorf("%q is read as %q, want %q", c.value, got, c.want)
		}
		if r.NoIndex != (c.want == "") {
			t.Errorf("%q: NoIndex is %v", c.value, r.NoIndex)
		}
		if c.want == "" && (!r.UnavailableAfter.Equal(now) || len(r.Problems) != 1) {
			t.Errorf("%q: available until %v, problems %q", c.value, r.UnavailableAfter, r.Problems)
		}
	}
}

func TestUnavailableAfterPasses(t *testing.T) {
	h := http.Header{"X-Robots-Tag": {"unavailable_after: 2026-11-23T12:00:00Z"}}
	for _, c := range []struct {
		at   time.Time
		want bool
	}{{now.Add(-time.Second), false}, {now, true}, {now.Add(time.Second), true}} {
		if got := Directives("bookbot", h, nil, c.at).NoIndex; got != c.want {
			t.Errorf("at %v NoIndex is %v", c.at, got)
		}
	}
	h.Add("X-Robots-Tag", "unavailable_after: 2026-11-22T12:00:00Z")
	h.Add("X-Robots-Tag", "unavailable_after: 2026-11-25T12:00:00Z")
	if got := Directives("bookbot", h, nil, now).UnavailableAfter; got.Day() != 22 {
		t.Errorf("of three ends %v counts, not the earliest", got)
	}
}

func TestTooManyDirectivesRestrict(t *testing.T) {
	for name, field := range map[string]string{
		"long": strings.Repeat("x", maxField+1),
		"many": strings.Repeat("nosnippet,", maxDirectives+1),
	} {
		r := Directives("bookbot", http.Header{"X-Robots-Tag": {field}}, nil, now)
		if asked(r) != "index follow archive" || len(r.Problems) != 1 {
			t.Errorf("%s: asks %q, problems %q", name, asked(r), r.Problems)
		}
	}
}

// Whatever a page says besides, what was asked of us stays asked.
func TestDirectivesAddUp(t *testing.T) {
	piece := rapid.SampledFrom([]string{
		"noindex", "nofollow", "none", "noarchive", "all", "index", "follow", "foo", "max-snippet:-1",
		"otherbot: noindex", "bookbot: nofollow", "unavailable_after: 2026-01-01", "unavailable_after: soon",
		"unavailable_after: Fri, 25 Jun 2027 15:00:00 GMT",
	})
	field := rapid.Custom(func(t *rapid.T) string { return strings.Join(rapid.SliceOfN(piece, 0, 4).Draw(t, "pieces"), ", ") })
	rapid.Check(t, func(t *rapid.T) {
		fields := rapid.SliceOfN(field, 0, 4).Draw(t, "fields")
		more := rapid.OneOf(field, rapid.String()).Draw(t, "more")
		before := Directives("bookbot", http.Header{"X-Robots-Tag": fields}, nil, now)
		after := Directives("bookbot", http.Header{"X-Robots-Tag": append(slices.Clone(fields), more)}, []Meta{{"robots", more}}, now)
		if before.NoIndex && !after.NoIndex || before.NoFollow && !after.NoFollow || before.NoArchive && !after.NoArchive {
			t.Fatalf("%q took back what %q asks", more, fields)
		}
		if !before.UnavailableAfter.IsZero() && after.UnavailableAfter.After(before.UnavailableAfter) {
			t.Fatalf("%q put off the end that %q states", more, fields)
		}
	})
}

func FuzzDirectives(f *testing.F) {
	for _, s := range []string{
		"noindex, nofollow", "otherbot: noindex", "unavailable_after: Friday, June 25, 2027, 3:00 pm GMT, none",
		"max-snippet:-1;;:,unavailable_after:", "\x00\xff: noindex", "a:b:c:d:noindex",
	} {
		f.Add(s, "noindex")
	}
	f.Fuzz(func(t *testing.T, field, content string) {
		r := Directives("bookbot", http.Header{"X-Robots-Tag": {field}}, []Meta{{"robots", content}}, now)
		if len(r.From) > maxDirectives || len(r.Problems) > maxDirectives {
			t.Fatalf("%d reasons, %d problems", len(r.From), len(r.Problems))
		}
		if !r.UnavailableAfter.IsZero() && !r.UnavailableAfter.After(now) && !r.NoIndex {
			t.Fatal("an end has passed and the page may be kept")
		}
		sure := Directives("bookbot", http.Header{"X-Robots-Tag": {field, "none"}}, []Meta{{"robots", content}}, now)
		if !sure.NoIndex || !sure.NoFollow {
			t.Fatal("none was lost")
		}
	})
}

func FuzzDate(f *testing.F) {
	for _, s := range []string{"25-Jun-27 15:00:00 EST", "2027-06-25T10:00:00.5+01:00", "March 3rd, 2027 at 9:30 p.m. GMT+0100", "0000-00-00", "::", "t1t"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if at, ok := earliestDate(s); ok && (at.Year() < -1 || at.Year() > 10000) {
			t.Fatalf("%q is read as %v", s, at)
		}
	})
}
