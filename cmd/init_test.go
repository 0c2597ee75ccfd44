package cmd

import (
	"bytes"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/fixtures"
)

// initStarts are the pages that amble init is given: the front page of every host
// of the fixture web, and of each kind one more.
var initStarts = map[string][]string{
	"http://books.example/":                                  {"product", "product_data", "product_listing"},
	"http://books.example/catalogue/page-2.html":             {"product", "product_data", "product_listing"},
	"http://books.example/catalogue/on-luck-and-regret_280/": {"product", "product_data"},
	"http://news.example/":                                   {"entry", "news_article", "news_article_data", "teaser"},
	"http://news.example/feed.xml":                           {"entry"},
	"http://news.example/sitemap_index.xml":                  {"news_article", "news_article_data"},
	"http://quotes.example/":                                 {"author", "quote"},
	"http://quotes.example/author/wilhelmine-saltmarsh.html": {"author"},
	"http://awkward.example/":                                {"item"},
	"http://traps.example/":                                  {"page"},
	"http://api.example/v1/books":                            {"book"},
	"http://api.example/v1/books/3":                          {"document"},
}

// What init writes lints, runs and yields records, on every host of the fixture
// web; and it asks politely.
func TestInitOnEveryFixtureSite(t *testing.T) {
	web, err := fixtures.Start(t.Context(), fixtures.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = web.Close() })
	var hosts []string
	set := []string{"--set", "fetch.allow_private=true", "--set", "politeness.delay=2ms", "--set", "fetch.timeout=400ms", "--set", "fetch.retries=0"}
	for host, addr := range web.Resolve() {
		hosts = append(hosts, host)
		set = append(set, "--set", fmt.Sprintf("fetch.resolve.%q=%s", host, addr))
	}
	for _, h := range hosts {
		if !slices.ContainsFunc(slices.Collect(maps.Keys(initStarts)), func(u string) bool { return strings.Contains(u, "//"+h+"/") }) {
			t.Errorf("nothing starts on %s", h)
		}
	}
	for start, kinds := range initStarts {
		t.Run(strings.TrimPrefix(start, "http://"), func(t *testing.T) {
			dir := t.TempDir()
			path := filepath.Join(dir, "crawl.yaml")
			amble(t, append([]string{"init", start, "-o", path, "--contact", "https://me.example/bot"}, set...)...)
			if out := amble(t, "lint", path); strings.Contains(out, "warning") {
				t.Errorf("lint warns: %s", out)
			}
			summary := filepath.Join(dir, "summary.json")
			amble(t, append([]string{"run", path, "--summary", summary, "--set", "scope.max_pages=40"}, set...)...)
			s := readJSON[crawler.Summary](t, summary)
			var got []string
			for kind, n := range s.Records {
				if n > 0 {
					got = append(got, kind)
				}
			}
			slices.Sort(got)
			if !slices.Equal(got, kinds) {
				text, _ := os.ReadFile(path)
				t.Errorf("records of %q, want %q, by\n%s", got, kinds, text)
			}
		})
	}
	for _, h := range web.Account().Hosts() {
		if first := h.Robots; first == 0 {
			t.Errorf("%s: its robots.txt was never asked for", h.Host)
		}
	}
}

// amble runs the binary, which must end well.
func amble(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "amble", args...).CombinedOutput()
	if err != nil {
		t.Fatalf("amble %s: %v\n%s", args[0], err, out)
	}
	return string(out)
}

// Whatever a server does wrong, init ends with a config or with one clear reason.
func TestInitOfAwkwardPages(t *testing.T) {
	web, err := fixtures.Start(t.Context(), fixtures.Options{Hosts: []string{"awkward.example"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = web.Close() })
	set := []string{"--set", "fetch.allow_private=true", "--set", "politeness.delay=0s", "--set", "fetch.timeout=150ms", "--set", "fetch.retries=0",
		"--set", "fetch.max_body=1MiB", "--set", fmt.Sprintf("fetch.resolve.%q=%s", "awkward.example", web.Resolve()["awkward.example"])}
	patient := append(set[:len(set):len(set)], "--set", "fetch.timeout=30s") // the front page does answer, however busy the machine
	front, err := exec.CommandContext(t.Context(), "amble", append([]string{"init", "http://awkward.example/", "--look", "0"}, patient...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "awkward.yaml")
	if err := os.WriteFile(path, front, 0o600); err != nil {
		t.Fatal(err)
	}
	var lines []record
	out, err := exec.CommandContext(t.Context(), "amble", append([]string{"try", path, "http://awkward.example/"}, patient...)...).Output()
	if lines = parseLines(t, out); err != nil || len(lines) < 50 {
		t.Fatalf("%d exhibits: %v", len(lines), err)
	}
	for _, r := range lines {
		t.Run(strings.TrimPrefix(r.text("url"), "http://awkward.example"), func(t *testing.T) {
			if strings.HasSuffix(r.text("url"), ".pdf") {
				unraced(t)
			}
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), "amble", append([]string{"init", r.text("url"), "--look", "1"}, set...)...)
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			err := cmd.Run()
			if strings.Contains(stderr.String(), "panic") || strings.Contains(stderr.String(), "does not lint") {
				t.Fatal(stderr.String())
			}
			switch cmd.ProcessState.ExitCode() {
			case 0:
				if _, found := config.Parse("x.yaml", stdout.Bytes(), config.Options{}); found.Failed() {
					t.Errorf("%v\n%s", found, stdout.String())
				}
			case 1:
				if stdout.Len() > 0 || !strings.HasPrefix(lastLine(stderr.String()), "amble: ") {
					t.Errorf("said %q and wrote %q", stderr.String(), stdout.String())
				}
			default:
				t.Errorf("%v: %s", err, stderr.String())
			}
		})
	}
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}
