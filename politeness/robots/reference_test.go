package robots

import (
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// refMatch is the plainest matcher there is: it tries every length of every
// star.
func refMatch(pattern, path string) bool {
	switch {
	case pattern == "":
		return true
	case pattern == "$":
		return path == ""
	case pattern[0] == '*':
		for i := 0; i <= len(path); i++ {
			if refMatch(pattern[1:], path[i:]) {
				return true
			}
		}
		return false
	}
	return path != "" && path[0] == pattern[0] && refMatch(pattern[1:], path[1:])
}

// refCheck reads a file of simple lines "verb: value" under one agent, rule by
// rule.
func refCheck(lines []string, path string) (allowed bool, line int) {
	allowed, best := true, 0
	for i, l := range lines {
		verb, value, _ := strings.Cut(l, ": ")
		allow := verb == "Allow"
		tries := []string{value}
		if at := strings.LastIndexByte(value, '/'); allow && at >= 0 && strings.HasPrefix(value[at:], "/index.htm") {
			tries = append(tries, value[:at+1]+"$")
		}
		for _, v := range tries {
			if v == "" || !refMatch(v, path) {
				continue
			}
			if len(v) > best || len(v) == best && allow && !allowed {
				allowed, best, line = allow, len(v), i+2 // after the agent line
			}
		}
	}
	return allowed, line
}

func drawValue(t *rapid.T) string {
	return rapid.StringOfN(rapid.SampledFrom([]rune("/ab*$.x")), 1, 10, -1).Draw(t, "value")
}

func drawLines(t *rapid.T) []string {
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) string {
		value := "/" + drawValue(t)
		switch rapid.IntRange(0, 9).Draw(t, "shape") {
		case 0:
			value = "*" + value[1:]
		case 1:
			value += "/index.html"
		}
		return rapid.SampledFrom([]string{"Allow", "Disallow"}).Draw(t, "verb") + ": " + value
	}), 0, 40).Draw(t, "lines")
}

// Index, search and second opinion together answer as the plainest reading
// does, line number included.
func TestAgainstReference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := drawLines(t)
		f := Parse([]byte("User-agent: *\n"+strings.Join(lines, "\n")), Google)
		r := f.Agent("bot")
		for range 8 {
			path := "/" + rapid.StringOfN(rapid.SampledFrom([]rune("/ab$.x*")), 0, 14, -1).Draw(t, "path")
			if rapid.Bool().Draw(t, "folder") {
				path += "/"
			}
			if strings.HasPrefix(path, "//") {
				path = path[1:]
			}
			if strings.HasPrefix(path, "//") {
				continue
			}
			allowed, line := refCheck(lines, path)
			got := r.Check(path)
			if got.Allowed != allowed || got.Line != line {
				t.Fatalf("%q: got %v by line %d, want %v by line %d", path, got.Allowed, got.Line, allowed, line)
			}
		}
	})
}

// Where rules and URLs hold nothing that the modes read differently, they agree.
func TestModesAgreeOnPlainFiles(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain := rapid.StringOfN(rapid.SampledFrom([]rune("/ab*.")), 0, 8, -1)
		var b strings.Builder
		b.WriteString("User-agent: *\n")
		for range rapid.IntRange(0, 20).Draw(t, "rules") {
			b.WriteString(rapid.SampledFrom([]string{"Allow: /", "Disallow: /"}).Draw(t, "verb"))
			b.WriteString(plain.Draw(t, "value") + rapid.SampledFrom([]string{"\n", "$\n"}).Draw(t, "end"))
		}
		url := "https://h.example/" + rapid.StringOfN(rapid.SampledFrom([]rune("/ab.?")), 0, 12, -1).Draw(t, "path")
		ours, google := Parse([]byte(b.String()), RFC).Check("x", url), Parse([]byte(b.String()), Google).Check("x", url)
		if ours != google {
			t.Fatalf("%q: %+v and %+v", url, ours, google)
		}
	})
}

// temoto's matcher agrees with ours on every single rule, so that asking it
// never takes access away that a site gives.
func TestSecondOpinionAgrees(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		octets := rapid.SampledFrom([]rune("/ab*$. +\t#(\\%:é"))
		p := newPattern("/" + rapid.StringOfN(octets, 0, 12, -1).Draw(t, "value"))
		path := "/" + rapid.StringOfN(octets, 0, 16, -1).Draw(t, "path")
		left := maxWork
		if ours, theirs := p.matches(path, &left, false), compile(&p).matches(path); ours != theirs {
			t.Fatalf("%+v on %q: ours %v, temoto %v", p, path, ours, theirs)
		}
	})
}

// Normalising twice changes nothing, for rules and for URLs.
func TestNormaliseIsIdempotent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.StringOf(rapid.SampledFrom([]rune("/ab%26Ee*$ é|"))).Draw(t, "s")
		if once := normalise(s, sideURL); normalise(once, sideURL) != once {
			t.Fatalf("%q: %q, then %q", s, once, normalise(once, sideURL))
		}
		if once := normalise(s, sideRule); normalise(once, sideRule) != once {
			t.Fatalf("%q: %q, then %q", s, once, normalise(once, sideRule))
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"User-agent: *\nDisallow: /a*b$\nAllow: /a/index.html\nCrawl-delay: 0.5\nSitemap: https://x.example/s.xml",
		"\xef\xbb\xbfuser-agent foo\r\rdisallow /\x00\r\n#",
		"\xff\xfeU\x00s\x00e\x00r\x00-\x00a\x00g\x00e\x00n\x00t\x00:\x00*\x00\n\x00",
		"User-agent: bot\nDisallow: %zz%e2%82\nAllow: $\nAllow: *\nCrawl-delay: 1e999",
	} {
		f.Add([]byte(seed), "bot", "https://x.example/a/b?c=%41#d")
	}
	f.Fuzz(func(t *testing.T, body []byte, agent, url string) {
		for _, mode := range []Mode{RFC, Google} {
			file := Parse(body, mode)
			v := file.Check(agent, url)
			if v.Line == 0 && !v.Allowed {
				t.Errorf("%v: disallowed by no line", mode)
			}
			if delay, _, ok := file.Agent(agent).CrawlDelay(); ok && (delay < 0 || delay > maxDelay) {
				t.Errorf("%v: delay %v", mode, delay)
			}
			if again := Parse(body, mode).Check(agent, url); again != v {
				t.Errorf("%v: %v, then %v", mode, v, again)
			}
			if mode == RFC && !file.Check(agent, "https://x.example/robots.txt").Allowed {
				t.Error("robots.txt itself is disallowed")
			}
			file.Sitemaps()
		}
	})
}
