package plan

import (
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/crawler/config"
)

// Every bound of the census is met, and told.
func TestPlanBounds(t *testing.T) {
	t.Parallel()
	files := map[string]string{
		"a.example/robots.txt": "User-agent: *\nDisallow: /no1\nDisallow: /no2\nDisallow: /no3\nSitemap: /x\nSitemap: /y\nSitemap: /z\n",
		"a.example/1.txt":      "http://a.example/1\nhttp://a.example/no1\nhttp://a.example/no2\nhttp://a.example/no3\nhttp://a.example/1\nhttp://b.example/1\nhttp://b.example/2\nhttp://c.example/1\n",
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		text, ok := files[r.Host+r.URL.Path]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
		}
		_, _ = io.WriteString(w, text)
	}))
	defer server.Close()
	cfg, problems := config.Parse("crawl.yaml", []byte(strings.ReplaceAll(`
seeds: [{sitemap: "http://a.example/1.txt"}, {sitemap: "http://a.example/2.txt"}, {sitemap: "http://a.example/3.txt"}, {sitemap: "http://a.example/4.txt"}]
scope: {hosts: ["*.example"]}
politeness: {contact: a@b.example, delay: 0s}
fetch:
  workers: 1
  retries: 0
  allow_private: true
  resolve: {a.example: "HERE", b.example: "HERE", c.example: "HERE"}
`, "HERE", server.Listener.Addr().String())), config.Options{})
	if problems.Failed() {
		t.Fatal(problems)
	}
	c, err := crawl.New(cfg, slog.New(slog.DiscardHandler), crawl.Past{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	p := newPlanner(c)
	p.most = censusBounds{told: 6, sites: 2, held: len("http://b.example/1"), sitemaps: 3, named: 2, offers: 1, rules: 2, troubles: 1}
	if err := p.gather(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	r := p.report(time.Now(), nil)
	for _, want := range []string{
		"4 URLs are counted as new although they may not be: only the first 6 are told apart",
		"1 URLs are not among the pages: they lie on hosts beyond the first 2",
		"1 URLs are not among the pages: they waited for robots.txt beyond 18 B",
		"1 sitemaps are not read: there are more than 3",
		"1 sitemaps that could not be read are not listed",
		"2 sitemaps that robots.txt names are not listed",
	} {
		if !slices.Contains(r.Limits, want) {
			t.Errorf("the plan does not say: %s\n%q", want, r.Limits)
		}
	}
	if a := r.Hosts[0]; a.Disallowed != 3 || len(a.DisallowedBy) != 3 || a.DisallowedBy[2].Rule != "other rules" && a.DisallowedBy[0].Rule != "other rules" {
		t.Errorf("rules: %+v", a)
	}
	if len(p.told) > 6 || len(p.sites) > 2 || p.held != 0 {
		t.Errorf("%d URLs told apart, %d hosts, %d octets held", len(p.told), len(p.sites), p.held)
	}
}
