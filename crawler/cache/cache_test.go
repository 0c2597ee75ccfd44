package cache

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// origin answers in memory, by a clock that tests set.
type origin struct {
	mu    sync.Mutex
	now   time.Time
	asked []http.Header
	says  func(r http.Header) (status int, header http.Header, body string)
}

func (o *origin) Fetch(_ context.Context, _ urls.URL, opt crawler.FetchOptions) (*crawler.Response, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	h := opt.Header.Clone()
	o.asked = append(o.asked, h)
	status, header, body := o.says(h)
	return &crawler.Response{Status: status, Header: header, Body: []byte(body), MediaType: "text/html", Wire: int64(len(body)), FetchedAt: o.now}, nil
}

func (o *origin) clock() time.Time { return o.now }

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func fields(lines ...string) http.Header {
	h := http.Header{}
	for _, l := range lines {
		name, value, _ := strings.Cut(l, ": ")
		h.Add(name, value)
	}
	return h
}

func mustOpen(t testing.TB, o Options) *Cache {
	t.Helper()
	if o.Dir == "" {
		o.Dir = t.TempDir()
	}
	if o.Size == 0 {
		o.Size = 1 << 20
	}
	c, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func get(t testing.TB, c *Cache, o *origin, raw string, opt crawler.FetchOptions) *crawler.Response {
	t.Helper()
	u, err := urls.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Fetcher(o).Fetch(t.Context(), u, opt)
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

// What an answer says of how long it holds, and what becomes of a second request
// after a while: given from the cache, asked for with conditions, or asked for anew.
func TestFreshness(t *testing.T) {
	date := "Date: " + start.Format(http.TimeFormat)
	expires := func(d time.Duration) string { return "Expires: " + start.Add(d).Format(http.TimeFormat) }
	const stored, validated, anew = "stored", "validated", "anew"
	for _, c := range []struct {
		answer []string
		after  time.Duration
		want   string
	}{
		{[]string{"Cache-Control: max-age=60"}, 59 * time.Second, stored},
		{[]string{"Cache-Control: max-age=60"}, 60 * time.Second, anew},
		{[]string{"Cache-Control: max-age=60", `Etag: "1"`}, 60 * time.Second, validated},
		{[]string{"Cache-Control: max-age=60", "Age: 50"}, 9 * time.Second, stored},
		{[]string{"Cache-Control: max-age=60", "Age: 50", `Etag: "1"`}, 10 * time.Second, validated},
		{[]string{"Cache-Control: private, max-age=60"}, time.Second, stored},
		{[]string{"Cache-Control: s-maxage=60"}, time.Second, anew},
		{[]string{"Cache-Control: max-age=60, max-age=5"}, 6 * time.Second, anew},
		{[]string{"Cache-Control: max-age=nonsense", date, expires(time.Hour)}, time.Second, anew},
		{[]string{"Cache-Control: max-age=99999999999999999999"}, 24 * time.Hour, stored},
		{[]string{`Cache-Control: ext="a, no-store", max-age=60`}, time.Second, stored},
		{[]string{date, expires(time.Minute)}, 59 * time.Second, stored},
		{[]string{date, expires(time.Minute)}, 61 * time.Second, anew},
		{[]string{date, "Expires: 0", `Etag: "1"`}, 0, validated},
		{[]string{date, "Expires: 0"}, 0, anew},
		{[]string{date, expires(time.Hour), "Cache-Control: max-age=5"}, 10 * time.Second, anew},
		{[]string{"Date: " + start.Add(-50*time.Second).Format(http.TimeFormat), "Cache-Control: max-age=60"}, 15 * time.Second, anew},
		{[]string{"Cache-Control: no-store, max-age=60", `Etag: "1"`}, 0, anew},
		{[]string{"Cache-Control: no-cache, max-age=60", `Etag: "1"`}, 0, validated},
		{[]string{`Cache-Control: no-cache="Set-Cookie", max-age=60`, `Etag: "1"`}, 0, validated},
		{[]string{"Pragma: no-cache", date, expires(time.Hour), `Etag: "1"`}, 0, validated},
		{[]string{"Last-Modified: " + start.Add(-time.Hour).Format(http.TimeFormat)}, 0, validated},
		{[]string{`Etag: "1"`}, 0, validated}, // nothing is guessed
		{nil, 0, anew},
		{[]string{"Cache-Control: max-age=60", "Vary: *"}, 0, anew},
		{[]string{"Cache-Control: max-age=60", "Vary: Accept-Language, X-Other"}, 0, stored},
	} {
		o := &origin{now: start}
		o.says = func(r http.Header) (int, http.Header, string) {
			if r.Get("If-None-Match") != "" || r.Get("If-Modified-Since") != "" {
				return 304, fields("X-New: 1"), ""
			}
			return 200, fields(c.answer...), "<p>page</p>"
		}
		cache := mustOpen(t, Options{Now: o.clock})
		get(t, cache, o, "https://a.example/", crawler.FetchOptions{})
		o.now = start.Add(c.after)
		resp := get(t, cache, o, "https://a.example/", crawler.FetchOptions{})
		got := anew
		switch {
		case resp.Stored != "":
			got = stored
		case resp.Header.Get("X-New") != "":
			got = validated
		}
		if got != c.want || resp.Status != 200 || string(resp.Body) != "<p>page</p>" || (got == stored) != (len(o.asked) == 1) {
			t.Errorf("%q after %v: %s, want %s; %d %q, asked %v", c.answer, c.after, got, c.want, resp.Status, resp.Body, o.asked)
		}
		if got == stored && resp.Header.Get("Age") == "" {
			t.Errorf("%q: no age", c.answer)
		}
	}
}

// A 304 makes what is stored fresh again, with its new fields.
func TestRenewal(t *testing.T) {
	o := &origin{now: start}
	o.says = func(r http.Header) (int, http.Header, string) {
		if r.Get("If-None-Match") == `"1"` {
			return 304, fields("Cache-Control: max-age=100", "X-Seen: 2", "Content-Length: 0"), ""
		}
		return 200, fields("Cache-Control: max-age=10", `Etag: "1"`, "X-Seen: 1", "X-Kept: yes", "Age: 5"), "body"
	}
	c := mustOpen(t, Options{Now: o.clock})
	page := "https://a.example/"
	get(t, c, o, page, crawler.FetchOptions{})
	o.now = start.Add(time.Minute)
	get(t, c, o, page, crawler.FetchOptions{})
	o.now = start.Add(150 * time.Second)
	resp := get(t, c, o, page, crawler.FetchOptions{})
	if resp.Stored == "" || resp.Header.Get("X-Seen") != "2" || resp.Header.Get("X-Kept") != "yes" || string(resp.Body) != "body" || len(o.asked) != 2 || !resp.FetchedAt.Equal(start) {
		t.Errorf("%+v, asked %v", resp, o.asked)
	}
	// A caller's own conditions: met by what is fresh, else for the server to meet.
	own := crawler.FetchOptions{Header: http.Header{"If-None-Match": {`W/"1"`}}}
	if resp := get(t, c, o, page, own); resp.Status != 304 || resp.Stored == "" {
		t.Errorf("%+v", resp)
	}
	if resp := get(t, c, o, page, crawler.FetchOptions{Header: http.Header{"If-None-Match": {`"0"`}}}); resp.Status != 200 || resp.Stored == "" {
		t.Errorf("%+v", resp)
	}
	o.now = start.Add(time.Hour)
	own.Header = http.Header{"If-None-Match": {`"1"`}}
	if resp := get(t, c, o, page, own); resp.Status != 304 || resp.Stored != "" || len(o.asked) != 3 {
		t.Errorf("%+v", resp)
	}
}

// What must not be given to another request, or not be kept at all.
func TestWhatIsNotShared(t *testing.T) {
	for name, c := range map[string]struct {
		answer       []string
		first, again crawler.FetchOptions
		private      bool // the host is asked by somebody
		cookies      bool
		status       int
		asked        int
	}{
		"other language":       {answer: []string{"Cache-Control: max-age=60", "Vary: accept-language"}, first: crawler.FetchOptions{Header: http.Header{"Accept-Language": {"de"}}}, again: crawler.FetchOptions{Header: http.Header{"Accept-Language": {"fr"}}}, asked: 2},
		"same language":        {answer: []string{"Cache-Control: max-age=60", "Vary: accept-language"}, first: crawler.FetchOptions{Header: http.Header{"Accept-Language": {"de"}}}, again: crawler.FetchOptions{Header: http.Header{"Accept-Language": {"de"}}}, asked: 1},
		"for somebody":         {answer: []string{"Cache-Control: max-age=60"}, private: true, asked: 2},
		"public":               {answer: []string{"Cache-Control: public, max-age=60"}, private: true, asked: 1},
		"with a token":         {answer: []string{"Cache-Control: max-age=60"}, first: crawler.FetchOptions{Header: http.Header{"Authorization": {"x"}}}, again: crawler.FetchOptions{Header: http.Header{"Authorization": {"x"}}}, asked: 2},
		"then without":         {answer: []string{"Cache-Control: max-age=60"}, first: crawler.FetchOptions{Header: http.Header{"Authorization": {"x"}}}, asked: 2},
		"sets cookies":         {answer: []string{"Cache-Control: max-age=60", "Set-Cookie: a=1"}, cookies: true, asked: 2},
		"cookies are not kept": {answer: []string{"Cache-Control: max-age=60", "Set-Cookie: a=1"}, asked: 1},
		"raw":                  {answer: []string{"Cache-Control: max-age=60"}, again: crawler.FetchOptions{Raw: true}, asked: 2},
		"a POST":               {answer: []string{"Cache-Control: max-age=60"}, first: crawler.FetchOptions{Method: "POST", Body: "a"}, again: crawler.FetchOptions{Method: "POST", Body: "a"}, asked: 2},
		"a range":              {answer: []string{"Cache-Control: max-age=60"}, first: crawler.FetchOptions{Header: http.Header{"Range": {"bytes=0-1"}}}, asked: 2},
		"an error":             {answer: []string{"Cache-Control: max-age=60"}, status: 500, asked: 2},
		"a page that is gone":  {answer: []string{"Cache-Control: max-age=60"}, status: 404, asked: 1},
		"a smaller bound":      {answer: []string{"Cache-Control: max-age=60"}, again: crawler.FetchOptions{MaxBody: 2}, asked: 2},
	} {
		o := &origin{now: start}
		o.says = func(http.Header) (int, http.Header, string) { return max(c.status, 200), fields(c.answer...), "body" }
		cache := mustOpen(t, Options{Now: o.clock, Cookies: c.cookies, Private: func(urls.URL) bool { return c.private }})
		get(t, cache, o, "https://a.example/", c.first)
		resp := get(t, cache, o, "https://a.example/", c.again)
		if len(o.asked) != c.asked || string(resp.Body) != "body" || c.asked == 1 && resp.Header.Get("Set-Cookie") != "" {
			t.Errorf("%s: asked %d times, want %d; %+v", name, len(o.asked), c.asked, resp)
		}
	}
}

// A request that changes something makes what is stored void.
func TestUnsafeRequestsInvalidate(t *testing.T) {
	o := &origin{now: start}
	o.says = func(http.Header) (int, http.Header, string) { return 200, fields("Cache-Control: max-age=60"), "body" }
	c := mustOpen(t, Options{Now: o.clock})
	get(t, c, o, "https://a.example/", crawler.FetchOptions{})
	get(t, c, o, "https://a.example/", crawler.FetchOptions{Method: "POST", Body: "a"})
	if resp := get(t, c, o, "https://a.example/", crawler.FetchOptions{}); resp.Stored != "" {
		t.Error("what a POST may have changed was given from the cache")
	}
}

// The folder stays within its bound, those used last remain, and a process finds what
// another has left.
func TestCacheIsBounded(t *testing.T) {
	dir := t.TempDir()
	o := &origin{now: start}
	o.says = func(http.Header) (int, http.Header, string) {
		return 200, fields("Cache-Control: max-age=600"), strings.Repeat("0123456789abcdef", 64)
	}
	c := mustOpen(t, Options{Dir: dir, Size: 256 << 10, Now: o.clock})
	page := func(i int) string { return fmt.Sprintf("https://a.example/%d", i) }
	for i := range 200 {
		get(t, c, o, page(i), crawler.FetchOptions{})
		get(t, c, o, page(0), crawler.FetchOptions{})
	}
	size := func() (n int64) {
		_ = filepath.WalkDir(dir, func(_ string, d os.DirEntry, _ error) error {
			if info, err := d.Info(); err == nil && !d.IsDir() {
				n += info.Size() + block
				if info.Mode().Perm() != 0o600 {
					t.Errorf("%s: %v", d.Name(), info.Mode())
				}
			}
			return nil
		})
		return n
	}
	if n := size(); n > 256<<10 || n != c.store.bytes || len(o.asked) != 200 {
		t.Errorf("%d bytes, counted as %d; asked %d times", n, c.store.bytes, len(o.asked))
	}
	again := mustOpen(t, Options{Dir: dir, Size: 64 << 10, Now: o.clock})
	if n := size(); n > 64<<10 || n == 0 {
		t.Errorf("%d bytes after the bound was lowered", n)
	}
	if resp := get(t, again, o, page(199), crawler.FetchOptions{}); resp.Stored == "" {
		t.Error("what was stored last is gone")
	}
}

// Whatever becomes of an entry's file, it is given as it was, or not at all.
func TestDamagedEntries(t *testing.T) {
	dir := t.TempDir()
	o := &origin{now: start}
	o.says = func(http.Header) (int, http.Header, string) {
		return 200, fields("Cache-Control: max-age=600"), "the body"
	}
	c := mustOpen(t, Options{Dir: dir, Now: o.clock})
	get(t, c, o, "https://a.example/", crawler.FetchOptions{})
	u, _ := urls.Parse("https://a.example/")
	file := c.store.path(keyOf(u, false))
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for n := range whole {
		flipped := bytes.Clone(whole)
		flipped[n] ^= 0x41
		for _, data := range [][]byte{flipped, whole[:n]} {
			if err := os.WriteFile(file, data, 0o600); err != nil {
				t.Fatal(err)
			}
			asked := len(o.asked)
			if resp := get(t, c, o, "https://a.example/", crawler.FetchOptions{}); string(resp.Body) != "the body" || resp.Stored != "" || len(o.asked) != asked+1 {
				t.Fatalf("at %d: %+v", n, resp)
			}
		}
	}
}

func TestManyAtOnce(t *testing.T) {
	o := &origin{now: start}
	o.says = func(http.Header) (int, http.Header, string) {
		return 200, fields("Cache-Control: max-age=600"), strings.Repeat("x", 5000)
	}
	c := mustOpen(t, Options{Size: 64 << 10, Now: o.clock})
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for i := range 50 {
				if resp := get(t, c, o, fmt.Sprintf("https://a.example/%d", i%20), crawler.FetchOptions{}); len(resp.Body) != 5000 {
					t.Errorf("%d bytes", len(resp.Body))
				}
			}
		})
	}
	group.Wait()
}

func FuzzControl(f *testing.F) {
	f.Add(`max-age=5, no-cache="a, b", private`, "Thu, 01 Jan 1970 00:00:00 GMT", "5", "*")
	f.Fuzz(func(t *testing.T, control, expires, stated, vary string) {
		h := http.Header{"Cache-Control": {control}, "Expires": {expires}, "Age": {stated}, "Vary": {vary}}
		c := parseControl(h)
		if d := lifetime(h, c, start); d < 0 {
			t.Errorf("a lifetime of %v", d)
		}
		if d := age(h, start, start); d < 0 {
			t.Errorf("an age of %v", d)
		}
		_ = storable(200, h, false)
		_ = varied(h, h)
		_ = matches(http.Header{"If-None-Match": {vary}, "If-Modified-Since": {expires}}, h)
	})
}

func FuzzEntry(f *testing.F) {
	good, err := write(&head{Status: 200, Header: http.Header{}}, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	dir := f.TempDir()
	s, err := openStore(dir, 1<<20, nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(t.TempDir(), "e")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		in, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		if e, err := readFirst(in); err == nil {
			if packed, err := e.packed(); err == nil {
				_, _ = unpack(s.read, e.first, packed, e.Size)
			}
		}
	})
}
