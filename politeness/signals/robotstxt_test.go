package signals

import (
	"bytes"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

// brief is a list of statements in short: "ai-train=no search=yes", with "!"
// behind what could not be read.
func brief(all []Statement) string {
	var out []string
	for _, s := range all {
		text := s.Category + "=" + s.Allow.String()
		if s.Problem != "" {
			text += "!"
		}
		out = append(out, text)
	}
	return strings.Join(out, " ")
}

func TestRobotsTxtGroups(t *testing.T) {
	const file = `Content-Signal: tdm=no
User-agent: *
Content-Signal: search=yes, ai-train=no
Allow: /

User-agent: bookbot
User-agent: otherbot
Crawl-delay: 2
Content-Usage: / train-ai=y
Disallow: /x
User-agent: thirdbot
Disallow: /
`
	for _, c := range []struct{ section, agent, want string }{
		{"RFC 9309 2.2.1: no group of its own", "somebot", "tdm=no search=yes ai-train=no"},
		{"RFC 9309 2.2.1: its own group alone", "BookBot/1.0", "tdm=no ai-train=yes"},
		{"RFC 9309 2.2: agent lines add up", "otherbot", "tdm=no ai-train=yes"},
		{"RFC 9309 2.2.1: a group without signals", "thirdbot", "tdm=no"},
	} {
		if got := brief(ParseRobotsTxt([]byte(file), c.agent).For("/")); got != c.want {
			t.Errorf("%s: %s is told %q, want %q", c.section, c.agent, got, c.want)
		}
	}
}

func TestRobotsTxtUsageRulesEndAnAgentList(t *testing.T) { // attach-04 section 3: it is a rule
	const file = "User-agent: a\nContent-Usage: / search=n\nUser-agent: b\nContent-Usage: / search=y\n"
	for agent, want := range map[string]string{"a": "search=no", "b": "search=yes"} {
		if got := brief(ParseRobotsTxt([]byte(file), agent).For("/")); got != want {
			t.Errorf("%s is told %q, want %q", agent, got, want)
		}
	}
}

func TestRobotsTxtPaths(t *testing.T) {
	const file = `User-agent: *
Content-Usage: / train-ai=n
Content-Usage: /open/ train-ai=y
Content-Usage: /open/*.pdf$ search=n
Content-Usage: /a%7eb/ search=y
Content-Usage: /a$b ai-use=n
Content-Usage: /a%2ab ai-use=y
Content-Usage: /twice search=y
Content-Usage: /twice search=n
Content-Signal: search=yes
Content-Signal: /shut ai-input=no
`
	r := ParseRobotsTxt([]byte(file), "bookbot")
	for _, c := range []struct{ section, path, want string }{
		{"attach-04 3.1: the whole site", "/x", "search=yes ai-train=no"},
		{"attach-04 3.1: the longest pattern", "/open/x", "search=yes ai-train=yes"},
		{"RFC 9309 2.2.3: * and $", "/open/x.pdf", "search=yes search=no"},
		{"RFC 9309 2.2.3: $ is the end", "/open/x.pdf?y", "search=yes ai-train=yes"},
		{"RFC 9309 2.2.2: percent-encoding", "/a~b/", "search=yes search=yes"},
		{"RFC 9309 2.2.2: percent-encoding", "https://h.example/%61%7Eb/#f", "search=yes search=yes"},
		{"attach-04 3.1: equal patterns both hold", "/twice", "search=yes search=yes search=no"},
		{"RFC 9309 2.2.3: $ before the end is itself", "/a$b", "search=yes ai-input=no"},
		{"RFC 9309 2.2.3: %2A is itself", "/a*b", "search=yes ai-input=yes"},
		{"RFC 9309 2.2.3: %2A is no operator", "/axb", "search=yes ai-train=no"},
		{"a path for Content-Signal", "/shut/x", "ai-input=no ai-train=no"},
		{"a query is part of the path", "/?q", "search=yes ai-train=no"},
		{"no path is the root", "https://h.example", "search=yes ai-train=no"},
		{"paths are case-sensitive", "/OPEN/x", "search=yes ai-train=no"},
	} {
		if got := brief(r.For(c.path)); got != c.want {
			t.Errorf("%s: %s has %q, want %q", c.section, c.path, got, c.want)
		}
	}
}

func TestRobotsTxtLines(t *testing.T) {
	for _, c := range []struct{ section, file, want string }{
		{"RFC 9309 2.2: a comment", "Content-Signal: search=no # ai-train=no", "search=no"},
		{"RFC 9309 2.2: a comment alone", "# Content-Signal: search=no", ""},
		{"RFC 9309 2.2: blanks and case", " CONTENT-signal \t:\t search=no \t", "search=no"},
		{"RFC 9309 2.2: CR ends a line", "User-agent: *\rContent-Signal: search=no\rAllow: /", "search=no"},
		{"a byte-order mark", "\ufeffContent-Signal: search=no", "search=no"},
		{"UTF-16", "\xff\xfeL\x00i\x00c\x00e\x00n\x00s\x00e\x00:\x00 \x00h\x00t\x00t\x00p\x00:\x00/\x00/\x00x\x00", "license=no"},
		{"a slip in the key", "Content_Signals: search=no", "search=no"},
		{"a dictionary key that begins with a star", "Content-Usage: *=n", "*=no"},
		{"a pattern that begins with a star", "Content-Usage: *x search=n", ""},
		{"no path is every path", "Content-Usage: search=n", "search=no"},
		{"a path without more", "Content-Usage: /", ""},
		{"a longer path without more", "Content-Usage: /shut/", "all=no!"},
		{"an unreadable preference", "Content-Usage: / search", "search=no!"},
		{"an unreadable dictionary", "Content-Usage: / Search=y", "all=no!"},
		{"a pattern that is too long", "Content-Usage: /" + strings.Repeat("x", maxPattern) + " search=y", "all=no!"},
		{"a pattern with too many stars", "Content-Usage: /" + strings.Repeat("*x", maxStars+1) + " search=y", "all=no!"},
		{"a line that is too long", "Content-Signal: search=yes" + strings.Repeat(",search=yes", maxField/10), "all=no!"},
		{"a licence", "License: https://h.example/l.xml", "license=no"},
		{"a licence in another's group", "User-agent: x\nDisallow: /\nLicense: https://h.example/l.xml", "license=no"},
		{"a licence without an address", "Licence: all rights reserved", "license=no!"},
		{"no text at all", "", ""},
	} {
		r := ParseRobotsTxt([]byte(c.file), "bookbot")
		if got := brief(r.For("/")); got != c.want {
			t.Errorf("%s: told %q, want %q", c.section, got, c.want)
		}
	}
}

func TestRobotsTxtUnreadableLinesStandBesideOthers(t *testing.T) {
	r := ParseRobotsTxt([]byte("Content-Usage: x! train-ai=y\nContent-Usage: /open/ train-ai=y"), "bookbot")
	if got := brief(r.For("/open/")); got != "all=no! ai-train=yes" {
		t.Errorf("told %q", got)
	}
}

func TestRobotsTxtSource(t *testing.T) {
	r := ParseRobotsTxt([]byte("\n# x\nUser-agent: *\nContent-Signal: AI_Train=NO\n"), "bookbot")
	want := "ai-train=no (Content-Signal, robots.txt line 4)"
	if got := Merge(r.For("/")).String(); got != want {
		t.Errorf("said %q, want %q", got, want)
	}
}

func TestRobotsTxtIsBounded(t *testing.T) {
	file := []byte(strings.Repeat("Content-Signal: search=yes\nLicense: https://h.example/\n", maxKept))
	r := ParseRobotsTxt(file, "bookbot")
	if got := Merge(r.For("/")); got.Statements[0].Category != CategoryAll {
		t.Error("lines that were not read deny nothing")
	}
	if got, most := r.Size(), maxKept*400; got > most {
		t.Errorf("it takes %d octets, more than %d", got, most)
	}
	past := append([]byte(strings.Repeat("#", MaxSize-20)+"\nContent-Signal: search=yes"), strings.Repeat(" ", 100)...)
	if got := brief(ParseRobotsTxt(past, "bookbot").For("/")); got != "all=no!" {
		t.Errorf("a line that is cut off by the bound says %q", got)
	}
	var none *RobotsTxt
	if none.For("/") != nil || none.Size() != 0 {
		t.Error("a nil RobotsTxt says something")
	}
}

func FuzzRobotsTxt(f *testing.F) {
	f.Add([]byte("User-agent: *\nContent-Usage: /a*b$ train-ai=n\nContent-Signal: search=yes\nLicense: x"), "/ab")
	f.Add([]byte("\xfe\xff\x00a"), "%zz")
	f.Add([]byte("Content-Usage:/%2a%24$ *=n;a=\"\n\rContent-Signal:=,;"), "//h.example/?#")
	f.Fuzz(func(t *testing.T, body []byte, path string) {
		first := Merge(ParseRobotsTxt(body, "bookbot").For(path))
		checkUsage(t, first)
		if again := Merge(ParseRobotsTxt(body, "bookbot").For(path)); first.String() != again.String() {
			t.Fatalf("once %q, then %q", first, again)
		}
		// Without a path that is more specific, a plain no stands, whatever is before it.
		if len(body)+100 > MaxSize || bytes.ContainsAny(body, "/*\x00\xff") {
			return
		}
		sure := append(body, "\nUser-agent: *\nUser-agent: bookbot\nContent-Signal: ai-train=no\n"...)
		if p, _ := Merge(ParseRobotsTxt(sure, "bookbot").For(path)).Preference(CategoryAITrain); p != Denied {
			t.Fatalf("%q: a plain no was lost", sure)
		}
	})
}

// checkUsage holds what any Usage must: bounded, printable, and no problem
// with a yes.
func checkUsage(t *testing.T, u Usage) {
	t.Helper()
	if len(u.Statements) > maxStatements || len(u.String()) > maxUsageText {
		t.Fatalf("%d statements, %d octets", len(u.Statements), len(u.String()))
	}
	for _, s := range u.Statements {
		if s.Problem != "" && s.Allow != Denied || s.Allow == Unstated || s.Category == "" || s.Source == "" {
			t.Fatalf("%+v", s)
		}
		if text := s.String(); !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
			t.Fatalf("%q", text)
		}
	}
}

// A NUL that strayed into a file does not make it UTF-16, nor hide what it says.
func TestStrayNULHidesNothing(t *testing.T) {
	const said = "User-agent: *\nContent-Signal: ai-train=no\n"
	for _, body := range []string{"\x00" + said, "#\x00\n" + said, "\x00\x00\x00" + said, said + "\x00"} {
		got, _ := Merge(ParseRobotsTxt([]byte(body), "bot").For("/")).Preference(CategoryAITrain)
		if got != Denied {
			t.Errorf("%q: %v", body, got)
		}
	}
}
