package robots

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf16"
)

// want lists what one file says of several URLs: "line allow|disallow url".
type want map[string][]string

func check(t *testing.T, mode Mode, body, agent string, verdicts want) {
	t.Helper()
	r := Parse([]byte(body), mode).Agent(agent)
	for verdict, urls := range verdicts {
		for _, url := range urls {
			v := r.Check(url)
			got := fmt.Sprintf("%d disallow", v.Line)
			if v.Allowed {
				got = fmt.Sprintf("%d allow", v.Line)
			}
			if got != verdict {
				t.Errorf("%v, %q, %q: %s (%s), want %s", mode, agent, url, got, v.Text, verdict)
			}
		}
	}
}

func both(t *testing.T, body, agent string, verdicts want) {
	t.Helper()
	check(t, RFC, body, agent, verdicts)
	check(t, Google, body, agent, verdicts)
}

// RFC 9309 section 2.2.1: groups of one token are merged, "*" serves those
// that nobody names, names are compared without case.
func TestSection221Groups(t *testing.T) {
	body := "Disallow: /nobody\nUser-agent: OneBot\nUser-agent: two-bot\nDisallow: /a\n" +
		"Foo: bar\nUser-agent: *\nDisallow: /\nUser-agent: ONEBOT\nDisallow: /b\nUser-agent: empty\n"
	both(t, body, "onebot", want{"4 disallow": {"/a"}, "9 disallow": {"/b"}, "0 allow": {"/c", "/nobody"}})
	both(t, body, "Two-Bot", want{"4 disallow": {"/a"}, "0 allow": {"/b"}})
	both(t, body, "other", want{"7 disallow": {"/a", "/c"}})
	both(t, body, "empty", want{"0 allow": {"/a", "/c"}})
	both(t, body, "two", want{"7 disallow": {"/c"}}) // no prefix of a token
}

// RFC 9309 section 2.2.4: other records end no group.
func TestSection224OtherRecords(t *testing.T) {
	body := "User-agent: a\nSitemap: https://x.example/1.xml\nCrawl-delay: 2\nUser-agent: b\nDisallow: /\nSITEMAP:https://x.example/2.xml\n"
	both(t, body, "a", want{"5 disallow": {"/x"}})
	both(t, body, "b", want{"5 disallow": {"/x"}})
	if got := strings.Join(Parse([]byte(body), RFC).Sitemaps(), " "); got != "https://x.example/1.xml https://x.example/2.xml" {
		t.Errorf("sitemaps %q", got)
	}
}

// RFC 9309 section 2.2.2: most octets win, Allow wins ties, the first line of
// equals is named.
func TestSection222Rank(t *testing.T) {
	both(t, "User-agent: *\nDisallow: /a/\nAllow: /a/b\nDisallow: /a/b/c\nAllow: /a/b/c\nDisallow: /a/\n", "x", want{
		"2 disallow": {"/a/", "/a/x"}, "3 allow": {"/a/b", "/a/b/d"}, "5 allow": {"/a/b/c"}, "0 allow": {"/b"},
	})
	both(t, "User-agent: *\nAllow: /a**\nDisallow: /ab\nDisallow:\nAllow:\n", "x", want{"2 allow": {"/ab", "/a"}, "0 allow": {"/b"}})
}

// RFC 9309 section 2.2.3: "*" and a last "$" are the only operators.
func TestSection223Operators(t *testing.T) {
	body := "User-agent: *\nDisallow: /*.php$\nDisallow: /a$b\nDisallow: /x*y*z\nDisallow: *q=\n"
	both(t, body, "x", want{
		"2 disallow": {"/i.php", "/a/i.php", "/i.php.php"}, "3 disallow": {"/a$b", "/a$bc"},
		"4 disallow": {"/xyz", "/x1y2z3"}, "5 disallow": {"/?q=1", "/q=", "https://h.example?q="},
		"0 allow": {"/i.php?x", "/i.PHP", "/ab", "/xzy", "/"},
	})
	check(t, RFC, "User-agent: *\nDisallow: /a%2Ab\nDisallow: /c%24\n", "x", want{
		"2 disallow": {"/a*b", "/a%2ab"}, "3 disallow": {"/c$", "/c%24d"}, "0 allow": {"/axb", "/c"},
	})
}

// RFC 9309 section 2.2.2: what is compared is normalised on both sides.
func TestSection222Encoding(t *testing.T) {
	body := "User-agent: *\nDisallow: /%62%61%7A\nDisallow: /ツ\nDisallow: /a b\nDisallow: /x%2fy\n"
	check(t, RFC, body, "x", want{
		"2 disallow": {"/baz", "/%62az", "/baz/x"}, "3 disallow": {"/ツ", "/%E3%83%84", "/%e3%83%84"},
		"4 disallow": {"/a b", "/a%20b"}, "5 disallow": {"/x%2Fy"}, "0 allow": {"/x/y", "/%zz"},
	})
	check(t, Google, body, "x", want{
		"2 disallow": {"/%62%61%7A"}, "3 disallow": {"/%E3%83%84"}, "4 disallow": {"/a b"},
		"5 disallow": {"/x%2Fy"}, "0 allow": {"/baz", "/ツ", "/a%20b", "/x%2fy"},
	})
}

// RFC 9309 section 2.2.2: the file itself is always allowed.
func TestSection222RobotsItself(t *testing.T) {
	check(t, RFC, "User-agent: *\nDisallow: /", "x", want{"0 allow": {"https://h.example/robots.txt"}, "2 disallow": {"/robots.txt.bak", "/robots.txt?x"}})
	check(t, Google, "User-agent: *\nDisallow: /", "x", want{"2 disallow": {"https://h.example/robots.txt"}})
}

// RFC 9309 section 2.2: lines end in CR, LF or both; a byte-order mark, NULs
// and UTF-16 are survived; typing errors are understood.
func TestSection22Lines(t *testing.T) {
	both(t, "\ufeffUser-agent: *\rDisallow: /a\r\nDisallow: /b\n\rDisallow: /c # no\n", "x", want{
		"2 disallow": {"/a"}, "3 disallow": {"/b"}, "5 disallow": {"/c", "/cd"},
	})
	both(t, "useragent *\ndissalow /a\nDISALOW : /b\ndis allow: /c\nnoindex: /d\ndisallow /e /f\n", "x", want{
		"2 disallow": {"/a"}, "3 disallow": {"/b"}, "0 allow": {"/c", "/d", "/e"},
	})
	text := "User-agent: *\nDisallow: /é\n"
	for name, order := range map[string][2]int{"little": {0, 1}, "big": {1, 0}} {
		for _, mark := range []bool{true, false} {
			var b []byte
			units := utf16.Encode([]rune(text))
			if mark {
				units = append([]uint16{0xfeff}, units...)
			}
			for _, u := range units {
				pair := [2]byte{byte(u), byte(u >> 8)}
				b = append(b, pair[order[0]], pair[order[1]])
			}
			if Parse(b, RFC).Check("x", "/%C3%A9").Allowed {
				t.Errorf("UTF-16, %s endian, mark %v: not read", name, mark)
			}
		}
	}
	check(t, RFC, "User-agent: *\nDis\x00allow: /a\n", "x", want{"2 disallow": {"/a"}})
}

// RFC 9309 section 2.5: 500 KiB are read. A rule cut there or by the bound on
// lines may take access away but gives none.
func TestSection25Limit(t *testing.T) {
	head := "User-agent: *\nDisallow: /a\n#"
	body := head + strings.Repeat("x", 10_000) + "\n"
	body += strings.Repeat("# filler\n", (MaxSize-len(body))/9-2)
	body += strings.Repeat("#", MaxSize-len(body)-len("\nAllow: /a/b")) + "\nAllow: /a/b"
	if len(body) != MaxSize {
		t.Fatal(len(body))
	}
	if !Parse([]byte(body), RFC).Check("x", "/a/b/c").Allowed {
		t.Error("the last line within the limit was not read")
	}
	if Parse([]byte(body+"bb\n"), RFC).Check("x", "/a/b/c").Allowed {
		t.Error("a cut Allow gave access")
	}
	long := "/" + strings.Repeat("x", maxLine)
	check(t, RFC, "User-agent: *\nDisallow: /\nAllow: "+long+"y\n", "x", want{"2 disallow": {long + "z"}})
	check(t, Google, "User-agent: *\nDisallow: /\nAllow: "+long+"y\n", "x", want{"3 allow": {long + "z"}})
}

// What the RFC leaves open takes the reading that gives less access.
func TestSafeReadings(t *testing.T) {
	check(t, RFC, "User-agent: *\nDisallow: private\nAllow: private/x\n", "x", want{"2 disallow": {"/private/x"}})
	check(t, RFC, "User-agent: BookBot/2.0 (+https://x.example)\nDisallow: /\n", "bookbot/3", want{"2 disallow": {"/"}})
	check(t, RFC, "User-agent: \nDisallow: /\n", "", want{"0 allow": {"/"}})
	check(t, Google, "User-agent: \nDisallow: /\n", "", want{"2 disallow": {"/"}})
}

func TestCrawlDelay(t *testing.T) {
	for value, want := range map[string]time.Duration{
		"1": time.Second, "0.3": 300 * time.Millisecond, "1,5": 1500 * time.Millisecond, "10s": 10 * time.Second,
		"0": 0, ".5": 500 * time.Millisecond, "99999999999": maxDelay, strings.Repeat("9", 400): maxDelay,
		"-1": -1, "": -1, "abc": -1, "NaN": -1, "Inf": -1, ".": -1, "1.2.3": -1,
	} {
		got, line, ok := Parse([]byte("User-agent: a\nCrawl-delay: "+value), RFC).Agent("a").CrawlDelay()
		if ok != (want >= 0) || ok && (got != want || line != 2) {
			t.Errorf("%q: %v by line %d, %v; want %v", value, got, line, ok, want)
		}
	}
	f := Parse([]byte("User-agent: *\nCrawl-delay: 9\nDisallow: /\nUser-agent: a\nCrawl-delay: 1\nCrawl-delay: 2\nCrawl-delay: 1.5\nUser-agent: b\n"), RFC)
	for agent, want := range map[string]time.Duration{"a": 2 * time.Second, "z": 9 * time.Second} {
		if got, _, _ := f.Agent(agent).CrawlDelay(); got != want {
			t.Errorf("%s: %v, want %v", agent, got, want)
		}
	}
	if _, _, ok := f.Agent("b").CrawlDelay(); ok {
		t.Error("a delay stated before an agent is named holds for it")
	}
}

func TestVerdictText(t *testing.T) {
	v := Parse([]byte("User-agent: *\n  disallow :  /private/   # keep out\n"), RFC).Check("x", "https://h.example/private/x")
	if v != (Verdict{Line: 2, Text: "disallow :  /private/"}) {
		t.Errorf("%+v", v)
	}
}

func TestHashNamesTheVersion(t *testing.T) {
	a, b := Parse([]byte("a"), RFC), Parse([]byte("b"), RFC)
	if a.Hash() == b.Hash() || a.Hash() != Parse([]byte("a"), Google).Hash() {
		t.Error("hashes do not name versions")
	}
	big := bytes.Repeat([]byte("x"), MaxSize)
	if Parse(big, RFC).Hash() != Parse(append(big, 'y'), RFC).Hash() {
		t.Error("what is not read counts")
	}
}

// Where the work runs out, no access is given.
func TestTiredMeansNo(t *testing.T) {
	for _, allow := range []bool{true, false} {
		left := work(0)
		p := newPattern("/*a*b")
		if p.matches("/ab", &left, !allow) == allow {
			t.Errorf("allow %v: given access", allow)
		}
	}
}

// What a URL is matched by: path, parameters and query.
func TestPathOf(t *testing.T) {
	for url, want := range map[string]string{
		"https://h.example":             "/",
		"https://h.example#a/b":         "/",
		"https://h.example/a?b;c#d?e":   "/a?b;c",
		"https://h.example?q=http://x/": "/?q=http://x/",
		"https://h.example;p":           "/;p",
		"/a/b":                          "/a/b",
		"/a?u=http://x/y":               "/a?u=http://x/y",
		"//h.example/a":                 "/a",
		"":                              "/",
		"#/":                            "/",
	} {
		if got := pathOf(url); got != want {
			t.Errorf("%q: %q, want %q", url, got, want)
		}
	}
}
