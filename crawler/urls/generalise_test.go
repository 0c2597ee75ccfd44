package urls

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// whole is the canon of a crawl with all that it can leave out.
var whole = &Canon{DropParams: []string{"utm_*"}, DropSessions: true}

func TestGeneralise(t *testing.T) {
	for _, row := range table(t, "patterns.txt", 2) {
		raw, want := row[0], row[1]
		same := want == "="
		if same {
			want = raw
		}
		got, general := whole.Generalise(mustParse(t, "https://shop.example"+raw))
		_, hasQuery := strings.CutPrefix(want, "?")
		if got != want || general == (same || want == "/search" || hasQuery) {
			t.Errorf("Generalise(%q) = %q, %v, want %q", raw, got, general, want)
		}
	}
}

func TestDedupWithoutSessions(t *testing.T) {
	for _, row := range table(t, "sessions.txt", 2) {
		raw, want := row[0], row[1]
		if want == "=" {
			want = raw
		}
		if got := whole.Dedup(mustParse(t, raw)); got != want {
			t.Errorf("Dedup(%q) = %q, want %q", raw, got, want)
		}
		if got := (&Canon{}).Dedup(mustParse(t, raw)); strings.Contains(strings.ToLower(raw), "session") && !strings.Contains(strings.ToLower(got), "session") {
			t.Errorf("%q lost its session unasked: %q", raw, got)
		}
	}
}

// Pages that differ in numbers, dates, identifiers, the values and the order of
// parameters, or in sessions, are of one pattern.
func TestOnePattern(t *testing.T) {
	number := rapid.IntRange(0, 1_000_000)
	words := rapid.SampledFrom([]string{"red", "small", "", "a%20b", "x-y", "ü"})
	rapid.Check(t, func(t *rapid.T) {
		draw := func(which string) string {
			date := fmt.Sprintf("%04d/%02d", rapid.IntRange(1000, 9999).Draw(t, "year"), rapid.IntRange(1, 12).Draw(t, "month"))
			if rapid.Bool().Draw(t, "day") {
				date += fmt.Sprintf("/%02d", rapid.IntRange(1, 31).Draw(t, "day"))
			}
			id := fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", number.Draw(t, "1"), 0x1234, 0x5678, 0x9abc, number.Draw(t, "2"))
			params := []string{"color=" + words.Draw(t, "color"), "size=" + words.Draw(t, "size"), "q=1"}
			params = rapid.Permutation(params).Draw(t, "order")
			if rapid.Bool().Draw(t, "session") {
				params = append(params, fmt.Sprintf("PHPSESSID=%d", number.Draw(t, "session")))
			}
			return fmt.Sprintf("https://%s.example/list-%d/%s/u/%s?%s", which, number.Draw(t, "n"), date, id, strings.Join(params, "&"))
		}
		a, _ := Parse(draw("a"))
		b, _ := Parse(draw("b"))
		one, _ := whole.Generalise(a)
		other, _ := whole.Generalise(b)
		if one != other || one != "/list-{n}/{date}/u/{id}?color&q&size" {
			t.Errorf("%s has the pattern %q, %s has %q", a, one, b, other)
		}
	})
}

// A session anywhere changes nothing of a URL's identity.
func TestSessionsAreNoIdentity(t *testing.T) {
	session := rapid.SampledFrom([]string{";jsessionid=1A2B", "/(S(lit3py55t21z5v55))", "/S(abc)"})
	rapid.Check(t, func(t *rapid.T) {
		var plain, marked strings.Builder
		for range rapid.IntRange(1, 5).Draw(t, "segments") {
			seg := "/" + rapid.SampledFrom([]string{"a", "b.html", "x;v=1", "%C3%BC", "12"}).Draw(t, "segment")
			plain.WriteString(seg)
			marked.WriteString(seg)
			if rapid.Bool().Draw(t, "marked") {
				marked.WriteString(session.Draw(t, "session"))
			}
		}
		a, _ := Parse("https://h.example" + plain.String() + "?q=1")
		b, _ := Parse("https://h.example" + marked.String() + "?q=1&PHPSESSID=77")
		if whole.Key(a) != whole.Key(b) {
			t.Errorf("%s is %s, %s is %s", a, whole.Dedup(a), b, whole.Dedup(b))
		}
	})
}

func TestParamNames(t *testing.T) {
	path, names := whole.ParamNames(mustParse(t, "https://h.example/shop/12?size=m&color=red&color=blue&utm_source=x"))
	if got := fmt.Sprint(path, names); got != "/shop/12[color size]" {
		t.Errorf("got %s", got)
	}
	if _, names := whole.ParamNames(mustParse(t, "https://h.example/shop?")); len(names) != 0 {
		t.Errorf("got %q of an empty query", names)
	}
}

func TestRepetition(t *testing.T) {
	for _, c := range []struct {
		path, start, unit string
		times             int
	}{
		{"/", "", "", 1},
		{"/a/b/c", "", "", 1},
		{"/a/a", "", "/a", 2},
		{"/a/b/a/b/a/b", "", "/a/b", 3},
		{"/x/a/b/a/b/a/b/y", "/x", "/a/b", 3},
		{"/x/a/b/a/b/a", "/x", "/a/b", 2},
		{"/x/round/round/round/round", "/x", "/round", 4},
		{"/2026/10/10/10/10", "", "", 1},
		{"/1/a/1/a/1/a", "", "/1/a", 3},
		{"/a//////b", "/a", "/", 5},
		{"/a/a/x/b/b/b/b", "/a/a/x", "/b", 4},
	} {
		got := mustParse(t, "https://h.example"+c.path).Repetition()
		if want := (Repetition{c.start, c.unit, c.times}); got != want {
			t.Errorf("%s: got %+v, want %+v", c.path, got, want)
		}
	}
}

// A path made of rounds is seen to be one, and what is told of any path stands
// in it.
func TestRepetitionIsFound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		segment := rapid.SampledFrom([]string{"a", "b", "c", "d1"})
		unit := "/" + strings.Join(rapid.SliceOfN(segment, 1, maxUnit).Draw(t, "unit"), "/")
		times := rapid.IntRange(1, 9).Draw(t, "times")
		u, err := Parse("https://h.example/start-" + strings.Repeat(unit, times) + "/end")
		if err != nil {
			t.Fatal(err)
		}
		if got := u.Repetition(); got.Times < times {
			t.Errorf("%s: got %+v, want %d times %s", u, got, times, unit)
		}
		repetitionStands(t, u)
	})
}

func repetitionStands(t failer, u URL) {
	r := u.Repetition()
	if r.Times < 1 || r.Times > 1 && !strings.HasPrefix(u.Path(), r.Start+strings.Repeat(r.Unit, r.Times)) {
		t.Fatalf("%s: the path has no %+v", u, r)
	}
}

func FuzzGeneralise(f *testing.F) {
	for _, raw := range []string{
		"/a;jsessionid=1/..;jsessionid=2/(S(x))?PHPSESSID=1&a=2&&", "/2026/05/31/x?year=1&q", "/%2e%2e;jsessionid=/", "/a%;jsessionid=1;41",
		"/u/550e8400-e29b-41d4-a716-446655440000", "/a/b/a/b/a/b", "//////", "/%D0%9F12?%66=%7B", "/(S(a))//(S(b))//",
	} {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		u, err := Parse("https://h.example/" + raw)
		if err != nil {
			return
		}
		form := whole.Dedup(u)
		v, err := Parse(form)
		if err != nil || whole.Dedup(v) != form {
			t.Fatalf("the dedup form of %q is %q, and of that %q: %v", u, form, whole.Dedup(v), err)
		}
		pattern, _ := whole.Generalise(u)
		if again, _ := whole.Generalise(v); again != pattern {
			t.Fatalf("%q has the pattern %q, %q has %q", u, pattern, v, again)
		}
		if len(pattern) > 6*MaxLen {
			t.Fatalf("a pattern of %d bytes", len(pattern))
		}
		repetitionStands(t, u)
	})
}

func BenchmarkGeneralise(b *testing.B) {
	u, err := Parse("https://books.example/catalogue/a-light-in-the-attic_1000/2026/05?page=5&sort=price")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		whole.Generalise(u)
	}
}

func BenchmarkRepetition(b *testing.B) {
	u, err := Parse("https://books.example/" + strings.Repeat("ab/", MaxLen/3-20))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		u.Repetition()
	}
}
