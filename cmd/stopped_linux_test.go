package cmd

import (
	"math/rand/v2"
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
}
