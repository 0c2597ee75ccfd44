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
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler/history"
	"github.com/amblecrawl/amble/crawler/monitor"
)

// served is a daemon that a test runs as a process.
type served struct {
	*exec.Cmd
	err saying
}

// saying is what a process that goes on has said so far.
type saying struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *saying) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *saying) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

func startServe(t testing.TB, dir string, args ...string) *served {
	t.Helper()
	s := &served{Cmd: exec.Command("amble", append([]string{"serve", ".", "-v", "--reload", "50ms", "--listen", ""}, args...)...)}
	s.Dir, s.Stderr = dir, &s.err
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Process.Kill() })
	return s
}

// stop ends the daemon with a signal.
func (s *served) stop(sig syscall.Signal) error {
	if err := s.Process.Signal(sig); err != nil {
		return err
	}
	return s.Wait()
}

// runsOf is what amble runs list tells, the earliest first.
func runsOf(t *testing.T, dir string, args ...string) (runs []history.Run) {
	t.Helper()
	cmd := exec.Command("amble", append([]string{"runs", "list", "--json", "--limit", "1000"}, args...)...)
	cmd.Dir = dir
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &runs)
	}
	if err != nil {
		return nil // there is no history yet
	}
	for i, j := 0, len(runs)-1; i < j; i, j = i+1, j-1 {
		runs[i], runs[j] = runs[j], runs[i]
	}
	return runs
}

// awaiting asks until something holds.
func awaiting(t testing.TB, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !holds(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("after a minute still not: %s", what)
		}
	}
}

// A daemon is killed in the middle of a run and stopped in the middle of another:
// each goes on as the run it was, and its records are there once.
func TestServeGoesOn(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		if r.URL.Path == "/" {
			for i := range 40 {
				fmt.Fprintf(w, "<a href=/%d>x</a>", i)
			}
		}
		fmt.Fprintf(w, "<h1>%s</h1>", r.URL.Path)
	}))
	defer web.Close()
	dir := t.TempDir()
	write := func(name, text string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("a.yaml", `
seeds: ["`+web.URL+`/"]
politeness: {contact: a@b.example, delay: 40ms}
fetch: {allow_private: true}
commit: {interval: 50ms}
extract: {page: {fields: {title: {css: h1}}}}
output: [{jsonl: "out/{run}.jsonl"}]
schedule: {cron: "* * * * * *", overlap: skip}
`)
	write("wrong.yaml", "seeds: [nonsense\n")
	pages := func() int {
		files, _ := filepath.Glob(filepath.Join(dir, "out", "*.jsonl"))
		n := 0
		for _, f := range files {
			data, _ := os.ReadFile(f)
			n += bytes.Count(data, []byte("\n"))
		}
		return n
	}
	for i, sig := range []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM} {
		s := startServe(t, dir)
		awaiting(t, "a run under way", func() bool { return pages() > i*45+5 })
		if err := s.stop(sig); sig == syscall.SIGTERM && err != nil {
			t.Errorf("stopped: %v\n%s", err, &s.err)
		}
		if !strings.Contains(s.err.String(), "wrong.yaml") {
			t.Errorf("nothing is said of the config that is wrong:\n%s", &s.err)
		}
	}
	s := startServe(t, dir)
	awaiting(t, "three runs", func() bool {
		n := 0
		for _, r := range runsOf(t, dir, "--no-skipped") {
			if r.Status == history.Finished {
				n++
			}
		}
		return n >= 3
	})
	// A broken version of a config leaves the last good one at work.
	write("a.yaml", "seeds: [")
	awaiting(t, "word of the broken config", func() bool { return strings.Contains(s.err.String(), "last_good_version_stays=true") })
	before := len(runsOf(t, dir))
	awaiting(t, "another occurrence", func() bool { return len(runsOf(t, dir)) > before })
	if err := s.stop(syscall.SIGTERM); err != nil {
		t.Errorf("%v\n%s", err, &s.err)
	}
	checkServed(t, dir)
}

// checkServed expects every run that finished to have all records once.
func checkServed(t *testing.T, dir string) {
	t.Helper()
	due := map[time.Time]bool{}
	for _, r := range runsOf(t, dir) {
		if due[r.Occurrence] {
			t.Errorf("%v is accounted for twice", r.Occurrence)
		}
		due[r.Occurrence] = true
		if r.Status != history.Finished {
			continue
		}
		data, err := os.ReadFile(filepath.Join(dir, "out", r.Run+".jsonl"))
		if err != nil {
			t.Error(err)
			continue
		}
		titles := map[string]int{}
		for _, record := range parseLines(t, data) {
			titles[record.text("title")]++
		}
		for title, n := range titles {
			if n != 1 {
				t.Errorf("run %d has %d records of %s", r.Number, n, title)
			}
		}
		if len(titles) != 41 {
			t.Errorf("run %d has %d records, want 41", r.Number, len(titles))
		}
		checkHosts(t, dir, r.Number, 41)
	}
}

// checkHosts expects the history to tell of a run's one host, whatever processes it had.
// What a kill cut off may have been asked for again.
func checkHosts(t *testing.T, dir string, number, pages int64) {
	t.Helper()
	cmd := exec.Command("amble", "runs", "show", "--json", fmt.Sprint(number))
	cmd.Dir = dir
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var run struct {
		Detail struct {
			monitor.HostList
			Latest map[string][]monitor.Preview
		}
	}
	if err := json.Unmarshal(out, &run); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	d := &run.Detail
	if len(d.Hosts) != 1 || d.Total != 1 || d.Partial || d.Hosts[0].Pages < pages || d.Hosts[0].Requests < d.Hosts[0].Pages || d.Hosts[0].PaidS < d.Hosts[0].OwedS || d.Hosts[0].OwedS == 0 {
		t.Errorf("run %d: the hosts are %+v", number, d.HostList)
	}
	if len(d.Latest["page"]) == 0 {
		t.Errorf("run %d: no record is kept to look at", number)
	}
}

// Crawls that run side by side are, to the host, one polite crawl.
func TestServeSharesHosts(t *testing.T) {
	t.Parallel()
	const delay = 60 * time.Millisecond
	var mu sync.Mutex
	var last time.Time
	inFlight, early, agents := 0, 0, map[string]int{}
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		agents[r.UserAgent()[:5]]++
		if inFlight++; inFlight > 1 || time.Since(last) < delay-5*time.Millisecond {
			early++
		}
		mu.Unlock()
		w.Header().Set("Content-Type", "text/html")
		for i := range 12 {
			fmt.Fprintf(w, "<a href=/%d>x</a>", i)
		}
		mu.Lock()
		defer mu.Unlock()
		inFlight--
		last = time.Now()
	}))
	defer web.Close()
	dir := t.TempDir()
	for _, agent := range []string{"alpha", "bravo", "delta"} {
		config := "seeds: [\"" + web.URL + "/\"]\npoliteness: {agent: " + agent + ", contact: a@b.example, delay: " + delay.String() + "}\n" +
			"fetch: {allow_private: true}\nextract: {page: {fields: {title: {css: h1}}}}\noutput: [{jsonl: \"" + agent + ".jsonl\"}]\nschedule: \"@every 1s\"\n"
		if err := os.WriteFile(filepath.Join(dir, agent+".yaml"), []byte(config), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := startServe(t, dir)
	awaiting(t, "a whole run of each crawl", func() bool {
		done := map[string]bool{}
		for _, r := range runsOf(t, dir, "--no-skipped") {
			if r.Status == history.Finished {
				done[r.Crawl] = true
			}
		}
		return len(done) == 3
	})
	if err := s.stop(syscall.SIGTERM); err != nil {
		t.Errorf("%v\n%s", err, &s.err)
	}
	mu.Lock()
	defer mu.Unlock()
	if early > 0 || len(agents) != 3 {
		t.Errorf("%d requests came too early or beside another: %v", early, agents)
	}
}
