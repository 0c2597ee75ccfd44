package cmd

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler/alert"
	"github.com/amblecrawl/amble/crawler/history"
)

// inbox is a webhook that keeps what it is sent.
type inbox struct {
	*httptest.Server
	mu  sync.Mutex
	got map[string]alert.Message // by crawl and kind
}

func newInbox(t *testing.T) *inbox {
	t.Helper()
	in := &inbox{got: map[string]alert.Message{}}
	in.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var m alert.Message
		body, err := io.ReadAll(r.Body)
		if err == nil {
			err = json.Unmarshal(body, &m)
		}
		if err != nil {
			t.Errorf("%v in %q", err, body)
		}
		in.mu.Lock()
		defer in.mu.Unlock()
		in.got[m.Crawl+" "+string(m.Kind)] = m
	}))
	t.Cleanup(in.Close)
	return in
}

func (in *inbox) message(name string) (m alert.Message, ok bool) {
	in.mu.Lock()
	defer in.mu.Unlock()
	m, ok = in.got[name]
	return m, ok
}

// Each kind of alert comes out of a daemon whose crawls give cause for it, as JSON and by
// a template, to a webhook and to a command.
func TestServeAlerts(t *testing.T) {
	t.Parallel()
	var redesigned atomic.Bool
	answer := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		switch r.URL.Path {
		case "/fails":
			w.WriteHeader(http.StatusInternalServerError)
		case "/busy":
			w.Header().Set("Retry-After", "7200")
			w.WriteHeader(http.StatusTooManyRequests)
		case "/shop", "/slow":
			for i := range 30 {
				fmt.Fprintf(w, "<a href=%s/%d>x</a>", r.URL.Path, i)
			}
		case "/empty":
		default:
			if price := "<p>3</p>"; !redesigned.Load() {
				_, _ = io.WriteString(w, price)
			}
			fmt.Fprintf(w, "<h1>%s</h1>", r.URL.Path)
		}
	})
	in := newInbox(t)
	dir := t.TempDir()
	said := filepath.Join(dir, "said.txt")
	for name, c := range map[string]struct{ alerts, more string }{
		"fails": {`[{webhook: "` + in.URL + `"}, {command: [sh, -c, "cat >> ` + said + `"], template: "{{.Crawl}}: {{.Kind}}: {{.Text}}\n"}]`, "schedule: '@every 2s'\n"},
		"empty": {`[{webhook: "` + in.URL + `"}]`, "schedule: '@every 2s'\n"},
		"busy":  {`[{webhook: "` + in.URL + `", on: [politeness_debt], debt_over: 1h, template: '{"crawl": {{json .Crawl}}, "kind": {{json .Kind}}, "text": {{json (print "note: " .Text)}}}'}]`, "schedule: '@every 2s'\n"},
		"shop":  {`[{webhook: "` + in.URL + `", on: [drift]}]`, "schedule: '@every 2s'\n"},
		"slow":  {`[{webhook: "` + in.URL + `", on: [too_slow], slower_than: 300ms}]`, "schedule: '@every 2s'\n"},
		"late":  {`[{webhook: "` + in.URL + `", on: [too_slow]}]`, "schedule: {cron: '@every 2s', deadline: 1s}\n"},
	} {
		web := httptest.NewServer(answer) // one for each: crawls share a host's time
		defer web.Close()
		path, delay := name, "1ms"
		if name == "late" || name == "slow" {
			path, delay = "slow", "200ms"
		}
		text := "seeds: ['" + web.URL + "/" + path + "']\npoliteness: {contact: a@b.example, delay: " + delay + "}\nfetch: {allow_private: true, retries: 0}\n" +
			"extract: {page: {match: \"/*/*\", fields: {title: {css: h1}, price: {css: p}}}}\noutput: [{jsonl: \"" + name + ".jsonl\"}]\n" + c.more + "alerts: " + c.alerts + "\n"
		if err := os.WriteFile(filepath.Join(dir, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := startServe(t, dir, "--at-once", "8")
	awaiting(t, "a good run of the shop", func() bool {
		for _, r := range runsOf(t, dir, "--no-skipped", "--crawl", "shop") {
			if r.Status == history.Finished {
				return true
			}
		}
		return false
	})
	redesigned.Store(true)
	for name, want := range map[string]string{
		"fails failure": "nothing could be fetched", "empty no_records": "no record", "busy politeness_debt": " asks to be left alone for",
		"shop drift": "price", "slow too_slow": "longer than 300ms", "late too_slow": "deadline",
	} {
		awaiting(t, "an alert: "+name+"\n"+tail(&s.err), func() bool { _, ok := in.message(name); return ok })
		if m, _ := in.message(name); !strings.Contains(m.Text, want) {
			t.Errorf("%s: %q, want %q", name, m.Text, want)
		}
	}
	awaiting(t, "word from the command", func() bool {
		text, _ := os.ReadFile(said)
		return strings.Contains(string(text), "fails: failure: nothing could be fetched: 1 ")
	})
	if err := s.stop(syscall.SIGTERM); err != nil {
		t.Errorf("%v\n%s", err, tail(&s.err))
	}
	for name := range map[string]bool{"busy failure": true, "shop failure": true, "slow failure": true, "empty failure": true} {
		if m, ok := in.message(name); ok {
			t.Errorf("an alert that nobody asked for: %+v", m)
		}
	}
}

// What a host asked of one crawl holds for another one, although the daemon was killed
// and the first one is gone.
func TestServeRemembersDebts(t *testing.T) {
	t.Parallel()
	const wait = 4 * time.Second
	var mu sync.Mutex
	var told time.Time
	var early []string
	later := make(chan string, 100)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		agent := r.UserAgent()[:5]
		switch {
		case agent == "alpha" && r.URL.Path == "/" && told.IsZero():
			told = time.Now()
			w.Header().Set("Retry-After", "4")
			w.WriteHeader(http.StatusTooManyRequests)
		case !told.IsZero() && time.Since(told) < wait:
			early = append(early, agent+" "+r.URL.Path)
		default:
			select {
			case later <- agent:
			default:
			}
		}
	}))
	defer web.Close()
	dir := t.TempDir()
	config := func(agent string) string {
		return "seeds: ['" + web.URL + "/']\npoliteness: {agent: " + agent + ", contact: a@b.example, delay: 1ms}\nfetch: {allow_private: true}\nschedule: '@every 1s'\n"
	}
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("one.yaml", config("alpha"))
	s := startServe(t, dir)
	awaiting(t, "a Retry-After", func() bool { mu.Lock(); defer mu.Unlock(); return !told.IsZero() })
	time.Sleep(wait / 4) // for it to be written down
	_ = s.stop(syscall.SIGKILL)
	if err := os.Remove(filepath.Join(dir, "one.yaml")); err != nil {
		t.Fatal(err)
	}
	write("two.yaml", config("bravo"))
	s = startServe(t, dir)
	for agent := ""; agent != "bravo"; {
		select {
		case agent = <-later:
		case <-time.After(time.Minute):
			t.Fatalf("the other crawl asks nothing\n%s", tail(&s.err))
		}
	}
	if err := s.stop(syscall.SIGTERM); err != nil {
		t.Errorf("%v\n%s", err, tail(&s.err))
	}
	mu.Lock()
	defer mu.Unlock()
	if len(early) > 0 {
		t.Errorf("asked within %v of a Retry-After: %v", wait, early)
	}
}
