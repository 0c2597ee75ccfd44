package cmd

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/amblecrawl/amble/fixtures"
)

// TestStopped stops a process for longer than a fetch may take, as a machine
// that sleeps does, and lets it go on.
func TestStopped(t *testing.T) {
	t.Parallel()
	calm := newFixtureCrawl(t, killConfig, fixtures.Options{Hosts: contentHosts})
	calm.run(t)
	c := newFixtureCrawl(t, killConfig, fixtures.Options{Hosts: contentHosts})
	random := rand.New(rand.NewPCG(seed(t), 2))
	const timeout = time.Second
	p := c.start(t, "--set", "fetch.timeout="+timeout.String())
	for range 3 {
		if !p.awaitRequests(t, 10+random.IntN(60)) || !p.pause(upTo(random, 20*time.Millisecond)) {
			t.Fatalf("the crawl ended by itself: %v\n%s", p.err, &p.out)
		}
		send(t, p, syscall.SIGSTOP)
		if !p.pause(timeout * 3 / 2) {
			t.Fatalf("stopped, the crawl ended: %v\n%s", p.err, &p.out)
		}
		send(t, p, syscall.SIGCONT)
		tell(t, "stopped for longer than the fetch timeout", 1)
	}
	if <-p.done; p.err != nil {
		t.Fatalf("amble run: %v\n%s", p.err, &p.out)
	}
	compareCrawls(t, c, calm)
	judgeManners(t, c.web, "killbot", killDelay, 1)
}

func send(t *testing.T, p *process, s syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); s == syscall.SIGSTOP && !stopped(t, p.cmd.Process.Pid); time.Sleep(time.Millisecond) {
		if time.Since(began) > time.Minute {
			t.Fatal("it does not stop")
		}
	}
}

// stopped reports whether all threads of a process have stopped, or ended: the signal does
// not wait for those that are in the system.
func stopped(t *testing.T, pid int) bool {
	t.Helper()
	threads, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range threads {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		_, state, _ := strings.Cut(string(stat), ") ")
		if !strings.ContainsAny(state[:min(1, len(state))], "TZX") {
			return false
		}
	}
	return true
}
