package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/amblecrawl/amble/cmd/exit"
)

// TestPagePolicy crawls pages that say what may be done with them, and judges
// by what was requested and recorded.
func TestPagePolicy(t *testing.T) {
	t.Parallel()
	pages := map[string]string{
		"/":               `<a href="/nofollow">a</a><a href="/header">b</a><a href="/noindex">c</a><a href="/denied">d</a><a rel="nofollow" href="/rel">e</a>`,
		"/nofollow":       `<meta name="robots" content="nofollow"><a href="/beyond-meta">x</a>`,
		"/header":         `<a href="/beyond-header">x</a>`,
		"/noindex":        `<meta name="policybot" content="noindex"><a href="/beyond-noindex">x</a>`,
		"/beyond-noindex": ``, "/denied": ``, "/rel": ``, "/beyond-meta": ``, "/beyond-header": ``,
	}
	var mu sync.Mutex
	var requested []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		requested = append(requested, r.URL.Path)
		mu.Unlock()
		switch r.URL.Path {
		case "/robots.txt":
			_, _ = fmt.Fprint(w, "User-agent: *\nContent-Signal: search=yes, ai-train=no\nAllow: /\n")
			return
		case "/header":
			w.Header().Set("X-Robots-Tag", "policybot: nofollow")
		case "/denied":
			w.Header().Set("Content-Usage", "train-ai=n, search=n")
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, "<title>t</title>"+pages[r.URL.Path])
	}))
	defer server.Close()

	crawl := func(policy string) (recorded map[string]string) {
		dir := t.TempDir()
		config := filepath.Join(dir, "policy.yaml")
		text := fmt.Sprintf(`
seeds: [%s/]
politeness: {agent: policybot, contact: https://me.example, delay: 1ms, %s}
fetch: {allow_private: true}
extract: {page: {fields: {title: title}}}
output: [{jsonl: out.jsonl}]
`, server.URL, policy)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		mu.Lock()
		requested = nil
		mu.Unlock()
		if out, err := exec.CommandContext(t.Context(), "amble", "run", config).CombinedOutput(); err != nil {
			t.Fatalf("amble run: %v\n%s", err, out)
		}
		data, err := os.ReadFile(filepath.Join(dir, "out.jsonl"))
		if err != nil {
			t.Fatal(err)
		}
		recorded = map[string]string{}
		for line := range bytes.Lines(data) {
			var r struct{ URL, Usage string }
			var raw map[string]string
			if err := json.Unmarshal(line, &raw); err != nil {
				t.Fatal(err)
			}
			r.URL, r.Usage = raw["_url"], raw["_usage"]
			recorded[r.URL[len(server.URL):]] = r.Usage
		}
		if out, err := exec.CommandContext(t.Context(), "amble", "audit", filepath.Join(dir, ".amble", "policy")).CombinedOutput(); err != nil {
			t.Errorf("amble audit: %v\n%s", err, out)
		}
		return recorded
	}

	got := crawl("nofollow: obey")
	seen := func(path string) bool {
		mu.Lock()
		defer mu.Unlock()
		return slices.Contains(requested, path)
	}
	for path := range pages {
		beyond := path == "/beyond-meta" || path == "/beyond-header"
		if _, ok := got[path]; ok == beyond {
			t.Errorf("by default: record of %s: %v", path, ok)
		}
		if seen(path) == beyond {
			t.Errorf("by default: %s requested: %v", path, !beyond)
		}
	}
	if usage := got["/rel"]; !bytes.Contains([]byte(usage), []byte("ai-train=no")) || !bytes.Contains([]byte(usage), []byte("search=yes")) {
		t.Errorf("_usage is %q", usage)
	}

	got = crawl("nofollow: ignore, rel_nofollow: skip, noindex: drop, usage: {search: respect}")
	for path := range pages {
		_, ok := got[path]
		if want := path != "/rel" && path != "/noindex" && path != "/denied"; ok != want {
			t.Errorf("with a policy: record of %s: %v", path, ok)
		}
	}
	if seen("/rel") || !seen("/beyond-noindex") {
		t.Error("with a policy the wrong links were followed")
	}

	// A use that robots.txt denies keeps the pages from being fetched at all.
	dir := t.TempDir()
	config := filepath.Join(dir, "train.yaml")
	text := fmt.Sprintf("seeds: [%s/]\npoliteness: {agent: policybot, contact: https://me.example, usage: {ai-train: respect}}\nfetch: {allow_private: true}\n", server.URL)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	requested = nil
	mu.Unlock()
	cmd := exec.CommandContext(t.Context(), "amble", "run", config)
	out, _ := cmd.CombinedOutput()
	mu.Lock()
	defer mu.Unlock()
	if cmd.ProcessState.ExitCode() != exit.Nothing || !bytes.Contains(out, []byte("ai-train")) || !slices.Equal(requested, []string{"/robots.txt"}) {
		t.Errorf("exit %d, %v requested:\n%s", cmd.ProcessState.ExitCode(), requested, out)
	}
}
