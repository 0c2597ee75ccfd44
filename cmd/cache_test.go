package cmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// A second run asks for nothing that its cache holds, for what must be validated with
// conditions, and gives the same records. What was not sent costs the host no time, and
// stands in the ledger as that.
func TestCache(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	asked := map[string]int{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		what := r.URL.Path
		if r.Header.Get("If-None-Match") != "" {
			what += " if"
		}
		asked[what]++
		switch {
		case r.URL.Path == "/robots.txt":
			_, _ = fmt.Fprint(w, "User-agent: *\nDisallow: /private\n")
			return
		case strings.HasPrefix(r.URL.Path, "/tag/"):
			w.Header().Set("Etag", `"1"`)
			if r.Header.Get("If-None-Match") == `"1"` {
				w.WriteHeader(http.StatusNotModified)
				return
			}
		case r.URL.Path == "/moved":
			w.Header().Set("Cache-Control", "max-age=3600")
			http.Redirect(w, r, "/fresh/2", http.StatusMovedPermanently)
			return
		default:
			w.Header().Set("Cache-Control", "max-age=3600")
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprintf(w, "<title>%s</title>", r.URL.Path)
		for i := range 8 {
			_, _ = fmt.Fprintf(w, `<a href="/fresh/%d"></a><a href="/tag/%d"></a><a href="/moved"></a><a href="/private"></a>`, i, i)
		}
	}))
	defer server.Close()
	dir := t.TempDir()
	text := fmt.Sprintf("name: cached\nseeds: [%q]\npoliteness: {contact: https://me.example, delay: 0s}\nfetch: {allow_private: true, cache: cache}\nextract: {page: {fields: {title: title}}}\n", server.URL)
	if err := os.WriteFile(filepath.Join(dir, "c.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	amble := func(args ...string) ([]byte, map[string]any) {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "amble", args...)
		cmd.Dir = dir
		out, err := cmd.Output()
		if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
			t.Fatalf("amble %q: %v\n%s%s", args, err, out, exit.Stderr)
		}
		var summary map[string]any
		_ = json.Unmarshal(out, &summary)
		return out, summary
	}
	_, first := amble("run", "c.yaml", "--json")
	mu.Lock()
	before := len(asked)
	mu.Unlock()
	_, second := amble("run", "c.yaml", "--json")
	mu.Lock()
	all := maps.Clone(asked)
	mu.Unlock()
	for what, n := range all {
		conditional := strings.HasPrefix(what, "/tag/") && strings.HasSuffix(what, " if")
		if n != 1 || len(all) != before+8 || strings.HasSuffix(what, " if") && !conditional {
			t.Errorf("%s was asked for %d times", what, n)
		}
	}
	for _, same := range []string{"pages", "records", "redirected", "disallowed", "failed", "fetched"} {
		if fmt.Sprint(first[same]) != fmt.Sprint(second[same]) {
			t.Errorf("%s: %v, from the cache %v", same, first[same], second[same])
		}
	}
	if second["requests"] != 8.0 || first["requests"] == 8.0 || fmt.Sprint(second["records"]) != "map[page:17]" {
		t.Errorf("%v requests after %v; %v", second["requests"], first["requests"], second["records"])
	}
	out, _ := amble("audit", ".amble/cached")
	if !strings.Contains(string(out), " 0 violations") {
		t.Errorf("%s", out)
	}
	if out, _ := amble("explain", "c.yaml", server.URL+"/fresh/1"); !strings.Contains(string(out), "from the cache") {
		t.Errorf("%s", out)
	}
}
