package feeds

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

func read(t testing.TB, body []byte, charset string) (*crawler.Result, error) {
	t.Helper()
	u, err := urls.Parse("https://s.example/maps/sitemap.xml")
	if err != nil {
		t.Fatal(err)
	}
	p := crawler.NewPage(&crawler.Request{URL: u, Kind: crawler.KindSitemap}, &crawler.Response{Body: body, Charset: charset})
	r := &crawler.Result{}
	err = Sitemap{}.Extract(context.Background(), p, crawler.NewEmitter("sitemap", p, r))
	return r, err
}

func shown(r *crawler.Result) []string {
	var out []string
	for _, l := range r.Links {
		out = append(out, l.Kind.String()+" "+l.URL.String())
	}
	return out
}

func zipped(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(s))
	_ = z.Close()
	return b.String()
}

const urlset = `<?xml version="1.0" encoding="UTF-8"?>
<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:image="http://www.google.com/schemas/sitemap-image/1.1">
 <url><loc> https://s.example/a?x=1&amp;y=2#top </loc><lastmod>2026-03-01</lastmod>
  <image:image><image:loc>https://s.example/a.png</image:loc></image:image></url>
 <url><loc><![CDATA[https://s.example/b]]></loc></url>
 <url><loc>/c</loc></url>
</urlset>`

func TestSitemap(t *testing.T) {
	three := []string{"page https://s.example/a?x=1&y=2", "page https://s.example/b", "page https://s.example/c"}
	for _, tt := range []struct {
		name, body, charset string
		want                []string
		fails               error // any error when it is errAny
	}{
		{"urlset", urlset, "", three, nil},
		{"gzipped", zipped(urlset), "", three, nil},
		{"byte order mark", "\ufeff\n" + urlset, "", three, nil},
		{"index", `<sitemapindex><sitemap><loc>https://s.example/1.xml.gz</loc></sitemap><url><loc>https://s.example/no</loc></url></sitemapindex>`, "",
			[]string{"sitemap https://s.example/1.xml.gz"}, nil},
		{"text", "https://s.example/a\r\n\n  https://s.example/b  \n", "", []string{"page https://s.example/a", "page https://s.example/b"}, nil},
		{"gzipped text", zipped("https://s.example/a"), "", []string{"page https://s.example/a"}, nil},
		{"unescaped ampersand", `<urlset><url><loc>https://s.example/?a=1&b=2</loc></url></urlset>`, "", []string{"page https://s.example/?a=1&b=2"}, nil},
		{"declared Latin-1", "<?xml version='1.0' encoding='ISO-8859-1'?><urlset><url><loc>https://s.example/\xe9</loc></url></urlset>", "",
			[]string{"page https://s.example/%C3%A9"}, nil},
		{"Latin-1 already decoded", "<?xml version='1.0' encoding='ISO-8859-1'?><urlset><url><loc>https://s.example/é</loc></url></urlset>", "iso-8859-1",
			[]string{"page https://s.example/%C3%A9"}, nil},
		{"empty", "", "", nil, nil},
		{"empty urlset", "<urlset/>", "", nil, nil},
		{"cut off", urlset[:strings.Index(urlset, "<url><loc>/c")+8], "", three[:2], errAny},
		{"cut off gzip", zipped(urlset)[:len(zipped(urlset))-8], "", three, errAny},
		{"broken gzip", "\x1f\x8bnothing", "", nil, errAny},
		{"HTML", "<!doctype html><html><body><a href=/>x</a>", "", nil, errNotSitemap},
		{"prose", "Not found", "", nil, errNotSitemap},
		{"a comment alone", "<!-- -->", "", nil, errAny},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r, err := read(t, []byte(tt.body), tt.charset)
			if got := shown(r); !slices.Equal(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if len(r.Errors) > 0 {
				t.Errorf("entries reported as wrong: %v", r.Errors)
			}
			if tt.fails == errAny && err == nil || tt.fails != errAny && !errors.Is(err, tt.fails) {
				t.Errorf("error %v, want %v", err, tt.fails)
			}
		})
	}
}

var errAny = errors.New("any")

func TestEntriesThatAreNoAddress(t *testing.T) {
	r, err := read(t, []byte(`<urlset><url><loc>mailto:a@b.c</loc></url><url><loc/></url><url><loc>https://s.example/</loc></url></urlset>`), "")
	if err != nil || len(r.Links) != 1 || len(r.Errors) != 1 || r.Errors[0].Value != "mailto:a@b.c" || !strings.Contains(r.Errors[0].Error(), "2 entries") {
		t.Errorf("got %q, %v, %v", shown(r), r.Errors, err)
	}
}

func TestBounds(t *testing.T) {
	limited := func(body string, maxURLs, maxBytes int) (int, error) {
		u, err := urls.Parse("https://s.example/")
		if err != nil {
			t.Fatal(err)
		}
		p := crawler.NewPage(&crawler.Request{URL: u}, &crawler.Response{Body: []byte(body)})
		r := &crawler.Result{}
		err = extract(context.Background(), p, crawler.NewEmitter("sitemap", p, r), maxURLs, maxBytes)
		return len(r.Links), err
	}
	three := "https://s.example/1\nhttps://s.example/2\nhttps://s.example/3\n"
	if n, err := limited(three, 3, MaxBytes); n != 3 || err != nil {
		t.Errorf("at the bound: %d links, %v", n, err)
	}
	if n, err := limited(three, 2, MaxBytes); n != 2 || !errors.Is(err, errTooMany) {
		t.Errorf("one too many: %d links, %v", n, err)
	}
	if n, err := limited(three, 3, len(three)); n != 3 || err != nil {
		t.Errorf("as long as can be: %d links, %v", n, err)
	}
	bomb := zipped("<urlset><url><loc>https://s.example/</loc></url>" + strings.Repeat(" ", 1<<20))
	if n, err := limited(bomb, 3, 1<<20); n != 1 || !errors.Is(err, errTooLong) {
		t.Errorf("a bomb of %d bytes: %d links, %v", len(bomb), n, err)
	}
	deep := "<urlset>" + strings.Repeat("<url>", 20_000)
	if _, err := read(t, []byte(deep), ""); err == nil {
		t.Error("a deep file that is cut off gave no error")
	}
}

func FuzzSitemap(f *testing.F) {
	f.Add([]byte(urlset))
	f.Add([]byte(zipped(urlset)))
	f.Add([]byte("https://s.example/a\n\n:"))
	f.Add([]byte("<sitemapindex><sitemap><loc>&#x0;</loc>"))
	f.Fuzz(func(t *testing.T, body []byte) {
		r, _ := read(t, body, "")
		for _, l := range r.Links {
			if !l.URL.IsHTTP() || l.URL.Fragment() != "" {
				t.Fatalf("%q gave the link %s", body, l.URL)
			}
		}
	})
}
