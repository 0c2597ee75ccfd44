package urls

import (
	"errors"
	"strings"
	"testing"

	whatwg "github.com/nlnwa/whatwg-url/url"
	"pgregory.net/rapid"
)

// reference is the engine as it comes, but for the path's percent-encode set.
var reference = whatwg.NewParser(whatwg.WithPathPercentEncodeSet(pathSet))

// sameAsReference fails where the short path accepts an input and gives another
// answer than the engine. base is "" to parse ref alone.
func sameAsReference(t failer, base, ref string) (accepted bool) {
	var got URL
	if base == "" {
		got, accepted = parseFast(trim(ref))
	} else if b, err := Parse(base); err == nil {
		base = b.String()
		got, accepted = b.resolveFast(trim(ref))
	}
	if !accepted || len(got.href) > MaxLen {
		return accepted
	}
	want, err := reference.ParseRef(base, ref)
	if err != nil {
		t.Fatalf("%q on %q: short path gives %q, engine refuses: %v", ref, base, got, err)
	}
	if got.href != want.Href(false) {
		t.Fatalf("%q on %q: short path gives %q, engine %q", ref, base, got, want.Href(false))
	}
	if got != index(got.href) {
		t.Fatalf("%q on %q: offsets %+v, want %+v", ref, base, got, index(got.href))
	}
	return accepted
}

type failer interface {
	Fatalf(format string, args ...any)
}

func FuzzShortPath(f *testing.F) {
	for _, ref := range []string{
		"/a/b.html", "../x?y=1", "./.", "..", "a/../../..", "//Other.Example:81/x#y", "?q=a%20b", "#top", "",
		"https://BOOKS.example:8080/a//../b/.?c#d", "http://127.0.0.1/x", "http://1.2.3/", "http://a.0x1/",
		"http://xn--/", "http://xn--.example/", "http://1.2.3.04/", "http://a_b.example/", "x:y", "a:b/c", "/%2E%2e/x", "/a^b", "\\x", "http:/x", "http:///x",
		"http://-a.example/", "http://a.-1/", "http://a..b/", "http://a./", "http://h:080/", "http://h:80?",
		"blob://shelf/a/b%20c.bin", "blob://shelf/?key=a", "sql://shelf/q?day=2026-01-01", "blob://S/./x", "blob://h", "sql://h:1/x",
		"///x", "?'", "#`", "a b", "/a|b[c]", " /x\t", "%", "https://h:/",
	} {
		f.Add("https://books.example/a/b/c?d=e#f", ref)
		f.Add("http://u:p@h:8080", ref)
		f.Add("", ref)
	}
	f.Fuzz(func(t *testing.T, base, ref string) {
		sameAsReference(t, base, ref)
		sameAsReference(t, "https://books.example/a/b/", ref)
		sameAsReference(t, "", ref)
	})
}

// refs generates references made of the pieces that matter to the parser, so
// that most are valid and many meet each other's edges.
var refs = rapid.Custom(func(t *rapid.T) string {
	start := rapid.SampledFrom([]string{
		"", "", "/", "//h.example", "http://", "https://h.example", "https://H.Example:81", "http://1.2.3.4", "?", "#",
		"blob://shelf", "sql://Shelf", "blob://shelf:80/", "sql://1.2/",
	}).Draw(t, "start")
	piece := rapid.SampledFrom([]string{
		"/", "/", ".", "..", "/.", "/..", "../", "./", "a", "B", "index.html", "?", "#", "&", "=", "%20", "%41", "%7e", "%2e", "%",
		":", ":80", ":443", ":8080", "@", "'", "|", "^", "{", "\\", " ", "\t", "é", "xn--", "-", "_", "~", "0", "1.2", "utm_a=1", "&utm_b",
	})
	return start + strings.Join(rapid.SliceOfN(piece, 0, 10).Draw(t, "pieces"), "")
})

func TestShortPathIsTheStandard(t *testing.T) {
	accepted := 0
	rapid.Check(t, func(t *rapid.T) {
		base := "https://books.example/" + strings.TrimLeft(refs.Draw(t, "base"), "/")
		ref := refs.Draw(t, "ref")
		if sameAsReference(t, base, ref) {
			accepted++
		}
		sameAsReference(t, "", ref)
	})
	if accepted == 0 {
		t.Error("the short path accepted nothing")
	}
}

// checkURL checks what holds of every URL that parsing returns.
func checkURL(t failer, u URL) {
	if len(u.href) > MaxLen {
		t.Fatalf("%d bytes", len(u.href))
	}
	if u != index(u.href) {
		t.Fatalf("%q: offsets %+v, want %+v", u, u, index(u.href))
	}
	if !u.IsHTTP() {
		return
	}
	again, err := Parse(u.String())
	if err != nil || again != u {
		t.Fatalf("%q parses to %q, %v", u, again, err)
	}
	if full, err := parseFull("", u.href); err != nil || full != u {
		t.Fatalf("%q is parsed by the engine to %q, %v", u, full, err)
	}
	if r, err := u.Resolve("/é"); err != nil && !errors.Is(err, ErrTooLong) || err == nil && r.Origin() != u.Origin() {
		t.Fatalf("%q is no base for the engine: %q, %v", u, r, err)
	}
	fetch, err := Parse(u.Fetch())
	if err != nil || fetch.String() != u.Fetch() || fetch.Username()+fetch.Password()+fetch.Fragment() != "" {
		t.Fatalf("Fetch of %q: %q parses to %q, %v", u, u.Fetch(), fetch, err)
	}
	if !strings.HasPrefix(u.Fetch(), u.Origin()+"/") {
		t.Fatalf("%q: Origin %q does not begin Fetch %q", u, u.Origin(), u.Fetch())
	}
}

// checkDedup checks that Dedup is idempotent, and that what it says to be the
// same has the same key.
func checkDedup(t failer, c *Canon, u URL) {
	form := c.Dedup(u)
	if !u.IsHTTP() {
		return
	}
	again, err := Parse(form)
	if err != nil {
		t.Fatalf("%q: dedup form %q does not parse: %v", u, form, err)
	}
	if again.String() != form {
		t.Fatalf("%q: dedup form %q is parsed to %q", u, form, again)
	}
	if twice := c.Dedup(again); twice != form {
		t.Fatalf("%q: dedup form %q, and of that %q", u, form, twice)
	}
	if c.Key(u) != c.Key(again) {
		t.Fatalf("%q and its dedup form %q have two keys", u, form)
	}
}

func FuzzParse(f *testing.F) {
	for _, raw := range []string{
		"https://books.example/%7euser/%2E/x%2fy?utm_source=a&b=%41&&c#d", "http://h/%%32e?%4%31", "http://h/?&utm_a",
		"http://[::1]:80/", "http://[[::1]]/", "http://1.2.3.+4/", "http://0x7f.1/", "http://bücher.example/ü?ü#ü",
		"data:text/plain,x  #y", "file:///C|/x/../..", "mailto:a@b.example", "http://u:p@h/", "web+x:/.//y", "x://h:1/y",
		"http://h/?%", "http://xn--/x", "http://XN--a.\xff/", "blob:https://a.example/x", "http://%31/", "foo:",
	} {
		f.Add(raw, "../x?y#z")
	}
	canon := &Canon{DropParams: []string{"utm_*", "b"}}
	f.Fuzz(func(t *testing.T, raw, ref string) {
		u, err := Parse(raw)
		if err != nil {
			u = URL{}
		} else {
			checkURL(t, u)
			checkDedup(t, canon, u)
		}
		if r, err := u.Resolve(ref); err == nil {
			checkURL(t, r)
			checkDedup(t, canon, r)
			checkDedup(t, nil, r)
		}
		if base := BaseOf(u, ref); base != u && !base.IsHTTP() {
			t.Fatalf("BaseOf(%q, %q) = %q", u, ref, base)
		}
	})
}

func TestParsedURLs(t *testing.T) {
	base := mustParse(t, "https://u:p@books.example:8443/a/b?c#d")
	canon := &Canon{DropParams: []string{"utm_*"}}
	rapid.Check(t, func(t *rapid.T) {
		u, err := base.Resolve(refs.Draw(t, "ref"))
		if err != nil {
			return
		}
		checkURL(t, u)
		checkDedup(t, canon, u)
		for _, s := range []string{u.Fetch(), u.Redacted(), u.Origin(), canon.Dedup(u)} {
			if strings.Contains(s, "u:p@") {
				t.Fatalf("%q shows the credentials: %q", u, s)
			}
		}
	})
}
