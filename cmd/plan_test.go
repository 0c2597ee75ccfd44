package cmd

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/cmd/plan"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/fixtures"
)

const listsConfig = `
name: lists
seeds:
  - http://books.example/
  - sitemap: http://news.example/sitemap_index.xml
  - http://news.example/2026/03/28/harbour-ferry-returns-after-two-silent-winters.html?utm_source=plan
  - http://quotes.example/
  - http://quotes.example/login.html
scope: {drop_params: [utm_*], include: ["/catalogue/**", "/20*/**", "/about*"]}
links: false
politeness: {agent: listbot, contact: https://lists.example/bot, delay: 10ms}
fetch:
  allow_private: true
`

// A crawl of nothing but lists does what its plan says.
func TestPlanAndRunAgree(t *testing.T) {
	t.Parallel()
	c := newFixtureCrawl(t, listsConfig, fixtures.Options{Hosts: contentHosts})
	plan := planOf(t, c.config)
	for _, v := range c.web.Account().Violations(c.web.Rules("listbot", 10*time.Millisecond, 1)) {
		t.Error(v)
	}
	asked := int64(c.served())
	if asked != plan.RobotsRequests+plan.SitemapRequests || plan.SitemapRequests != 3 || plan.RobotsRequests != 3 {
		t.Errorf("%d requests were served for a plan of %d robots.txt and %d sitemaps", asked, plan.RobotsRequests, plan.SitemapRequests)
	}
	if names, err := filepath.Glob(filepath.Join(c.dir, "*")); err != nil || !slices.Equal(names, []string{c.config}) {
		t.Errorf("planning left %q: %v", names, err)
	}
	if _, err := os.Stat(filepath.Join(c.dir, ".amble")); err == nil {
		t.Error("planning made a state")
	}

	file := filepath.Join(c.dir, "summary.json")
	c.run(t, "--summary", file)
	s := readJSON[crawler.Summary](t, file)
	if s.Requests != plan.Requests || s.Pages != plan.Pages || s.Disallowed != plan.Disallowed || s.OutOfScope != plan.OutOfScope {
		t.Errorf("planned %d requests, %d pages, %d disallowed, %d out of scope; the run made %+v",
			plan.Requests, plan.Pages, plan.Disallowed, plan.OutOfScope, s)
	}
	if plan.Disallowed != 1 || plan.OutOfScope == 0 || plan.Duplicates == 0 || plan.Pages < 30 {
		t.Errorf("the crawl is not what this test wants: %+v", plan)
	}
	for _, h := range plan.Hosts {
		name := strings.TrimPrefix(h.Host, "http://")
		if got := int64(c.web.Account().Host(name).Requests) - h.RobotsRequests - h.SitemapRequests; got != h.Requests {
			t.Errorf("%s: planned %d requests, the run made %d", h.Host, h.Requests, got)
		}
		if want := float64(h.Requests-1) * 0.01; h.ShortestS < want-1e-9 || h.ShortestS > want+1e-9 {
			t.Errorf("%s: %d requests at 10 ms are planned to take %v s", h.Host, h.Requests, h.ShortestS)
		}
	}
	if plan.ShortestS > s.DurationS || plan.ShortestS != plan.Hosts[0].ShortestS {
		t.Errorf("planned %v s for a run of %v s", plan.ShortestS, s.DurationS)
	}
}

// planOf plans by the real command.
func planOf(t *testing.T, args ...string) *plan.Report {
	t.Helper()
	out, code := planJSON(t, args...)
	r := &plan.Report{}
	if err := json.Unmarshal(out, r); err != nil || code != exit.OK {
		t.Fatalf("amble plan: exit %d, %v\n%s", code, err, out)
	}
	return r
}

func planJSON(t *testing.T, args ...string) ([]byte, int) {
	t.Helper()
	var out bytes.Buffer
	root := newRoot()
	root.SetOut(&out)
	root.SetErr(io.Discard)
	root.SetArgs(append([]string{"plan", "--json"}, args...))
	err := root.ExecuteContext(t.Context())
	if err == nil {
		return out.Bytes(), exit.OK
	}
	end, ok := errors.AsType[*exit.Error](err)
	if !ok {
		t.Fatal(err)
	}
	return out.Bytes(), end.Code
}

// listServer serves files by "host/path" and keeps what it was asked for.
type listServer struct {
	*httptest.Server
	mu    sync.Mutex
	asked []string
}

func serveLists(t *testing.T, files map[string]string) *listServer {
	s := &listServer{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := r.Host + r.URL.RequestURI()
		s.mu.Lock()
		s.asked = append(s.asked, name)
		s.mu.Unlock()
		text, ok := files[name]
		to, redirects := strings.CutPrefix(text, "-> ")
		switch {
		case !ok:
			http.NotFound(w, r)
		case redirects:
			http.Redirect(w, r, to, http.StatusMovedPermanently)
		case text == "busy":
			w.Header().Set("Retry-After", "3600")
			w.WriteHeader(http.StatusTooManyRequests)
		case text == "broken":
			w.WriteHeader(http.StatusInternalServerError)
		default:
			_, _ = io.WriteString(w, text)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

// requests lists what the server was asked for so far.
func (s *listServer) requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// config writes a config with the server's address for each host.
func (s *listServer) config(t *testing.T, text string, hosts ...string) string {
	t.Helper()
	for _, h := range hosts {
		text += fmt.Sprintf("    %s: %q\n", h, s.Listener.Addr())
	}
	path := filepath.Join(t.TempDir(), "crawl.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func gz(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return b.String()
}

var webOfLists = map[string]string{
	"a.example/robots.txt":    "User-agent: *\nDisallow: /no\nCrawl-delay: 0.02\nSitemap: /more.txt\nSitemap: http://a.example/index.xml\nSitemap: http://other.example/x.txt\n",
	"a.example/index.xml":     "<sitemapindex><sitemap><loc>/old.xml</loc></sitemap><sitemap><loc>/list.txt.gz</loc></sitemap><sitemap><loc>/index.xml</loc></sitemap><sitemap><loc>http://other.example/s.xml</loc></sitemap></sitemapindex>",
	"a.example/old.xml":       "-> http://b.example/new.xml",
	"a.example/list.txt.gz":   gz("http://a.example/1\nhttp://a.example/2#part\nhttp://a.example/2\nhttp://a.example/no/1\nhttp://a.example/no/2\nhttp://other.example/1\nhttp://c.example/1\nhttp://c.example/2\nhttp://c.example/secret\n"),
	"a.example/more.txt":      "http://a.example/1\nhttp://a.example/10\nhttp://a.example/no/3\nhttp://other.example/2\n",
	"b.example/robots.txt":    "broken",
	"b.example/new.xml":       "never read",
	"c.example/robots.txt":    "-> http://d.example/rules.txt",
	"d.example/rules.txt":     "User-agent: *\nDisallow: /secret\n",
	"d.example/robots.txt":    "",
	"d.example/truncated.xml": "<urlset><url><loc>http://d.example/1</loc></url><url><loc>http://d.exam",
	"e.example/robots.txt":    "User-agent: *\nContent-Usage: tdm=n\nAllow: /\n",
	"f.example/robots.txt":    "User-agent: *\nDisallow: /no\n",
}

const listsOfLists = `
name: web
seeds:
  - sitemap: http://a.example/index.xml
  - sitemap: http://d.example/truncated.xml
  - http://a.example/3
  - http://a.example/1
  - http://e.example/1
  - http://f.example/no
  - http://f.example/1
scope: {hosts: [a.example, b.example, c.example, d.example, e.example, f.example]}
politeness: {contact: https://lists.example/bot, delay: 10ms, usage: {tdm: respect}}
fetch:
  allow_private: true
  retries: 0
  resolve:
`

func TestPlanFollowsSitemapsAsARunDoes(t *testing.T) {
	t.Parallel()
	hosts := []string{"a.example", "b.example", "c.example", "d.example", "e.example", "f.example", "other.example"}
	s := serveLists(t, webOfLists)
	path := s.config(t, listsOfLists, hosts...)
	r := planOf(t, path)

	type row struct {
		Host                                       string
		Pages, Disallowed, Robots, Files, Sitemaps int64
		Delay                                      string
	}
	var rows []row
	for _, h := range r.Hosts {
		rows = append(rows, row{strings.TrimSuffix(h.Host[len("http://"):], ".example"), h.Pages, h.Disallowed, h.RobotsRequests, h.FileRequests, h.SitemapRequests, fmt.Sprint(h.DelayS, " ", h.DelayBy)})
	}
	slices.SortFunc(rows, func(a, b row) int { return strings.Compare(a.Host, b.Host) })
	// The index, the redirect and the list; the first page is listed twice.
	want := []row{
		{"a", 3, 2, 1, 1, 3, "0.02 robots.txt Crawl-delay, line 3"},
		{"b", 0, 0, 1, 0, 0, "0.01 config delay"},
		{"c", 2, 1, 1, 1, 0, "0.01 config delay"},
		{"d", 1, 0, 2, 1, 1, "0.01 config delay"},
		{"e", 0, 1, 1, 0, 0, "0.01 config delay"},
		{"f", 1, 1, 1, 1, 0, "0.01 config delay"},
	}
	if !reflect.DeepEqual(rows, want) {
		t.Errorf("hosts:\n%v\nwant\n%v", rows, want)
	}
	if r.Entries != 16 || r.Duplicates != 2 || r.OutOfScope != 2 || r.Disallowed != 5 || r.Pages != 7 || r.Requests != 22 || r.Unreachable != 0 {
		t.Errorf("counts: %+v", r)
	}
	if len(r.SitemapTroubles) != 2 || !slices.ContainsFunc(r.SitemapTroubles, func(x plan.SitemapTrouble) bool {
		return x.URL == "http://b.example/new.xml" && strings.Contains(x.Reason, "status 500")
	}) {
		t.Errorf("sitemaps that could not be read: %v", r.SitemapTroubles)
	}
	if len(r.NotSeeded) != 2 || r.NotSeeded[0].Counted || r.NotSeeded[0].URL != "http://a.example/more.txt" || r.NotSeeded[1].Counted {
		t.Errorf("not seeded: %+v", r.NotSeeded)
	}
	for _, name := range s.requests() {
		if name == "a.example/more.txt" || strings.HasPrefix(name, "other.") || strings.HasSuffix(name, "/1") {
			t.Errorf("%s was fetched", name)
		}
	}

	// No page is there, so that the run has nothing, but asks for all of it.
	file := filepath.Join(t.TempDir(), "summary.json")
	_ = exec.CommandContext(t.Context(), "amble", "run", path, "--summary", file).Run()
	if run := readJSON[crawler.Summary](t, file); run.Requests != r.Requests || run.Disallowed != r.Disallowed || run.OutOfScope != r.OutOfScope {
		t.Errorf("planned %d requests, %d disallowed, %d out of scope; the run made %+v", r.Requests, r.Disallowed, r.OutOfScope, run)
	}

	again := planOf(t, path, "--sitemaps")
	if again.Requests != r.Requests || again.Pages != r.Pages {
		t.Errorf("counting other sitemaps changed the plan from %d to %d requests", r.Requests, again.Requests)
	}
	offer := plan.Offer{URL: "http://a.example/more.txt", NamedBy: "http://a.example", Counted: true, Pages: 1, Known: 1, Disallowed: 1, OutOfScope: 1}
	if len(again.NotSeeded) != 2 || again.NotSeeded[0] != offer || again.NotSeeded[1].Counted {
		t.Errorf("not seeded: %+v", again.NotSeeded)
	}
}

func TestPlanOfNothing(t *testing.T) {
	t.Parallel()
	s := serveLists(t, map[string]string{"a.example/robots.txt": "User-agent: *\nDisallow: /\n"})
	path := s.config(t, "seeds: [http://a.example/]\npoliteness: {contact: a@b.example}\nfetch:\n  allow_private: true\n  resolve:\n", "a.example")
	out, code := planJSON(t, path)
	if code != exit.Nothing || !bytes.Contains(out, []byte(`"disallowed": 1`)) {
		t.Errorf("exit %d\n%s", code, out)
	}
}

// Requests fit into the window only; hosts of a group share one delay.
func TestPlanOfSlowHosts(t *testing.T) {
	t.Parallel()
	s := serveLists(t, map[string]string{})
	now := time.Now().UTC()
	window := now.Add(-time.Hour).Format("15:04") + "-" + now.Add(3*time.Hour).Format("15:04")
	text := "seeds: ["
	for i := range 5 {
		text += fmt.Sprintf("http://a.shop.example/%d, http://b.shop.example/%d, ", i, i)
	}
	path := s.config(t, text+`]
politeness: {contact: a@b.example, delay: 0s, group: domain, hosts: {a.shop.example: {delay: 1h}}}
fetch:
  allow_private: true
  resolve:
`, "a.shop.example", "b.shop.example")
	// Robots.txt is asked for under the same delay, so the plan is made without.
	args := []string{path, "--set", "politeness.robots=ignore", "--set", "politeness.allow_ignore_robots=true", "--set", "politeness.hours=" + window}
	r := planOf(t, args...)
	if len(r.Groups) != 1 || r.Groups[0].Hosts != 2 || r.Groups[0].Requests != 10 || r.ShortestBy != "domain:shop.example" || r.Groups[0].DelayS != 3600 {
		t.Errorf("groups: %+v, by %s", r.Groups, r.ShortestBy)
	}
	// Three or four of the ten fit into the first window, and four into each next one.
	if r.ShortestS < 2*20*3600 || r.ShortestS > 3*24*3600 {
		t.Errorf("10 requests an hour apart within %s take %v s", window, r.ShortestS)
	}
	if asked := s.requests(); len(asked) != 0 {
		t.Errorf("requests were sent: %q", asked)
	}
}

// An interrupted plan ends at once.
func TestPlanInterrupted(t *testing.T) {
	t.Parallel()
	asked := make(chan struct{})
	var once sync.Once
	s := &listServer{Server: httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		once.Do(func() { close(asked) })
		<-r.Context().Done()
	}))}
	defer s.Close()
	path := s.config(t, "seeds: [http://a.example/]\npoliteness: {contact: a@b.example}\nfetch:\n  allow_private: true\n  resolve:\n", "a.example")
	ctx, stop := context.WithCancel(t.Context())
	go func() { <-asked; stop() }()
	var out bytes.Buffer
	root := newRoot()
	root.SetOut(&out)
	root.SetErr(io.Discard)
	root.SetArgs([]string{"plan", path})
	err := root.ExecuteContext(ctx)
	if end, ok := errors.AsType[*exit.Error](err); !ok || end.Code != exit.Interrupted || out.Len() > 0 {
		t.Errorf("%v, and %q", err, &out)
	}
}
