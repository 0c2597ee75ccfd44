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
	"testing"

	"github.com/amblecrawl/amble/politeness/ledger"
)

// TestWhatPagesAsk crawls pages that ask not to be kept, that name another page
// as theirs, and that are malformed in what they ask.
func TestWhatPagesAsk(t *testing.T) {
	t.Parallel()
	pages := []struct {
		path, head, header string // header is "Name: value"
		kept               bool
		usage              string // is part of _usage
		reason             string // is part of the ledger's line
	}{
		{path: "/plain", kept: true},
		{path: "/noarchive", head: `<meta name=robots content=noarchive>`, reason: "noarchive (meta robots)"},
		{path: "/nocache", header: "X-Robots-Tag: nocache"},
		{path: "/past", head: `<meta name=robots content="unavailable_after: 25 Jun 2010 15:00:00 PST">`, reason: "unavailable_after 2010-06-25"},
		{path: "/past-by-header", header: "X-Robots-Tag: signbot: unavailable_after: 2010-06-25"},
		{path: "/future", header: "X-Robots-Tag: unavailable_after: 25 Jun 2999 15:00:00 GMT", kept: true, usage: "unavailable_after 2999-06-25T15:00:00Z (X-Robots-Tag)"},
		{path: "/no-date", head: `<meta name=robots content="unavailable_after: soon">`, reason: `"soon" is no date that can be read, so it has passed`},
		{path: "/other-bot", header: "X-Robots-Tag: otherbot: noindex", kept: true},
		{path: "/licence", head: `<base href="/terms/"><link rel="license" type="application/rsl+xml" href="rsl.xml">`, kept: true, usage: "/terms/rsl.xml (RSL, link element)"},
		{path: "/licence-header", header: `Link: <https://l.example/rsl.xml>; rel="license"; type="application/rsl+xml"`, kept: true, usage: "license=https://l.example/rsl.xml (RSL, Link header)"},
		{path: "/broken-usage", header: "Content-Usage: train-ai==", reason: "no dictionary"},
		{path: "/broken-signal", header: "Content-Signal: search", reason: "is no signal"},
		{path: "/broken-tdm", header: "tdm-reservation: maybe", kept: true, usage: "is neither 0 nor 1", reason: "is neither 0 nor 1"},

		{path: "/broken-wait", header: "Retry-After: soon", kept: true, reason: `Retry-After "soon" cannot be read`},

		{path: "/canonical", head: `<link rel="CANONICAL" href="/plain">`},
		{path: "/canonical-header", header: `Link: </plain>; rel="canonical"`},
		{path: "/canonical-by-base", head: `<base href="/x/"><link rel=canonical href="../plain">`},
		{path: "/canonical-self", head: `<link rel=canonical href="/canonical-self#top">`, kept: true},
		{path: "/canonical-away", head: `<link rel=canonical href="https://away.example/">`, kept: true},
		{path: "/canonical-two", head: `<link rel=canonical href="/plain"><link rel=canonical href="/future">`, kept: true},
		{path: "/canonical-bad", head: `<link rel=canonical href="http://[">`, header: `Link: </plain; rel=canonical`, kept: true},
		{path: "/canonical-mail", head: `<link rel=canonical href="mailto:a@b.example">`, kept: true},
		{path: "/canonical-anchor", header: `Link: </plain>; rel=canonical; anchor="/other"`, kept: true},
		{path: "/canonical-nofollow", head: `<meta name=robots content=nofollow><link rel=canonical href="/only-by-canonical">`, kept: true},
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/robots.txt" {
			w.WriteHeader(http.StatusNotFound)
		}
		for _, p := range pages {
			if r.URL.Path == "/" {
				_, _ = fmt.Fprintf(w, "<a href=%q>x</a>", p.path)
			}
			if r.URL.Path == p.path {
				if name, value, ok := strings.Cut(p.header, ": "); ok {
					w.Header().Set(name, value)
				}
				_, _ = fmt.Fprintf(w, "<title>t</title>%s<body>", p.head)
			}
		}
	}))
	defer server.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "signs.yaml")
	text := fmt.Sprintf("seeds: [%s/]\nscope: {canonical: only}\npoliteness: {agent: signbot, contact: https://me.example, delay: 1ms, noindex: drop, noarchive: drop, usage: {search: respect}}\n"+
		"fetch: {allow_private: true}\nextract: {page: {fields: {title: title}}}\noutput: [{jsonl: out.jsonl}]\n", server.URL)
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
	records, reasons := map[string]string{}, map[string]string{}
	for line := range strings.Lines(string(data)) {
		var raw map[string]string
		if err := json.Unmarshal([]byte(line), &raw); err != nil {
			t.Fatal(err)
		}
		records[strings.TrimPrefix(raw["_url"], server.URL)] = raw["_usage"] + " "
	}
	for e, err := range ledger.Read(filepath.Join(dir, ".amble", "signs", "ledger")) {
		if err != nil {
			t.Fatal(err)
		}
		reasons[strings.TrimPrefix(e.URL, server.URL)] = e.Reason
	}
	for _, p := range pages {
		usage, kept := records[p.path]
		if kept != p.kept || !strings.Contains(usage, p.usage) || !strings.Contains(reasons[p.path], p.reason) {
			t.Errorf("%s: kept %v with _usage %q, the ledger says %q", p.path, kept, usage, reasons[p.path])
		}
	}
	if _, asked := reasons["/only-by-canonical"]; asked {
		t.Error("the canonical link of a page with nofollow was followed")
	}
}
