package cmd

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/amblecrawl/amble/politeness/ledger"
)

// tdmPath is where a host has its tdmrep.json.
const tdmPath = "/.well-known/tdmrep.json"

// tdmSite serves a host with a tdmrep.json and counts what it is asked for.
type tdmSite struct {
	*httptest.Server
	mu   sync.Mutex
	seen []string
}

func newTDMSite(t *testing.T, robots string, file http.HandlerFunc) *tdmSite {
	s := &tdmSite{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.seen = append(s.seen, r.URL.Path)
		s.mu.Unlock()
		switch r.URL.Path {
		case "/robots.txt":
			_, _ = fmt.Fprint(w, robots)
		case tdmPath:
			file(w, r)
		default:
			w.Header().Set("Content-Type", "text/html")
			_, _ = fmt.Fprint(w, `<title>t</title><a href="/open/1">a</a><a href="/reserved/1">b</a>`)
		}
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *tdmSite) asked(path string) (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.seen {
		if p == path {
			n++
		}
	}
	return n
}

// crawlTDM crawls sites under a policy and gives the _usage of each page that
// gave a record, by its URL, and the reasons for what was withheld, by host. The
// state stays in dir.
func crawlTDM(t *testing.T, dir, policy string, sites ...*tdmSite) (records, withheld map[string]string) {
	t.Helper()
	var seeds []string
	for _, s := range sites {
		seeds = append(seeds, s.URL+"/")
	}
	config := filepath.Join(dir, "tdm.yaml")
	text := fmt.Sprintf("seeds: [%s]\npoliteness: {contact: https://me.example, delay: 1ms, %s}\nfetch: {allow_private: true, retries: 0}\n"+
		"extract: {page: {fields: {title: title}}}\noutput: [{jsonl: out.jsonl}]\n", strings.Join(seeds, ", "), policy)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.CommandContext(t.Context(), "amble", "run", config).CombinedOutput(); err != nil {
		t.Fatalf("amble run: %v\n%s", err, out)
	}
	data, err := os.ReadFile(filepath.Join(dir, "out.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	records, withheld = map[string]string{}, map[string]string{}
	for line := range strings.Lines(string(data)) {
		var raw map[string]string
		if err := json.Unmarshal([]byte(line), &raw); err != nil {
			t.Fatal(err)
		}
		records[raw["_url"]] = raw["_usage"]
	}
	for e, err := range ledger.Read(filepath.Join(dir, ".amble", "tdm", "ledger")) {
		if err != nil {
			t.Fatal(err)
		}
		if e.Withheld {
			withheld[e.URL] = e.Reason
		}
	}
	return records, withheld
}

func serveTDM(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = fmt.Fprint(w, `[{"location": "/reserved/*", "tdm-reservation": 1, "tdm-policy": "https://p.example/"}, {"location": "/", "tdm-reservation": 0}]`)
}

// TestTDMRep crawls a host that reserves mining for a part of itself.
func TestTDMRep(t *testing.T) {
	t.Parallel()
	s := newTDMSite(t, "", serveTDM)
	dir := t.TempDir()
	got, withheld := crawlTDM(t, dir, "usage: {tdm: respect}", s)
	if s.asked(tdmPath) != 1 || s.asked("/reserved/1") != 0 || s.asked("/open/1") != 1 {
		t.Errorf("asked for %q", s.seen)
	}
	if i, j := slices.Index(s.seen, tdmPath), slices.Index(s.seen, "/"); i < 0 || i > j {
		t.Errorf("the file comes after the first page: %q", s.seen)
	}
	if usage := got[s.URL+"/open/1"]; !strings.Contains(usage, "tdm=yes (TDMRep, tdmrep.json rule 2)") || len(got) != 2 {
		t.Errorf("records %q", got)
	}
	if !strings.Contains(withheld[s.URL+"/reserved/1"], "tdmrep.json rule 1") || len(withheld) != 1 {
		t.Errorf("withheld %q", withheld)
	}
	// Another run, another process; here everything is only recorded.
	got, _ = crawlTDM(t, dir, "tdmrep: always", s)
	if s.asked(tdmPath) != 1 {
		t.Errorf("asked for %d times, its copy is good for a day", s.asked(tdmPath))
	}
	if !strings.Contains(got[s.URL+"/reserved/1"], "tdm=no (TDMRep, tdmrep.json rule 1)") {
		t.Errorf("recorded only: %q", got)
	}
	if out, err := exec.CommandContext(t.Context(), "amble", "audit", filepath.Join(dir, ".amble", "tdm")).CombinedOutput(); err != nil {
		t.Errorf("amble audit: %v\n%s", err, out)
	}
}

// TestTDMRepInTrouble crawls hosts whose file cannot be had: what may be
// reserved is left alone, and no crawl ends by it.
func TestTDMRepInTrouble(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name, robots string
		file         http.HandlerFunc
		pages        bool   // are requested
		records      bool   // are made
		reason       string // stands in the account of what was withheld
	}{
		{"not there", "", http.NotFound, true, true, ""},
		{"a page for people", "", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, "<!doctype html><p>Oops") }, true, true, ""},
		{"forbidden", "", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, false, false, "status 403"},
		{"broken", "", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }, false, false, "status 500"},
		{"garbage", "", func(w http.ResponseWriter, _ *http.Request) { _, _ = fmt.Fprint(w, `[{"location": "/x", "tdm-res`) }, false, false, "not a JSON array"},
		{"disallowed", "User-agent: *\nDisallow: /.well-known/\n", serveTDM, false, false, "robots.txt line 2 disallows it"},
		{"needless", "User-agent: *\nContent-Usage: train-ai=n\n", serveTDM, false, false, "Content-Usage, robots.txt line 2"},
		{"elsewhere", "", func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "http://elsewhere.example/", http.StatusFound)
		}, true, false, ""},
		{"here", "", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/open/file", http.StatusFound) }, true, true, ""},
	}
	sites := make([]*tdmSite, len(cases))
	for i, c := range cases {
		sites[i] = newTDMSite(t, c.robots, c.file)
	}
	got, withheld := crawlTDM(t, t.TempDir(), "usage: {ai-train: respect}", sites...)
	for i, c := range cases {
		s := sites[i]
		_, recorded := got[s.URL+"/"]
		if asked := s.asked("/") > 0; asked != c.pages || recorded != c.records {
			t.Errorf("%s: the page is requested %v, recorded %v", c.name, asked, recorded)
		}
		reason, kept := withheld[s.URL+"/"]
		if kept == c.pages || !strings.Contains(reason, c.reason) {
			t.Errorf("%s: the ledger says %q", c.name, reason)
		}
		if want := c.name != "disallowed" && c.name != "needless"; s.asked(tdmPath) > 0 != want {
			t.Errorf("%s: the file is asked for: %v", c.name, !want)
		}
	}
}
