package cmd

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// lampShop is a site with a list in pages, details that redirect, and a search by POST.
func lampShop(asked *sync.Map) http.Handler {
	mux := http.NewServeMux()
	page := func(w http.ResponseWriter, body string) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = fmt.Fprint(w, body)
	}
	mux.HandleFunc("GET /lamps", func(w http.ResponseWriter, r *http.Request) {
		n := "1"
		next := `<a class=next href="?page=2">next</a>`
		if r.URL.Query().Get("page") == "2" {
			n, next = "2", ""
		}
		page(w, `<h1>Shelf `+n+`</h1><div class=row><a href=/l/`+n+`0>lamp</a> <i class=note>bright</i></div>
			<div class=row><a href=/l/`+n+`1>lamp</a></div>`+next+`<a href=/imprint>imprint</a>
			<form class=search method=post action=/find><input name=q><input type=hidden name=t value=1></form>`)
	})
	mux.HandleFunc("GET /l/{n}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/lamp/"+r.PathValue("n"), http.StatusMovedPermanently)
	})
	mux.HandleFunc("GET /lamp/{n}", func(w http.ResponseWriter, r *http.Request) { page(w, "<h1>Lamp "+r.PathValue("n")+"</h1>") })
	mux.HandleFunc("POST /find", func(w http.ResponseWriter, r *http.Request) {
		if r.PostFormValue("q") == "floor" {
			http.Redirect(w, r, "/found?q=floor", http.StatusSeeOther)
			return
		}
		page(w, "<h1>"+r.PostFormValue("q")+"</h1><ul><li>a<li>b</ul>")
	})
	mux.HandleFunc("GET /found", func(w http.ResponseWriter, r *http.Request) { page(w, "<h1>"+r.URL.Query().Get("q")+"</h1>") })
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		line := r.Method + " " + r.URL.RequestURI()
		if r.Method == http.MethodPost {
			line += " " + r.PostFormValue("q") + r.PostFormValue("t")
		}
		n, _ := asked.LoadOrStore(line, new(atomic.Int64))
		n.(*atomic.Int64).Add(1)
		mux.ServeHTTP(w, r)
	})
}

// The links of the page on selectors lead where it says, with what they carry.
func TestLinkRulesOfTheDocs(t *testing.T) {
	t.Parallel()
	var asked sync.Map
	server := httptest.NewServer(lampShop(&asked))
	defer server.Close()
	text, err := os.ReadFile(selectorsPage)
	if err != nil {
		t.Fatal(err)
	}
	_, crawl, _ := between(t, string(text), "<!-- links -->\n```yaml\n", "```\n")
	crawl = strings.Replace(crawl, "https://shop.example", server.URL, 1) + "fetch: {allow_private: true}\noutput: [jsonl: \"{type}.jsonl\"]\n"
	crawl = strings.Replace(crawl, "politeness: {", "politeness: {delay: 1ms, ", 1)
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "lamps.yaml"), []byte(crawl), 0o600); err != nil {
		t.Fatal(err)
	}
	amble := func(args ...string) string {
		t.Helper()
		cmd := exec.CommandContext(t.Context(), "amble", args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("amble %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	amble("run", "lamps.yaml")
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Split(strings.TrimSpace(string(b)), "\n")
		for i, line := range lines {
			lines[i], _, _ = strings.Cut(line, `,"_type"`)
		}
		slices.Sort(lines)
		return strings.Join(lines, "\n")
	}
	if got, want := read("lamp.jsonl"), `{"name":"Lamp 10","note":"bright","shelf":"Shelf 1"
{"name":"Lamp 11","note":null,"shelf":"Shelf 1"
{"name":"Lamp 20","note":"bright","shelf":"Shelf 2"
{"name":"Lamp 21","note":null,"shelf":"Shelf 2"`; got != want {
		t.Errorf("lamps:\n%s\nwant\n%s", got, want)
	}
	if got, want := read("hit.jsonl"), `{"query":"desk","names":["a","b"]
{"query":"floor","names":null`; got != want {
		t.Errorf("hits:\n%s\nwant\n%s", got, want)
	}
	var requests []string
	asked.Range(func(line, n any) bool {
		if requests = append(requests, line.(string)); n.(*atomic.Int64).Load() != 1 {
			t.Errorf("%s was asked for %d times", line, n.(*atomic.Int64).Load())
		}
		return true
	})
	slices.Sort(requests)
	if got := strings.Join(requests, "\n"); !strings.Contains(got, "POST /find desk1\nPOST /find floor1") || strings.Contains(got, "imprint") {
		t.Errorf("the site was asked for\n%s", got)
	}
	if out := amble("explain", "lamps.yaml", server.URL+"/find", "--method", "POST", "--data", "q=desk&t=1", "--offline"); !regexp.MustCompile(`(?m)^method +POST, with a body of 10 bytes$(?s:.*)^frontier +settled as fetched`).MatchString(out) {
		t.Errorf("explain says\n%s", out)
	}
	if out := amble("state", "export-urls", "lamps.yaml", "--format", "jsonl"); strings.Count(out, `"method":"POST"`) != 2 || strings.Contains(out, "left out") {
		t.Errorf("export-urls says\n%s", out)
	}
	if out := amble("try", "lamps.yaml", server.URL+"/lamps"); !strings.Contains(out, "POST "+server.URL+"/find") || !strings.Contains(out, "to lamp") {
		t.Errorf("try says\n%s", out)
	}
	amble("audit", ".amble/lamps")
}
