package cmd

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// What sitemaps say of pages counts in a plan as it does in the run behind it: pages that
// were modified are due although it is not their time, others are not although it is.
func TestPlanHeedsLastmod(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		lastmod  func(page int) time.Time
		interval string // from one visit to the next, by what is known of a page alone
		ignore   bool
		due      int
	}{
		"modified since":     {func(n int) time.Time { return time.Now().Add(time.Duration(n%2*2-1) * time.Hour) }, "24h", false, 5},
		"not modified since": {func(n int) time.Time { return time.Now().Add(time.Duration(-n-1) * time.Hour) }, "1s", false, 0},
		"all the same":       {func(int) time.Time { return time.Unix(4e9, 0) }, "24h", false, 0},
		"ignored":            {func(n int) time.Time { return time.Now().Add(time.Duration(n) * time.Hour) }, "24h", true, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var asked atomic.Int64
			var second atomic.Bool
			var server *httptest.Server
			server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == "/robots.txt":
					http.NotFound(w, r)
				case r.URL.Path == "/sitemap.xml":
					w.Header().Set("Content-Type", "application/xml")
					_, _ = fmt.Fprint(w, `<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">`)
					for i := range 10 {
						said := ""
						if second.Load() {
							said = "<lastmod>" + c.lastmod(i).UTC().Format(time.RFC3339) + "</lastmod>"
						}
						_, _ = fmt.Fprintf(w, "<url><loc>%s/%d</loc>%s</url>", server.URL, i, said)
					}
					_, _ = fmt.Fprint(w, "</urlset>")
				default:
					asked.Add(1)
					w.Header().Set("Content-Type", "text/html")
					_, _ = fmt.Fprintf(w, "<h1>%s</h1>", r.URL.Path)
				}
			}))
			defer server.Close()
			dir := t.TempDir()
			lastmod := ""
			if c.ignore {
				lastmod = ", lastmod: ignore"
			}
			text := fmt.Sprintf(`
name: shop
seeds: [{sitemap: "%s/sitemap.xml"}]
extract: {page: {fields: {title: {css: h1}}}}
politeness: {contact: https://me.example, delay: 0s}
fetch: {allow_private: true}
revisit: {mode: adaptive, output: changes, min_interval: %s, max_age: {/sitemap.xml: 1s}%s}
`, server.URL, c.interval, lastmod)
			if err := os.WriteFile(filepath.Join(dir, "crawl.yaml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			run := func(args ...string) []byte {
				cmd := exec.CommandContext(t.Context(), "amble", args...)
				cmd.Dir = dir
				var said strings.Builder
				cmd.Stderr = &said
				out, err := cmd.Output()
				if err != nil {
					t.Fatalf("amble %q: %v\n%s", args, err, &said)
				}
				return out
			}
			run("run", "crawl.yaml")
			time.Sleep(1200 * time.Millisecond) // an interval of a second is over
			second.Store(true)
			var planned struct {
				Revisit struct{ Known, Due, New int64 }
			}
			if err := json.Unmarshal(run("plan", "crawl.yaml", "--json"), &planned); err != nil {
				t.Fatal(err)
			}
			before := asked.Load()
			run("run", "crawl.yaml")
			n := asked.Load() - before
			due := planned.Revisit.Due - 1 // but for the sitemap, which is known as well
			if n != int64(c.due) || due != n || planned.Revisit.New != 0 {
				t.Errorf("the run asks for %d pages, want %d; the plan says %+v", n, c.due, planned.Revisit)
			}
		})
	}
}
