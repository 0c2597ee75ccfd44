package archive

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// web answers in memory.
type web map[string]func() (*crawler.Response, error)

func (w web) Fetch(_ context.Context, u urls.URL, opt crawler.FetchOptions) (*crawler.Response, error) {
	if opt.Header.Get("If-None-Match") != "" {
		return &crawler.Response{Status: http.StatusNotModified, Header: http.Header{}}, nil
	}
	return w[strings.TrimSpace(opt.Method+" "+u.Fetch()+" "+opt.Body)]()
}

func parse(t testing.TB, raw string) urls.URL {
	t.Helper()
	u, err := urls.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

const hidden = "s3cret-of-the-seed"

var hiding = Options{
	Seal:   func(text, mark string) string { return strings.ReplaceAll(text, hidden, "~"+mark+"~") },
	Unseal: func(text, mark string) string { return strings.ReplaceAll(text, "~"+mark+"~", hidden) },
}

func page(t testing.TB, status int, body string) *crawler.Response {
	t.Helper()
	return &crawler.Response{
		Status: status, MediaType: "text/html", Charset: "windows-1252", Body: []byte(body), Wire: 7, FetchedAt: time.Unix(1e9, 5).UTC(),
		Header:   http.Header{"Etag": {`"1"`}, "Set-Cookie": {"session=c00kie"}, ":cookies": {"sent"}, "X-Echo": {hidden}},
		Location: parse(t, "https://a.example/to?k="+hidden),
	}
}

// What a run was given is what its replay is given, but for what says who asked.
func TestReplayGivesTheSame(t *testing.T) {
	file := filepath.Join(t.TempDir(), "crawl.archive")
	first := true
	w := web{
		"https://a.example/?k=" + hidden: func() (*crawler.Response, error) {
			if first {
				first = false
				return page(t, 503, "busy"), nil
			}
			return page(t, 200, "<p>"+hidden+"</p>"), nil
		},
		"POST https://a.example/ a=1": func() (*crawler.Response, error) { return page(t, 200, "one"), nil },
		"POST https://a.example/ a=2": func() (*crawler.Response, error) { return page(t, 429, ""), nil },
		"https://down.example/": func() (*crawler.Response, error) {
			return nil, &crawler.FetchError{Class: crawler.ClassRefused, Temporary: true, Err: errors.New("refused " + hidden)}
		},
		"https://late.example/": func() (*crawler.Response, error) { return nil, fmt.Errorf("%w: lapsed", crawler.ErrNotSent) },
		"https://out.example/": func() (*crawler.Response, error) {
			return &crawler.Response{Status: 401, Header: http.Header{crawler.HeaderLoggedOut: {"1"}}}, nil
		},
	}
	rec, err := Create(file, hiding)
	if err != nil {
		t.Fatal(err)
	}
	fetch := func(f crawler.Fetcher, raw string, opt crawler.FetchOptions) (*crawler.Response, error) {
		return f.Fetch(t.Context(), parse(t, raw), opt)
	}
	given := map[string]*crawler.Response{}
	ask := []struct {
		raw string
		opt crawler.FetchOptions
	}{
		{"https://a.example/?k=" + hidden, crawler.FetchOptions{}},
		{"https://a.example/?k=" + hidden, crawler.FetchOptions{Header: http.Header{"If-None-Match": {`"1"`}, "Authorization": {"Bearer t0ken"}}}},
		{"https://a.example/", crawler.FetchOptions{Method: "POST", Body: "a=1"}},
		{"https://a.example/", crawler.FetchOptions{Method: "POST", Body: "a=2"}},
		{"https://down.example/", crawler.FetchOptions{}},
		{"https://late.example/", crawler.FetchOptions{}},
		{"https://out.example/", crawler.FetchOptions{}},
	}
	for i, a := range ask {
		if i == 2 { // the run is resumed
			if err := rec.Close(); err != nil {
				t.Fatal(err)
			}
			if rec, err = Append(file, hiding); err != nil {
				t.Fatal(err)
			}
		}
		resp, err := fetch(rec.Fetcher(w), a.raw, a.opt)
		if err == nil {
			given[a.raw+a.opt.Body] = resp
		}
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{hidden, "c00kie", "t0ken"} {
		if bytes.Contains(text, []byte(secret)) {
			t.Errorf("the file holds %s", secret)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	r, err := Open(file, hiding)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if r.Len() != 4 {
		t.Errorf("%d exchanges", r.Len())
	}
	for _, a := range ask[1:4] {
		resp, err := fetch(r.Fetcher(), a.raw, a.opt)
		if err != nil || resp.Stored == "" {
			t.Fatalf("%s: %v, %v", a.raw, resp, err)
		}
		want := *given[a.raw+a.opt.Body]
		want.Stored, want.Header = resp.Stored, http.Header{"Etag": {`"1"`}, "X-Echo": {hidden}}
		if want.Status == 429 {
			want.Header.Set("Retry-After", "1")
		}
		if !reflect.DeepEqual(*resp, want) {
			t.Errorf("%s: got\n%+v\nwant\n%+v", a.raw, *resp, want)
		}
	}
	for raw, class := range map[string]crawler.Class{"https://down.example/": crawler.ClassRefused, "https://late.example/": crawler.ClassNotRecorded, "https://out.example/": crawler.ClassNotRecorded} {
		_, err := fetch(r.Fetcher(), raw, crawler.FetchOptions{})
		var fe *crawler.FetchError
		if !errors.As(err, &fe) || fe.Class != class || fe.Temporary || !errors.Is(err, crawler.ErrStored) {
			t.Errorf("%s: %v", raw, err)
		}
	}
}

// Wherever a file is cut its whole exchanges are there, and it can be gone on with;
// wherever a byte is changed an exchange is as it was, or reported.
func TestDamage(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "a")
	w := web{}
	rec, err := Create(file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		raw := fmt.Sprintf("https://a.example/%d", i)
		w[raw] = func() (*crawler.Response, error) { return &crawler.Response{Status: 200, Body: []byte(raw)}, nil }
		if _, err := rec.Fetcher(w).Fetch(t.Context(), parse(t, raw), crawler.FetchOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	check := func(data []byte, what string, least int) {
		t.Helper()
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Open(file, Options{})
		if err != nil {
			if !errors.Is(err, ErrDamaged) {
				t.Errorf("%s: %v", what, err)
			}
			return
		}
		defer r.Close()
		if r.Len() < least || len(data) == len(whole) && len(r.Damaged()) == 0 && r.Torn() == 0 {
			t.Errorf("%s: %d exchanges, damaged at %v, %d bytes torn", what, r.Len(), r.Damaged(), r.Torn())
		}
		good := 0
		for raw := range w {
			resp, err := r.Fetcher().Fetch(t.Context(), parse(t, raw), crawler.FetchOptions{})
			if err == nil && string(resp.Body) != raw {
				t.Errorf("%s: %s is %q", what, raw, resp.Body)
			}
			if err != nil && !errors.Is(err, crawler.ErrStored) {
				t.Errorf("%s: %v", what, err)
			}
			if err == nil {
				good++
			}
		}
		if good != r.Len() {
			t.Errorf("%s: %d exchanges of %d are given", what, good, r.Len())
		}
	}
	for n := 0; n < len(whole); n++ {
		if n > fileHead+2*frameHead {
			n = min(n+6, len(whole)-1) // the rest of the contents is alike
		}
		check(whole[:n], fmt.Sprintf("cut at %d", n), 0)
		flipped := bytes.Clone(whole)
		flipped[n] ^= 0x55
		least := 2 // the others are whole
		if n < fileHead {
			continue
		}
		check(flipped, fmt.Sprintf("changed at %d", n), least)
	}
	check(whole[:len(whole)-1], "cut in the last", 2)
	renamed := bytes.Clone(whole)
	renamed[0] ^= 0x55
	check(renamed, "another beginning", 0)
	check(whole[:len(whole)-1], "cut in the last", 2)
	appendTo(t, file, w, "https://a.example/2")
	if data, err := os.ReadFile(file); err != nil || len(data) != len(whole) {
		t.Errorf("%d bytes, %v; want %d", len(data), err, len(whole))
	}
}

func FuzzArchive(f *testing.F) {
	f.Add([]byte(magic + "0123456789abcdef\n\x01\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		file := filepath.Join(t.TempDir(), "a")
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := Open(file, Options{})
		if err != nil {
			return
		}
		defer r.Close()
		for k := range r.known {
			_, _, _ = r.read(k)
		}
		z := r.z
		_, _, _ = open(z, data)
	})
}

// Of a page whose last exchange is damaged an earlier one, such as a failure, is not
// given in its place; one that was appended since is.
func TestDamagedLastExchange(t *testing.T) {
	file := filepath.Join(t.TempDir(), "a")
	body := "first"
	w := web{"https://a.example/": func() (*crawler.Response, error) { return page(t, 200, body), nil }}
	for _, body = range []string{"first", "second"} {
		appendTo(t, file, w, "https://a.example/")
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-3] ^= 0x55
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"damaged", "third"} {
		r, err := Open(file, Options{})
		if err != nil {
			t.Fatal(err)
		}
		resp, err := r.Fetcher().Fetch(t.Context(), parse(t, "https://a.example/"), crawler.FetchOptions{})
		if len(r.Damaged()) != 1 || want == "damaged" && (!errors.Is(err, crawler.ErrStored) || !strings.Contains(err.Error(), want)) || want != "damaged" && string(resp.Body) != want {
			t.Errorf("%v, %v, damaged at %v", resp, err, r.Damaged())
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		body = "third"
		appendTo(t, file, w, "https://a.example/")
	}
}

// A new archive takes the place of an old one, and of nothing else that a slip of the
// hand may name; it is for its owner alone, whoever could read the file before.
func TestCreateReplacesArchivesAlone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "f")
	for text, good := range map[string]bool{"": true, "amble arch": true, magic + "0123456789abcdef\nold": true, "name: shop\n": false, "amble archives\n": false} {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(file, 0o644); err != nil {
			t.Fatal(err)
		}
		w, err := Create(file, Options{})
		if (err == nil) != good {
			t.Fatalf("%q: %v", text, err)
		}
		if err == nil {
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
		}
		data, err := os.ReadFile(file)
		if err != nil || good != (len(data) == fileHead) || !good && string(data) != text {
			t.Errorf("%q became %q, %v", text, data, err)
		}
		if info, err := os.Stat(file); err != nil || good && info.Mode().Perm() != 0o600 {
			t.Errorf("%q: %v, %v", text, info.Mode(), err)
		}
	}
}

// appendTo keeps one more answer in an archive.
func appendTo(t *testing.T, file string, w web, url string) {
	t.Helper()
	rec, err := Append(file, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := rec.Fetcher(w).Fetch(t.Context(), parse(t, url), crawler.FetchOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := rec.Close(); err != nil {
		t.Fatal(err)
	}
}
