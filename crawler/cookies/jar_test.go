package cookies

import (
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/publicsuffix"
	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func mustOpen(t testing.TB, o Options) *Jar {
	t.Helper()
	j, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func at(t testing.TB, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func set(lines ...string) http.Header { return http.Header{"Set-Cookie": lines} }

// The jar of the standard library is right, and has no bounds: within ours both say
// the same.
func TestAsTheStandardJar(t *testing.T) {
	hosts := rapid.SampledFrom([]string{"a.example", "www.a.example", "b.a.example", "b.example", "co.uk", "shop.co.uk", "www.shop.co.uk", "user.github.io", "other.github.io", "127.0.0.1", "[::1]", "localhost"})
	paths := rapid.SampledFrom([]string{"/", "/x", "/x/", "/x/y", "/xy", "/x/y/z"})
	pages := rapid.Custom(func(t *rapid.T) string {
		return rapid.SampledFrom([]string{"http", "https"}).Draw(t, "scheme") + "://" + hosts.Draw(t, "host") + paths.Draw(t, "path")
	})
	lines := rapid.Custom(func(t *rapid.T) string {
		line := rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name") + "=" + rapid.SampledFrom([]string{"1", "2", ""}).Draw(t, "value")
		if rapid.Bool().Draw(t, "has domain") {
			line += "; Domain=" + rapid.SampledFrom([]string{"", "."}).Draw(t, "dot") + hosts.Filter(func(h string) bool { return h[0] >= 'a' }).Draw(t, "domain")
		}
		if rapid.Bool().Draw(t, "has path") {
			line += "; Path=" + paths.Draw(t, "of")
		}
		return line + rapid.SampledFrom([]string{"", "; Max-Age=0", "; Max-Age=1000", "; Expires=Thu, 01 Jan 1970 00:00:00 GMT", "; HttpOnly"}).Draw(t, "rest")
	})
	rapid.Check(t, func(t *rapid.T) {
		ours, err := Open(Options{})
		if err != nil {
			t.Fatal(err)
		}
		theirs, err := cookiejar.New(&cookiejar.Options{PublicSuffixList: publicsuffix.List})
		if err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(1, 12).Draw(t, "answers") {
			u, err := url.Parse(pages.Draw(t, "from"))
			if err != nil {
				t.Fatal(err)
			}
			h := set(rapid.SliceOfN(lines, 1, 3).Draw(t, "set")...)
			// Secured cookies have names and hosts of their own here: the library lets
			// plain ones replace them, and takes this machine for secured.
			if u.Scheme == "https" && strings.HasSuffix(u.Host, "example") && rapid.Bool().Draw(t, "secure") {
				h = set(strings.ReplaceAll("s=1; Secure", "s", rapid.SampledFrom([]string{"s", "t"}).Draw(t, "secured")))
			}
			ours.Set(u, h)
			theirs.SetCookies(u, (&http.Response{Header: h}).Cookies())
			asked, err := url.Parse(pages.Draw(t, "to"))
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			for _, c := range theirs.Cookies(asked) {
				want = append(want, c.Name+"="+c.Value)
			}
			if got := ours.Field(asked); got != strings.Join(want, "; ") {
				t.Fatalf("%s is sent %q, want %q", asked, got, want)
			}
		}
	})
}

func TestCookiesThatAreRefused(t *testing.T) {
	j := mustOpen(t, Options{})
	plain, secured := at(t, "http://www.a.example/x/y"), at(t, "https://www.a.example/")
	for _, line := range []string{
		"a=1; Domain=example", "a=1; Domain=b.example", "a=1; Domain=x.www.a.example", "a=1; Secure", "__Host-a=1", "__Secure-a=1",
		"a=" + strings.Repeat("x", PerCookie), "a=1; Path=/" + strings.Repeat("x", 2000), "=1", "no",
	} {
		if j.Set(plain, set(line)) || j.Len() > 0 {
			t.Errorf("%.40s was taken", line)
		}
	}
	j.Set(secured, set("__Host-a=1; Secure; Path=/", "__Host-b=1; Secure; Path=/; Domain=a.example", "s=good; Secure"))
	j.Set(plain, set("s=evil; Path=/"))
	if got := j.Field(secured); got != "__Host-a=1; s=good" {
		t.Errorf("sent %q", got)
	}
	if got := j.Field(plain); got != "" {
		t.Errorf("sent %q without TLS", got)
	}
}

func TestHostsOfTheirOwn(t *testing.T) {
	j := mustOpen(t, Options{Scope: ScopeHost})
	j.Set(at(t, "https://www.a.example/"), set("s=1; Domain=a.example", "h=1"))
	if got := j.Field(at(t, "https://www.a.example/")); got != "s=1; h=1" {
		t.Errorf("sent %q", got)
	}
	for _, other := range []string{"https://a.example/", "https://shop.a.example/", "https://x.www.a.example/"} {
		if got := j.Field(at(t, other)); got != "" {
			t.Errorf("%s is sent %q", other, got)
		}
	}
}

func TestCookiesEnd(t *testing.T) {
	now := time.Unix(1e9, 0)
	j := mustOpen(t, Options{Now: func() time.Time { return now }})
	u := at(t, "https://a.example/")
	j.Set(u, set("a=1; Max-Age=60", "b=1", "c=1; Max-Age=99999999999", "d=1; Expires="+now.Add(time.Hour).UTC().Format(http.TimeFormat)))
	for _, step := range []struct {
		after time.Duration
		want  string
	}{{0, "a=1; b=1; c=1; d=1"}, {time.Minute, "b=1; c=1; d=1"}, {2 * time.Hour, "b=1; c=1"}, {401 * day, "b=1"}} {
		now = time.Unix(1e9, 0).Add(step.after)
		if got := j.Field(u); got != step.want {
			t.Errorf("after %v: %q", step.after, got)
		}
	}
	if !j.Set(u, set("b=1; Max-Age=0")) || j.Set(u, set("z=1; Max-Age=0")) || j.Field(u) != "" {
		t.Error("a cookie cannot be taken back")
	}
}

// No site and no number of sites fills the memory, or a request's field.
func TestJarIsBounded(t *testing.T) {
	j := mustOpen(t, Options{})
	u := at(t, "https://a.example/")
	for i := range 1000 {
		j.Set(u, set(fmt.Sprintf("n%d=%s", i, strings.Repeat("v", 1000))))
	}
	if j.Len() != PerSite {
		t.Errorf("%d of one site", j.Len())
	}
	if field := j.Field(u); len(field) > PerField || !strings.Contains(field, "n950=") || strings.Contains(field, "n949=") {
		t.Errorf("a field of %d bytes: %.60s", len(field), field)
	}
	for i := range 800 {
		lines := make([]string, PerAnswer+50)
		for k := range lines {
			lines[k] = fmt.Sprintf("n%d=%s", k, strings.Repeat("v", 100+i))
		}
		j.Set(at(t, fmt.Sprintf("https://h%d.example/", i)), set(lines...))
	}
	size := 0
	for _, s := range j.sites {
		for _, c := range s.cookies {
			size += c.size()
		}
	}
	if j.Len() > InAll || size > Bytes || size != j.bytes {
		t.Errorf("%d cookies, %d bytes, counted as %d", j.Len(), size, j.bytes)
	}
	if j.Field(u) != "" || j.Field(at(t, "https://h799.example/")) == "" {
		t.Error("it is not the site that was used longest ago that went")
	}
}

// A jar outlives its process where it has a file, which others cannot read, and a
// new run begins without.
func TestJarIsKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "cookies.json")
	u := at(t, "https://www.a.example/x/y")
	j := mustOpen(t, Options{File: file})
	j.Set(u, set("a=hunter2; Domain=a.example; Path=/", "b=2; Secure", "c=3; Max-Age=0", `q="x y"`))
	want := j.Field(u)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	j = mustOpen(t, Options{File: file, Resumed: true})
	if got := j.Field(u); got != want || want == "" {
		t.Errorf("sent %q, want %q", got, want)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole { // cut off anywhere
		if err := os.WriteFile(file, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		cut := &Jar{opt: Options{File: file, Now: time.Now}, sites: map[string]*site{}}
		if err := cut.read(); err == nil || strings.Contains(err.Error(), "hunter") {
			t.Fatalf("cut at %d: %v", n, err)
		}
	}
	j = mustOpen(t, Options{File: file})
	if got := j.Field(u); got != "" {
		t.Errorf("a new run is sent %q", got)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); !os.IsNotExist(err) {
		t.Errorf("the file of the last run: %v", err)
	}
}

// Over sockets: what is set is sent back, beside what the config says, and the answer
// tells that it changed something.
func TestTransport(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.SetCookie(w, &http.Cookie{Name: "seen", Value: "yes"})
		w.Header().Set("Was", r.Header.Get("Cookie"))
	}))
	defer s.Close()
	next := &http.Transport{}
	defer next.CloseIdleConnections()
	rt := mustOpen(t, Options{}).Wrap(next)
	for i, want := range []string{"own=1", "own=1; seen=yes"} {
		r, err := http.NewRequest(http.MethodGet, s.URL, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Cookie", "own=1")
		resp, err := rt.RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := resp.Header.Get("Was"); got != want || resp.Header[crawler.HeaderCookies][0] != []string{crawler.CookiesChanged, crawler.CookiesSent}[i] || resp.Request != r || r.Header.Get("Cookie") != "own=1" {
			t.Errorf("sent %q, want %q; %v", got, want, resp.Header)
		}
	}
}

func FuzzSetCookie(f *testing.F) {
	for _, seed := range []string{"a=1; Domain=.a.example; Path=/; Secure; Max-Age=5", "a=\"b c\"", "=;=;", "a=b; Expires=x", "__Host-a=1"} {
		f.Add(seed, "https://www.a.example/x")
	}
	f.Fuzz(func(t *testing.T, line, page string) {
		u, err := url.Parse(page)
		if err != nil {
			return
		}
		j := mustOpen(t, Options{})
		j.Set(u, set(line, line))
		if field := j.Field(u); strings.ContainsAny(field, "\r\n\x00") || len(field) > PerField {
			t.Errorf("%q gives %q", line, field)
		}
		if j.Len() > 1 {
			t.Errorf("%d cookies", j.Len())
		}
	})
}

func FuzzFile(f *testing.F) {
	f.Add([]byte(`{"version":1,"cookies":[{"Name":"a","Value":"b","Domain":"a.example","Path":"/"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		j := mustOpen(t, Options{})
		_ = j.load(text)
		for name := range j.sites {
			if field := j.Field(&url.URL{Scheme: "https", Host: name, Path: "/"}); strings.ContainsAny(field, "\r\n\x00") {
				t.Errorf("%q", field)
			}
		}
	})
}
