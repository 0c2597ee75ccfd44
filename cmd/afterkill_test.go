package cmd

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// seen is what a server has been asked for: when the last answer was made, and the next
// request came.
type seen struct {
	mu    sync.Mutex
	ends  []time.Time
	gap   time.Duration // from an answer to the request after it
	came  chan struct{} // the first request has its answer
	again chan struct{} // another one came
}

func (s *seen) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	now := time.Now()
	w.Header().Set("Connection", "close")
	w.WriteHeader(http.StatusNotFound)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ends = append(s.ends, time.Now())
	switch len(s.ends) {
	case 1:
		close(s.came)
	case 2:
		s.gap = now.Sub(s.ends[0])
		close(s.again)
	}
}

// A process is killed before it could write down that it has asked a host. Whoever comes
// next, and comes at once, leaves the host alone for its delay: the same crawl, another
// one of the same daemon that has no state yet, and a run from the command line.
func TestHostsAreLeftAloneAfterAKill(t *testing.T) {
	t.Parallel()
	// Longer than a process takes to be there on a busy machine: else this could not fail.
	const delay = 5 * time.Second
	for name, c := range map[string]struct {
		command []string
		next    string // the crawl that comes then
	}{
		"the same crawl":   {[]string{"serve", ".", "--listen", ""}, "first"},
		"another crawl":    {[]string{"serve", ".", "--listen", ""}, "second"},
		"without a daemon": {[]string{"run", "crawl.yaml"}, "first"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &seen{came: make(chan struct{}), again: make(chan struct{})}
			web := httptest.NewServer(s)
			defer web.Close()
			dir := t.TempDir()
			begin := func(crawl string) *exec.Cmd {
				t.Helper()
				write(t, filepath.Join(dir, "crawl.yaml"), fmt.Sprintf(`name: %s
seeds: ["%s/"]
politeness: {contact: a@b.example, delay: %v}
fetch: {allow_private: true}
schedule: {cron: "* * * * * *"}
`, crawl, web.URL, delay))
				cmd := exec.CommandContext(t.Context(), "amble", c.command...)
				var said strings.Builder
				cmd.Dir, cmd.Stdout, cmd.Stderr = dir, &said, &said
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					_ = cmd.Process.Kill()
					_ = cmd.Wait()
					if t.Failed() {
						t.Log(said.String())
					}
				})
				return cmd
			}
			wait := func(came chan struct{}, what string) {
				t.Helper()
				select {
				case <-came:
				case <-time.After(time.Minute):
					t.Fatalf("after a minute still not: %s", what)
				}
			}
			first := begin("first")
			wait(s.came, "the first request")
			if err := first.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = first.Wait() // it was killed
			begin(c.next)
			wait(s.again, "a request after the kill")
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.gap < delay {
				t.Errorf("the host was asked %v after the last answer, and owed %v", s.gap, delay)
			}
			if _, err := os.Stat(filepath.Join(dir, ".amble", c.next)); err != nil {
				t.Error(err)
			}
		})
	}
}
