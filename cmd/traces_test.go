package cmd

import (
	"compress/gzip"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	service "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	spans "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/amblecrawl/amble/crawler/tracing"
)

// otlp is a collector that keeps the spans it is sent.
type otlp struct {
	*httptest.Server
	mu      sync.Mutex
	spans   []*spans.Span
	service string
}

func newCollector(t *testing.T) *otlp {
	t.Helper()
	c := &otlp{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in io.Reader = r.Body
		if r.Header.Get("Content-Encoding") == "gzip" {
			z, err := gzip.NewReader(r.Body)
			if err != nil {
				t.Error(err)
				return
			}
			in = z
		}
		body, err := io.ReadAll(in)
		var sent service.ExportTraceServiceRequest
		if err == nil {
			err = proto.Unmarshal(body, &sent)
		}
		if err != nil || r.URL.Path != "/v1/traces" || r.Header.Get("Content-Type") != "application/x-protobuf" {
			t.Errorf("%s %s: %v", r.URL.Path, r.Header.Get("Content-Type"), err)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		for _, rs := range sent.ResourceSpans {
			for _, a := range rs.Resource.Attributes {
				if a.Key == "service.name" {
					c.service = a.Value.GetStringValue()
				}
			}
			for _, ss := range rs.ScopeSpans {
				c.spans = append(c.spans, ss.Spans...)
			}
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(c.Close)
	return c
}

func attributeOf(s *spans.Span, key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

// A run and its requests are told to a collector: each request with what it waited for,
// in its own trace, and no more of them than is promised.
func TestTraces(t *testing.T) {
	t.Parallel()
	var busy atomic.Bool
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		switch r.URL.Path {
		case "/":
			for i := range 60 {
				fmt.Fprintf(w, "<a href=/%d>x</a>", i)
			}
		case "/7":
			w.WriteHeader(http.StatusNotFound)
		case "/9":
			if busy.CompareAndSwap(false, true) {
				w.Header().Set("Retry-After", "1")
				w.WriteHeader(http.StatusTooManyRequests)
			}
		}
		fmt.Fprintf(w, "<h1>%s</h1>", r.URL.Path)
	}))
	defer web.Close()
	dir := t.TempDir()
	config := filepath.Join(dir, "traced.yaml")
	if err := os.WriteFile(config, []byte("seeds: ['"+web.URL+"/?key=${KEY}']\npoliteness: {contact: a@b.example, delay: 10ms}\nfetch: {allow_private: true}\n"+
		"extract: {page: {fields: {title: {css: h1}}}}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := newCollector(t)
	cmd := exec.Command("amble", "run", config, "--trace", c.URL)
	cmd.Env = append(os.Environ(), "KEY=hunter2hunter2", "OTEL_SERVICE_NAME=crawls")
	began := time.Now()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	most := tracing.PerSecond * int(2+time.Since(began).Seconds())
	c.mu.Lock()
	defer c.mu.Unlock()
	byTrace, named := map[string][]*spans.Span{}, map[string]int{}
	var run *spans.Span
	for _, s := range c.spans {
		byTrace[string(s.TraceId)] = append(byTrace[string(s.TraceId)], s)
		named[s.Name]++
		if s.Name == "run traced" {
			run = s
		}
		if strings.Contains(s.String(), "hunter2") {
			t.Errorf("a secret is told: %v", s)
		}
		if s.EndTimeUnixNano < s.StartTimeUnixNano {
			t.Errorf("%s ends before it begins", s.Name)
		}
	}
	if run == nil || attributeOf(run, "amble.status") != "finished" || c.service != "crawls" {
		t.Fatalf("service %q, the run: %v", c.service, run)
	}
	if why := waitedFor(c.spans); why["delay, by config delay"] == 0 || why["robots.txt"] == 0 || why["Retry-After"] == 0 {
		t.Errorf("requests are said to have waited for %v", why)
	}
	if n := named["request"]; n < 10 || n > most || named["robots.txt"] != 1 {
		t.Errorf("%d requests are told of, at most %d may be: %v", n, most, named)
	}
	whole := 0
	for _, trace := range byTrace {
		whole += checkTrace(t, trace, run)
	}
	if whole < 10 || named["connect"] == 0 || named["commit"] != named["request"] {
		t.Errorf("%d requests are told of from the wait to the commit, which all have: %v", whole, named)
	}
}

// waitedFor counts what requests are said to have waited for in the queue.
func waitedFor(all []*spans.Span) map[string]int {
	why := map[string]int{}
	for _, s := range all {
		for _, a := range s.Attributes {
			if s.Name == "queue" && a.Key == "amble.waited_for" {
				for _, v := range a.Value.GetArrayValue().GetValues() {
					why[v.GetStringValue()]++
				}
			}
		}
	}
	return why
}

// checkTrace looks at the trace of a request, and gives 1 where it has all parts.
func checkTrace(t *testing.T, trace []*spans.Span, run *spans.Span) int {
	t.Helper()
	parts := map[string]bool{}
	var request *spans.Span
	for _, s := range trace {
		if len(s.ParentSpanId) == 0 {
			if request != nil {
				t.Errorf("two roots: %s and %s", request.Name, s.Name)
			}
			request = s
			continue
		}
		parts[s.Name] = true
	}
	if request == nil || request == run {
		return 0
	}
	if len(request.Links) != 1 || string(request.Links[0].SpanId) != string(run.SpanId) {
		t.Errorf("%s is not linked to its run", request.Name)
	}
	if failed := request.Status.GetCode() == spans.Status_STATUS_CODE_ERROR; failed != strings.HasSuffix(attributeOf(request, "url.full"), "/7") && !strings.HasSuffix(attributeOf(request, "url.full"), "/9") {
		t.Errorf("%s %s: %v", request.Name, attributeOf(request, "url.full"), request.Status)
	}
	if request.Name == "request" && attributeOf(request, "server.address") != "127.0.0.1" {
		t.Errorf("%v", request.Attributes)
	}
	for _, part := range []string{"queue", "politeness wait", "wait for the answer", "body", "extract", "commit"} {
		if !parts[part] {
			return 0
		}
	}
	return 1
}

// A collector that is not there, or never answers, costs a crawl nothing; an endpoint
// that is none is a mistake.
func TestTracesHoldNobodyUp(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<h1>x</h1>") }))
	defer web.Close()
	dead, err := net.Listen("tcp", "127.0.0.1:0") // it accepts and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer dead.Close()
	dir := t.TempDir()
	for name, c := range map[string]struct {
		endpoint string
		code     int
	}{"silent": {"http://" + dead.Addr().String(), 0}, "gone": {"http://127.0.0.1:9", 0}, "none": {"collector", 2}, "other": {"ftp://127.0.0.1", 2}} {
		config := filepath.Join(dir, name+".yaml")
		if err := os.WriteFile(config, []byte("seeds: ['"+web.URL+"/']\npoliteness: {contact: a@b.example, delay: 1ms}\nfetch: {allow_private: true}\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("amble", "run", config, "--trace", c.endpoint)
		out, _ := cmd.CombinedOutput() // its status says it
		if cmd.ProcessState.ExitCode() != c.code {
			t.Errorf("%s: exit status %d, want %d\n%s", name, cmd.ProcessState.ExitCode(), c.code, out)
		}
	}
}
