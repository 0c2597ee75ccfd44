package cmd

import (
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/fixtures/synthetic"
)

// newSyntheticCrawl writes a config for a generated web of many hosts.
func newSyntheticCrawl(t *testing.T, o synthetic.Options) *fixtureCrawl {
	t.Helper()
	web := synthetic.New(o)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: web, ReadHeaderTimeout: patience}
	go func() { _ = server.Serve(l) }() // ends with Close
	t.Cleanup(func() { _ = server.Close() })
	text := "name: synthetic\nseeds:\n"
	resolve := ""
	for h := range o.Hosts {
		text += "  - " + web.URL(h, 0) + "\n"
		resolve += fmt.Sprintf("    %s: %q\n", web.Host(h), l.Addr())
	}
	text += "politeness: {contact: qa@shop.example, delay: 0s}\nextract: {page: {fields: {sku: {css: .sku}}}}\n" +
		"output: [{jsonl: page.jsonl}]\nfetch:\n  allow_private: true\n  workers: 64\n  resolve:\n" + resolve
	c := &fixtureCrawl{dir: t.TempDir(), name: "synthetic"}
	c.config = filepath.Join(c.dir, "crawl.yaml")
	write(t, c.config, text)
	return c
}

// gotAll expects that a crawl got every page, each once, and that nothing failed.
func (c *fixtureCrawl) gotAll(t *testing.T, pages int) crawler.Summary {
	t.Helper()
	s := readJSON[crawler.Summary](t, filepath.Join(c.dir, "summary.json"))
	if int(s.Pages) != pages || s.Failed != 0 || s.Retries != 0 || s.Records["page"] != int64(pages) {
		t.Errorf("want %d pages and no failure, the summary says %+v", pages, s)
	}
	for key, n := range keysOf(t, filepath.Join(c.dir, "page.jsonl")) {
		if n != 1 {
			t.Errorf("record %s was written %d times", key, n)
		}
	}
	return s
}

// limited runs amble under limits of the shell.
func (c *fixtureCrawl) limited(t *testing.T, limits string, args ...string) (out string, err error) {
	t.Helper()
	args = append([]string{"-c", limits + "; exec \"$@\"", "sh", "amble", "run", c.config, "--summary", filepath.Join(c.dir, "summary.json")}, args...)
	b, err := exec.CommandContext(t.Context(), "sh", args...).CombinedOutput()
	return string(b), err
}

// TestFewFiles runs a crawl of many hosts where few files may be open: it makes
// do with fewer connections, and no host and no URL pays for it.
func TestFewFiles(t *testing.T) {
	t.Parallel()
	const hosts, pages = 120, 4
	c := newSyntheticCrawl(t, synthetic.Options{Hosts: hosts, Pages: pages, Size: 2000, Links: 4, Latency: 20 * time.Millisecond})
	out, err := c.limited(t, "ulimit -n 64")
	if err != nil {
		t.Fatalf("with 64 files: %v\n%s", err, out)
	}
	if !strings.Contains(out, "fewer requests in flight than asked for") {
		t.Errorf("it does not say that it goes slower:\n%s", out)
	}
	c.gotAll(t, hosts*pages)
	out, err = c.limited(t, "ulimit -n 30")
	if want := "this process may have 30 files open, and the crawl needs 36: raise the limit (ulimit -n)"; err == nil || !strings.Contains(out, want) {
		t.Errorf("with 30 files: %v\n%s", err, out)
	}
	tell(t, "pages fetched with 64 files to open", hosts*pages)
}
