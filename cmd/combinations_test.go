package cmd

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// combined is a site whose pages hold for an hour, change by no request, or are for
// those who are logged in, with files and an API.
type combined struct {
	*httptest.Server
	mu       sync.Mutex
	asked    map[string]int // by method, path, " if" with a condition, and " in" where logged in
	sessions int            // logins; only the last one is good
}

func newCombined(t *testing.T) *combined {
	t.Helper()
	s := &combined{asked: map[string]int{}}
	s.Server = httptest.NewServer(s)
	t.Cleanup(s.Close)
	return s
}

// heard are the requests since it was asked last, sorted, but for robots.txt.
func (s *combined) heard() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for what, n := range s.asked {
		if !strings.Contains(what, "/robots.txt") {
			all = append(all, fmt.Sprintf("%d %s", n, what))
		}
	}
	slices.Sort(all)
	clear(s.asked)
	return all
}

// ServeHTTP implements http.Handler.
func (s *combined) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	cookie, err := r.Cookie("sid")
	in := err == nil && cookie.Value == fmt.Sprint(s.sessions)
	what := r.Method + " " + r.URL.Path
	conditional := r.Header.Get("If-None-Match") != ""
	if conditional {
		what += " if"
	}
	if in {
		what += " in"
	}
	s.asked[what]++
	h := w.Header()
	page := func(text string) {
		h.Set("Etag", `"1"`)
		if r.Header.Get("If-None-Match") == `"1"` {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		if h.Get("Content-Type") == "" {
			h.Set("Content-Type", "text/html")
		}
		_, _ = fmt.Fprint(w, text)
	}
	switch path := r.URL.Path; {
	case path == "/robots.txt":
		http.NotFound(w, r)
	case path == "/login" && r.Method == http.MethodPost:
		s.sessions++
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: fmt.Sprint(s.sessions), Path: "/"})
		http.Redirect(w, r, "/home", http.StatusSeeOther)
	case path == "/login":
		h.Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<form id="login" method="post" action="/login"><input name="user"><input type="password" name="password"></form>`)
	case path == "/home":
		h.Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, `<a class="logout" href="/out">out</a>`)
	case strings.HasPrefix(path, "/member/"):
		if !in {
			http.Redirect(w, r, "/login", http.StatusFound)
			return
		}
		page(fmt.Sprintf(`<title>%s</title><a href="/member/1"></a><a href="/member/2"></a><a href="/shown"></a>`, path))
	case path == "/shown": // to anybody, and it says who is there
		h.Set("Cache-Control", "public, max-age=3600")
		text := `<title>nobody</title><form id="login"></form>`
		if in {
			text = `<title>somebody</title>`
		}
		h.Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, text)
	case strings.HasPrefix(path, "/file/"):
		h.Set("Cache-Control", "max-age=3600")
		h.Set("Content-Type", "application/pdf")
		page(strings.Repeat(path, 1000))
	case strings.HasPrefix(path, "/api/"):
		h.Set("Cache-Control", "max-age=3600")
		h.Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"echo": %q}`, path)
	case strings.HasPrefix(path, "/held/"):
		h.Set("Cache-Control", "max-age=3600")
		page(fmt.Sprintf("<title>%s</title>", path))
	default:
		text := fmt.Sprintf("<title>%s</title>", path)
		for i := range 2 {
			text += fmt.Sprintf(`<a href="/held/%d"></a><a href="/tag/%d"></a><a class="file" href="/file/%d"></a>`, i, i, i)
		}
		page(text)
	}
}

// crawl writes a config of the site.
func (s *combined) crawl(t *testing.T, config string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	config = strings.ReplaceAll(config, "SITE", s.URL) + `
politeness: {contact: https://me.example, delay: 0s}
output: [{jsonl: "out/{type}.jsonl"}]
`
	if err := os.WriteFile(filepath.Join(dir, "c.yaml"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// mustAmble runs a command that has to go well.
func mustAmble(t *testing.T, dir string, args ...string) string {
	t.Helper()
	out, err := ambleIn(t, dir, []string{"SHOP_PASSWORD=x"}, args...)
	if err != nil {
		t.Fatalf("amble %v: %v\n%s", args, err, out)
	}
	return out
}

func (s *combined) expect(t *testing.T, when string, want ...string) {
	t.Helper()
	if got := s.heard(); !slices.Equal(got, want) {
		t.Errorf("%s: %q, want %q", when, got, want)
	}
}

// Files are not of the cache, which holds pages: they come from their host, and are
// asked for by what is known of them. An archive holds none either, and says so.
func TestFilesWithCacheAndArchive(t *testing.T) {
	t.Parallel()
	s := newCombined(t)
	dir := s.crawl(t, `
seeds: ["SITE/"]
fetch: {allow_private: true, cache: cache}
links: [{css: a.file, download: true}, {css: "a:not(.file)"}]
downloads: {to: files}
extract: {page: {fields: {title: title}}}
`)
	mustAmble(t, dir, "run", "c.yaml", "--record", "a.archive")
	s.expect(t, "at first", "1 GET /", "1 GET /file/0", "1 GET /file/1", "1 GET /held/0", "1 GET /held/1", "1 GET /tag/0", "1 GET /tag/1")
	manifest := records(t, filepath.Join(dir, "out/file.jsonl"))
	if err := os.RemoveAll(filepath.Join(dir, "files")); err != nil {
		t.Fatal(err)
	}
	mustAmble(t, dir, "run", "c.yaml")
	s.expect(t, "again, without the files", "1 GET / if", "1 GET /file/0", "1 GET /file/1", "1 GET /tag/0 if", "1 GET /tag/1 if")
	if got := records(t, filepath.Join(dir, "out/file.jsonl")); !slices.Equal(got, manifest) {
		t.Errorf("%q, want %q", got, manifest)
	}
	out := mustAmble(t, dir, "run", "c.yaml", "--replay", "a.archive")
	s.expect(t, "in a replay")
	if !strings.Contains(out, "not_recorded  2") || !strings.Contains(out, "archives hold no files") {
		t.Errorf("%s", out)
	}
	if _, err := os.Stat(filepath.Join(dir, "files", strings.TrimPrefix(s.URL, "http://"), "file", "0")); err != nil {
		t.Errorf("the replay took a file away: %v", err)
	}
}

// A page that is known from the run before and held by the cache is not asked for; one
// that is known alone is, by a condition.
func TestCacheWithRevisit(t *testing.T) {
	t.Parallel()
	s := newCombined(t)
	dir := s.crawl(t, `
seeds: ["SITE/"]
fetch: {allow_private: true, cache: cache}
links: {css: "a:not(.file)"}
revisit: always
extract: {page: {fields: {title: title}}}
`)
	mustAmble(t, dir, "run", "c.yaml")
	s.expect(t, "at first", "1 GET /", "1 GET /held/0", "1 GET /held/1", "1 GET /tag/0", "1 GET /tag/1")
	first := records(t, filepath.Join(dir, "out/page.jsonl"))
	out := mustAmble(t, dir, "run", "c.yaml")
	s.expect(t, "again", "1 GET / if", "1 GET /tag/0 if", "1 GET /tag/1 if")
	if got := records(t, filepath.Join(dir, "out/page.jsonl")); !slices.Equal(got, first) || !strings.Contains(out, "5 unchanged") {
		t.Errorf("%q, want %q\n%s", got, first, out)
	}
	mustAmble(t, dir, "audit", ".amble/c")
}

// Rows that ask for one thing have a line each, whoever answers them.
func TestRowsWithCache(t *testing.T) {
	t.Parallel()
	s := newCombined(t)
	dir := s.crawl(t, `
seeds: [{rows: ids.csv, url: "SITE/api/{{id}}"}]
fetch: {allow_private: true, cache: cache}
extract: {thing: {plugin: json, fields: {echo: $.echo}}}
`)
	if err := os.WriteFile(filepath.Join(dir, "ids.csv"), []byte("id,n\na,1\nb,2\na,3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var first []string
	for _, want := range [][]string{{"1 GET /api/a", "1 GET /api/b"}, nil} {
		mustAmble(t, dir, "run", "c.yaml")
		s.expect(t, "rows", want...)
		got := records(t, filepath.Join(dir, "out/thing.jsonl"))
		if len(got) != 3 || first != nil && !slices.Equal(got, first) {
			t.Errorf("%q, want %q", got, first)
		}
		first = got
	}
}

const memberCrawl = `
seeds: ["SITE/member/0"]
login:
  steps:
    - SITE/login
    - form: {css: "form#login", fields: {user: me, password: "${SHOP_PASSWORD}"}}
  expect: {shows: a.logout}
  again: {status: 401, leads: /login, shows: "form#login"}
extract: {page: {match: "/**", fields: {title: title}}}
`

// A second run logs in before it asks whether pages have changed: the conditions are
// those of somebody, and a page for nobody is not taken for a change.
func TestLoginWithRevisit(t *testing.T) {
	t.Parallel()
	s := newCombined(t)
	dir := s.crawl(t, memberCrawl+`
fetch: {allow_private: true, cookies: host}
revisit: {mode: always, output: changes}
`)
	mustAmble(t, dir, "run", "c.yaml")
	s.heard()
	first := records(t, filepath.Join(dir, "out/page.jsonl"))
	out := mustAmble(t, dir, "run", "c.yaml")
	s.expect(t, "again", "1 GET /home in", "1 GET /login", "1 GET /member/0 if in", "1 GET /member/1 if in", "1 GET /member/2 if in", "1 GET /shown in", "1 POST /login")
	if got := records(t, filepath.Join(dir, "out/page.jsonl")); len(first) != 4 || len(got) != 0 || !strings.Contains(out, "4 unchanged") {
		t.Errorf("%q, then %q\n%s", first, got, out)
	}
	// What would set the outputs back is refused, and nothing is sent or written.
	mustAmble(t, dir, "run", "c.yaml", "--record", "a.archive")
	s.heard()
	out, err := ambleIn(t, dir, []string{"SHOP_PASSWORD=x"}, "run", "c.yaml", "--replay", "a.archive")
	if err == nil || !strings.Contains(out, "revisit.output: changes") {
		t.Errorf("%v\n%s", err, out)
	}
	mustAmble(t, dir, "run", "c.yaml", "--replay", "a.archive", "--set", "revisit=off", "--set", `output={jsonl: "replay/{type}.jsonl"}`)
	s.expect(t, "in a replay")
	if got := records(t, filepath.Join(dir, "replay/page.jsonl")); !slices.Equal(got, first) {
		t.Errorf("a replay gave %q, want %q", got, first)
	}
}

// What a cache holds of a page that shows nobody says nothing of the session: it is
// asked for, and no login follows from it.
func TestCacheWithLogin(t *testing.T) {
	t.Parallel()
	s := newCombined(t)
	dir := s.crawl(t, memberCrawl+`
fetch: {allow_private: true, cookies: host, cache: cache}
`)
	// A crawl of the same folder that is not logged in fills the cache.
	plain := strings.ReplaceAll("name: plain\nseeds: [SITE/shown]\nfetch: {allow_private: true, cache: cache}\npoliteness: {contact: https://me.example, delay: 0s}\noutput: {jsonl: out/plain.jsonl}\n", "SITE", s.URL)
	if err := os.WriteFile(filepath.Join(dir, "plain.yaml"), []byte(plain), 0o600); err != nil {
		t.Fatal(err)
	}
	mustAmble(t, dir, "run", "plain.yaml")
	s.heard()
	mustAmble(t, dir, "run", "c.yaml")
	s.expect(t, "logged in", "1 GET /home in", "1 GET /login", "1 GET /member/0 in", "1 GET /member/1 in", "1 GET /member/2 in", "1 GET /shown in", "1 POST /login")
	got := strings.Join(records(t, filepath.Join(dir, "out/page.jsonl")), "\n")
	if !strings.Contains(got, "somebody") || strings.Contains(got, "nobody") {
		t.Errorf("%s", got)
	}
	// Pages of members are in no cache.
	mustAmble(t, dir, "run", "c.yaml")
	s.expect(t, "again", "1 GET /home in", "1 GET /login", "1 GET /member/0 in", "1 GET /member/1 in", "1 GET /member/2 in", "1 POST /login")
}
