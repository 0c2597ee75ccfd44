package dashboard

import (
	"bytes"
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/amblecrawl/amble/crawler/history"
)

// The description names every address of the API, and what these answer is as it says.
func TestDescription(t *testing.T) {
	w := newWorld(t, nil)
	var told struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(description, &told); err != nil {
		t.Fatal(err)
	}
	for pattern := range w.api() {
		method, path, _ := strings.Cut(pattern, " ")
		if told.Paths[path][strings.ToLower(method)] == nil {
			t.Errorf("%s is not described", pattern)
		}
	}
	known := 0
	for _, methods := range told.Paths {
		for method := range methods {
			if method != "parameters" {
				known++
			}
		}
	}
	if known != len(w.api()) {
		t.Errorf("%d addresses are described, there are %d", known, len(w.api()))
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(description))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("http://amble.example/openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	fits := func(method, path, within string) {
		t.Helper()
		schema, err := c.Compile("http://amble.example/openapi.json#" + within)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := jsonschema.UnmarshalJSON(w.ask(method, path).Body)
		if err == nil {
			err = schema.Validate(answer)
		}
		if err != nil {
			t.Errorf("%s %s: %v", method, path, err)
		}
	}
	const schemas = "/components/schemas/"
	fits("GET", "/api/v1/crawls", "/paths/~1api~1v1~1crawls/get/responses/200/content/application~1json/schema")
	fits("GET", "/api/v1/crawls/books", schemas+"Crawl")
	fits("GET", "/api/v1/crawls/daily", schemas+"Crawl")
	fits("POST", "/api/v1/crawls/quiet/pause", schemas+"Crawl")
	fits("POST", "/api/v1/crawls/books/start", schemas+"Problem")
	fits("GET", "/api/v1/runs", "/paths/~1api~1v1~1runs/get/responses/200/content/application~1json/schema")
	fits("GET", "/api/v1/runs/1", schemas+"Run")
	fits("GET", "/api/v1/runs/99", schemas+"Problem")
	fits("GET", "/api/v1/crawls/books/host?origin="+shop, schemas+"HostAccount")
	fits("GET", "/api/v1/crawls/books/host?origin=http://nobody.example", schemas+"Problem")
	fits("POST", "/api/v1/crawls/books/alerts/test", schemas+"Sent")
	fits("POST", "/api/v1/crawls/quiet/alerts/test", schemas+"Problem")
	fits("GET", "/api/v1/runs?limit=x", schemas+"Problem")
}

// A wrong method is told which are right, as far as there are any.
func TestMethods(t *testing.T) {
	w := newWorld(t, nil)
	for _, c := range []struct {
		method, path string
		want         int
		allow        string
	}{
		{"POST", "/api/v1/crawls", 405, "GET, HEAD"},
		{"DELETE", "/api/v1/runs/1", 405, "GET, HEAD"},
		{"GET", "/api/v1/crawls/quiet/start", 405, "POST"},
		{"PUT", "/login", 405, "GET, HEAD, POST"},
		{"OPTIONS", "/metrics", 405, "GET, HEAD"},
		{"POST", "/", 405, "GET, HEAD"},
		{"DELETE", "/api/v1/nothing", 404, ""},
		{"HEAD", "/api/v1/crawls", 200, ""},
	} {
		answer := w.ask(c.method, c.path)
		if got := answer.Header().Get("Allow"); answer.Code != c.want || got != c.allow {
			t.Errorf("%s %s: %d, Allow %q", c.method, c.path, answer.Code, got)
		}
	}
}

func TestCommands(t *testing.T) {
	w := newWorld(t, nil)
	for _, c := range []struct {
		path string
		want int
		held string // of the answer
	}{
		{"/api/v1/crawls/books/start", 409, "running already"},
		{"/api/v1/crawls/nobody/start", 404, "no such crawl"},
		{"/api/v1/crawls/quiet/stop", 409, "not running"},
		{"/api/v1/crawls/quiet/pause", 202, `"state":"paused"`},
		{"/api/v1/crawls/quiet/resume", 202, `"state":"manual"`},
		{"/api/v1/crawls/books/alerts/test", 200, "1 of 2 alerts were taken"},
		{"/api/v1/crawls/quiet/alerts/test", 409, "no alerts"},
		{"/api/v1/crawls/nobody/alerts/test", 404, "no such crawl"},
		{"/api/v1/crawls/books/stop", 202, `"name":"books"`},
	} {
		rec := w.ask("POST", c.path)
		expect(t, c.path, rec, c.want)
		if !strings.Contains(rec.Body.String(), c.held) {
			t.Errorf("%s: %s", c.path, rec.Body)
		}
	}
	waitFor(t, "the run to be stopped", func() bool { return w.status("books").Running == 0 })
	rec := w.ask("GET", "/api/v1/runs?crawl=books&limit=5")
	var runs struct{ Runs []history.Run }
	if err := json.Unmarshal(rec.Body.Bytes(), &runs); err != nil || len(runs.Runs) != 1 || runs.Runs[0].Status != history.Stopped {
		t.Errorf("%s %v", rec.Body, err)
	}
	rec = w.ask("POST", "/api/v1/crawls/quiet/start", "Accept: text/html", "Referer: http://127.0.0.1:7733/crawls/quiet?x=1", "Sec-Fetch-Site: same-origin")
	expect(t, "a form", rec, 303)
	if to := rec.Header().Get("Location"); to != "/crawls/quiet?x=1" {
		t.Errorf("a form leads to %s", to)
	}
}

// What a site says is nowhere markup, and secrets are nowhere.
func TestHostileTextIsInert(t *testing.T) {
	w := newWorld(t, nil)
	waitFor(t, "records to be seen", func() bool { return len(w.live("books").Latest) > 0 })
	handlers := regexp.MustCompile(`<[^>]*\son\w+=|<img|javascript:`)
	for _, path := range []string{"/", "/?q=%3Cscript%3E", "/crawls/books", "/crawls/daily", "/crawls/daily/config", "/crawls/books/host?origin=" + shop, "/crawls/books/host?origin=%3Cscript%3E", "/runs/1", "/runs/2", "/nothing", "/crawls/%3Cscript%3E", "/login?next=%22%3E%3Cscript%3E"} {
		text := w.ask("GET", path, "Accept: text/html").Body.String()
		if n := strings.Count(text, "<script"); n != 1 || handlers.MatchString(text) {
			t.Errorf("%s: %d scripts, or a handler, in\n%s", path, n, text)
		}
		if strings.Contains(text, "hunter2") {
			t.Errorf("%s tells a secret", path)
		}
		if strings.Contains(text, "{{.}}") != strings.Contains(text, "onerror") {
			t.Errorf("%s: a template in a text was filled in", path)
		}
	}
	for path, held := range map[string]string{"/crawls/books": "window.pwned", "/runs/1": "window.pwned", "/crawls/daily/config": "window.pwned"} {
		if text := w.ask("GET", path).Body.String(); !strings.Contains(text, held) {
			t.Errorf("%s does not show what there is", path)
		}
	}
	if text := w.ask("GET", "/api/v1/crawls/books").Body.String(); strings.Contains(text, "hunter2") || !strings.Contains(text, "${KEY}") || len(text) > 1<<14 {
		t.Errorf("%d bytes: %s", len(text), clip(text, 2000))
	}
}

func TestMetrics(t *testing.T) {
	w := newWorld(t, nil)
	text := w.ask("GET", "/metrics").Body.String()
	for _, line := range []string{
		`amble_crawl_running{crawl="books"} 1`, `amble_crawl_running{crawl="quiet"} 0`, `amble_crawl_queued{crawl="books"} 77`,
		`amble_crawl_runs_total{crawl="daily",status="failed"} 1`, `amble_crawl_last_run_success{crawl="daily"} 0`,
		`amble_crawl_outcomes_total{class="http_4xx",crawl="books"} `, "go_goroutines ",
	} {
		if !strings.Contains(text, line) {
			t.Errorf("there is no %s in\n%s", line, text)
		}
	}
	grafana, err := os.ReadFile("../../docs/deploy/grafana.json")
	if err != nil || !json.Valid(grafana) {
		t.Fatal(err)
	}
	for _, name := range regexp.MustCompile(`amble_crawl_\w+`).FindAllString(string(grafana), -1) {
		if !strings.Contains(text, "\n"+name+"{") {
			t.Errorf("the Grafana dashboard asks for %s", name)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^amble_\w+\{(.*?)\}`).FindAllStringSubmatch(text, -1) {
		if !regexp.MustCompile(`^((class|status)="[a-z0-9_]+",)?crawl="[a-z]+"(,(class|status)="[a-z0-9_]+")?$`).MatchString(m[1]) {
			t.Errorf("a label that a site could make up: %s", m[1])
		}
	}
}
