package urls

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestGlob(t *testing.T) {
	for _, row := range table(t, "glob.txt", 3) {
		pattern, path, want := row[0], row[1], row[2]
		g, err := NewGlob(pattern)
		if message, bad := strings.CutPrefix(want, "!"); bad {
			if !errors.Is(err, ErrPattern) || !strings.Contains(err.Error(), message) {
				t.Errorf("glob %q: got %v, want %s", pattern, err, message)
			}
			continue
		}
		if err != nil {
			t.Errorf("glob %q: %v", pattern, err)
		} else if got := g.Match(mustParse(t, "https://h"+path)); got != (want == "+") {
			t.Errorf("glob %q on %q: got %v, want %s", pattern, path, got, want)
		}
	}
	if (Glob{}).Match(mustParse(t, "http://h/")) {
		t.Error("the zero Glob matches")
	}
}

// TestGlobIsARegularExpression compares the matcher with the expression that
// says the same, on patterns and paths of few letters, so that many match.
func TestGlobIsARegularExpression(t *testing.T) {
	asRegex := strings.NewReplacer(
		"/**/", "/(.*/)?", "**", ".*", "*", "[^/]*", "{", "(", ",", "|", "}", ")")
	piece := rapid.SampledFrom([]string{"a", "b", "/", "*", "**", "{a,b/}", "{*a,}", "/**/"})
	text := rapid.StringMatching(`/[ab/]{0,12}`)
	matched := 0
	rapid.Check(t, func(t *rapid.T) {
		pattern := "/" + strings.Join(rapid.SliceOfN(piece, 0, 6).Draw(t, "pieces"), "")
		if strings.Contains(pattern, "***") || strings.Contains(pattern, "/**/**") {
			t.Skip("stars that touch are read from the left here and there")
		}
		g, err := NewGlob(pattern)
		if err != nil {
			t.Fatalf("glob %q: %v", pattern, err)
		}
		path := text.Draw(t, "path")
		u, err := Parse("http://h" + path)
		if err != nil || u.Path() != path {
			t.Fatalf("path %q: %q, %v", path, u, err)
		}
		want := regexp.MustCompile("^(" + asRegex.Replace(pattern) + ")$").MatchString(path)
		if g.Match(u) != want {
			t.Fatalf("glob %q on %q: got %v, want %v", pattern, path, !want, want)
		}
		if want {
			matched++
		}
	})
	if matched == 0 {
		t.Error("nothing matched")
	}
}

func FuzzGlob(f *testing.F) {
	for _, p := range []string{"/a/**", "**/login*", "/{a,b*}/?x=*", "/\\*\\", "/größe/**/*.html", "{,}", "/**/**/x"} {
		f.Add(p, "https://h/a/b/login.html?x=y")
	}
	f.Fuzz(func(t *testing.T, pattern, raw string) {
		g, err := NewGlob(pattern)
		if err != nil {
			if !errors.Is(err, ErrPattern) {
				t.Fatal(err)
			}
			return
		}
		if u, err := Parse(raw); err == nil {
			g.Match(u)
		}
	})
}

func TestScope(t *testing.T) {
	s, err := NewScope(ScopeRules{
		Hosts:    []string{"Books.example", "*.books.example", "bücher.example:8080", "secure.example:443", "[::1]"},
		Include:  []Pattern{{Glob: "/catalogue/**"}, {Regex: `[?&]id=\d+$`}},
		Exclude:  []Pattern{{Glob: "**/login*"}, {Regex: `^http://a\.books\.example/`}},
		MaxDepth: 8,
	})
	if err != nil {
		t.Fatal(err)
	}
	hosts := "hosts: not one of Books.example, *.books.example, bücher.example:8080, secure.example:443, [::1]"
	for _, c := range []struct {
		url   string
		depth int
		in    bool
		rule  string
	}{
		{"https://books.example/catalogue/", 8, true, `include "/catalogue/**"`},
		{"http://BOOKS.example:81/catalogue/x?y", 0, true, `include "/catalogue/**"`},
		{"https://x.y.books.example/?id=12#frag", 0, true, `include regex "[?&]id=\\d+$"`},
		{"http://xn--bcher-kva.example:8080/?id=1", 0, true, `include regex "[?&]id=\\d+$"`},
		{"https://secure.example/catalogue/", 0, true, `include "/catalogue/**"`},
		{"http://[0::1]:9/catalogue/", 0, true, `include "/catalogue/**"`},
		{"http://xn--bcher-kva.example/?id=1", 0, false, hosts},
		{"http://secure.example/catalogue/", 0, false, hosts},
		{"https://notbooks.example/catalogue/", 0, false, hosts},
		{"https://books.example.evil.example/catalogue/", 0, false, hosts},
		{"https://books.example@evil.example/catalogue/", 0, false, hosts},
		{"https://books.example/catalogue/", 9, false, "max_depth 8"},
		{"https://books.example/about", 0, false, `include: none of "/catalogue/**", regex "[?&]id=\\d+$"`},
		{"https://books.example/catalogue/login", 0, false, `exclude "**/login*"`},
		{"http://u:p@a.books.example/catalogue/", 9, false, `exclude regex "^http://a\\.books\\.example/"`},
		{"ftp://books.example/catalogue/", 0, false, "scheme ftp"},
		{"mailto:x@books.example", 0, false, "scheme mailto"},
	} {
		if got := s.Check(mustParse(t, c.url), c.depth); got != (ScopeVerdict{c.in, c.rule}) {
			t.Errorf("%s at %d: got %+v, want %v by %s", c.url, c.depth, got, c.in, c.rule)
		}
	}
	if got := s.Check(URL{}, 0); got.In || got.Rule != "not a URL" {
		t.Errorf("zero URL: %+v", got)
	}
}

func TestScopeOfFewRules(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules ScopeRules
		url   string
		want  ScopeVerdict
	}{
		{"none", ScopeRules{}, "http://h/", ScopeVerdict{true, "any host"}},
		{"depth unbounded", ScopeRules{Hosts: []string{"h"}}, "http://h/", ScopeVerdict{true, "hosts: one of h"}},
		{"subdomains only", ScopeRules{Hosts: []string{"*.h"}}, "http://h/", ScopeVerdict{false, "hosts: not one of *.h"}},
		{"any host at a port", ScopeRules{Hosts: []string{"*:81"}}, "http://x.y:81/", ScopeVerdict{true, "hosts: one of *:81"}},
		{"not at that port", ScopeRules{Hosts: []string{"*:81"}}, "http://x.y/", ScopeVerdict{false, "hosts: not one of *:81"}},
		{"many hosts", ScopeRules{Hosts: strings.Fields("a b c d e f g h")}, "http://x/",
			ScopeVerdict{false, "hosts: not one of a, b, c, d, e and 3 more"}},
	} {
		s, err := NewScope(c.rules)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		} else if got := s.Check(mustParse(t, c.url), 1<<30); got != c.want {
			t.Errorf("%s: got %+v, want %+v", c.name, got, c.want)
		}
	}
}

func TestScopeRefuses(t *testing.T) {
	for _, c := range []struct {
		rules   ScopeRules
		message string
	}{
		{ScopeRules{Hosts: []string{"https://h.example"}}, "without a scheme"},
		{ScopeRules{Hosts: []string{"h.example/x"}}, "without a path"},
		{ScopeRules{Hosts: []string{"me@h.example"}}, "host alone"},
		{ScopeRules{Hosts: []string{"h.*.example"}}, "a star stands only"},
		{ScopeRules{Hosts: []string{"*h.example"}}, "a star stands only"},
		{ScopeRules{Hosts: []string{"h.example:http"}}, "bad port"},
		{ScopeRules{Hosts: []string{"h.example:99999"}}, "bad port"},
		{ScopeRules{Hosts: []string{"h.example:80x"}}, "bad port"},
		{ScopeRules{Hosts: []string{"h.example:"}}, "bad port"},
		{ScopeRules{Hosts: []string{""}}, "not a host name"},
		{ScopeRules{Hosts: []string{"*."}}, "not a host name"},
		{ScopeRules{Hosts: []string{"a b"}}, "host alone"},
		{ScopeRules{Include: []Pattern{{}}}, "include: bad pattern: want a glob or a regex"},
		{ScopeRules{Include: []Pattern{{Glob: "/", Regex: "/"}}}, "want a glob or a regex"},
		{ScopeRules{Exclude: []Pattern{{Glob: "x"}}}, `exclude: bad pattern: glob "x": a path starts`},
		{ScopeRules{Exclude: []Pattern{{Regex: "("}}}, "missing closing )"},
		{ScopeRules{MaxDepth: -1}, "negative"},
	} {
		_, err := NewScope(c.rules)
		if !errors.Is(err, ErrPattern) || !strings.Contains(err.Error(), c.message) {
			t.Errorf("%+v: got %v, want %s", c.rules, err, c.message)
		}
	}
}
