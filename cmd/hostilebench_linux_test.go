package cmd

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/amblecrawl/amble/fixtures/hostile"
	"github.com/amblecrawl/amble/fixtures/synthetic"
	"github.com/amblecrawl/amble/politeness/ledger"
)

// BenchmarkHealthyHosts crawls hosts that do nothing wrong alone, beside all the
// hostile ones, and beside a crowd of as many that do nothing wrong either, and reports
// how long the first request to the last takes them. Beside hostile ones as a share of
// beside the crowd is what hostility costs them, the aim being 1.10; a crowd alone
// costs them its turns. The first pages of the hosts wait for a free worker, all of
// which hang for a while where there are fewer than hostile hosts; so the share is told
// of what comes after their third request, too.
//
// The webs are processes of their own. On a machine with two processors, which they
// share with the crawler, the hostile one gives way. Where other programs keep the
// processors busy, BENCH_PRIORITY=1 puts the crawler and the healthy hosts before all
// others, as root.
//
// From the ledger it tells what a request of healthy hosts consists of, in the middle
// and at the 95th percentile: how late it was sent after it might be, which is all that
// the crawler keeps it waiting for, and how long its exchange took.
//
//	go test ./cmd -run '^$' -bench HealthyHosts -benchtime 1x
func BenchmarkHealthyHosts(b *testing.B) {
	var alone, crowd, hostiles healthy
	for b.Loop() {
		alone.add(healthyRun(b, nil, 0))
		crowd.add(healthyRun(b, nil, len(hostile.Cases())))
		hostiles.add(healthyRun(b, hostile.Cases(), 0))
	}
	alone.report(b, "alone")
	crowd.report(b, "crowd")
	hostiles.report(b, "hostile")
	b.ReportMetric(hostiles.took.Seconds()/crowd.took.Seconds(), "hostile/crowd")
	b.ReportMetric((hostiles.took-hostiles.first).Seconds()/(crowd.took-crowd.first).Seconds(), "hostile/crowd-then")
	b.ReportMetric(hostiles.took.Seconds()/alone.took.Seconds(), "hostile/alone")
}

// healthy is how hosts that do nothing wrong fared.
type healthy struct {
	took, cpu      time.Duration
	first          time.Duration // until each was sent its third request
	late, exchange []time.Duration
}

func (h *healthy) add(o healthy) {
	h.took, h.first, h.cpu = h.took+o.took, h.first+o.first, h.cpu+o.cpu
	h.late, h.exchange = append(h.late, o.late...), append(h.exchange, o.exchange...)
}

func (h *healthy) report(b *testing.B, name string) {
	b.ReportMetric(h.took.Seconds()/float64(b.N), "s-"+name)
	b.ReportMetric(h.first.Seconds()/float64(b.N), "s-first-"+name)
	b.ReportMetric(h.cpu.Seconds()/float64(b.N), "cpu-s-"+name)
	for what, all := range map[string][]time.Duration{"late": h.late, "exchange": h.exchange} {
		if len(all) == 0 {
			b.Fatalf("nothing is known of %s", what)
		}
		slices.Sort(all)
		ms := func(part int) float64 { return float64(all[len(all)*part/100].Microseconds()) / 1000 }
		b.ReportMetric(ms(50), "ms-"+what+"-"+name)
		b.ReportMetric(ms(95), "ms-"+what+"-p95-"+name)
	}
}

// healthyRun crawls the hosts that do nothing wrong beside those cases, or a crowd.
func healthyRun(b *testing.B, cases []hostile.Case, crowd int) (h healthy) {
	good := synthetic.Options{Hosts: 4, Pages: 500}
	c := &hostileCrawl{cases: cases, good: synthetic.New(good), hosts: good.Hosts, pages: good.Pages}
	web, addr := startWeb(b, ahead, "healthyweb", strconv.Itoa(good.Hosts), strconv.Itoa(good.Pages))
	var where whereHostile
	var crowdAddr string
	switch {
	case crowd > 0:
		c.crowd = crowd
		_, crowdAddr = startWeb(b, behind, "healthyweb", strconv.Itoa(good.Hosts+crowd), "1")
	case len(cases) > 0:
		_, first := startWeb(b, behind, "hostileweb")
		if err := json.Unmarshal([]byte(first), &where); err != nil {
			b.Fatal(err)
		}
	}
	c.configure(b, where.Resolve, where.Roots, addr, crowdAddr, "  memory: 48MiB\n  timeout: 15s\n  workers: 256\n")
	p := c.unstarted(b)
	ahead(b, p.cmd, func() { p.begin(b) })
	ended := make(chan error, 1)
	go func() {
		line, err := web.ReadString('\n')
		if err == nil {
			h.took, err = time.ParseDuration(strings.TrimSpace(line) + "ns")
		}
		ended <- err
	}()
	select {
	case err := <-ended:
		if err != nil {
			b.Fatal(err)
		}
	case <-p.done:
		b.Fatalf("the crawl ended first: %v\n%s", p.err, &p.out)
	case <-time.After(10 * patience):
		b.Fatalf("the healthy hosts are not done\n%s", &p.out)
	}
	_ = p.kill() // the rest is of no interest
	h.cpu = p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()
	h.readLedger(b, c)
	return h
}

// readLedger takes the times of the requests to the hosts that do nothing wrong.
func (h *healthy) readLedger(b *testing.B, c *hostileCrawl) {
	starts := map[string][]time.Time{} // by host
	for host := range c.hosts {
		starts["http://"+c.good.Host(host)] = nil
	}
	for e, err := range ledger.Read(filepath.Join(c.dir, ".amble", c.name, "ledger")) {
		if err != nil && !errors.Is(err, ledger.ErrTorn) {
			b.Fatal(err)
		}
		of, good := starts[e.Host]
		if err != nil || e.Withheld || !good {
			continue
		}
		starts[e.Host] = append(of, e.Start)
		h.exchange = append(h.exchange, e.End.Sub(e.Start))
		if e.Paid > 0 {
			h.late = append(h.late, e.Paid-e.Owed)
		}
	}
	const third = 2
	var first, last time.Time
	for host, of := range starts {
		if len(of) <= third {
			b.Fatalf("the ledger has %d requests to %s", len(of), host)
		}
		if first.IsZero() || of[0].Before(first) {
			first = of[0]
		}
		if of[third].After(last) {
			last = of[third]
		}
	}
	h.first = last.Sub(first)
}

// ahead starts a command that goes before others, where that is asked for.
func ahead(b *testing.B, cmd *exec.Cmd, start func()) {
	b.Helper()
	if os.Getenv("BENCH_PRIORITY") == "" {
		start()
		return
	}
	niced(b, cmd, "-20")
	// Linux may weigh sessions against each other, and processes only within them.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	start()
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/autogroup", cmd.Process.Pid), []byte("-20"), 0); err != nil {
		b.Log("it goes before others of its session only: ", err)
	}
}

// behind starts a command that gives way to others.
func behind(b *testing.B, cmd *exec.Cmd, start func()) {
	b.Helper()
	niced(b, cmd, "19")
	start()
}

func niced(b *testing.B, cmd *exec.Cmd, by string) {
	b.Helper()
	path, err := exec.LookPath("nice")
	if err != nil {
		b.Fatal(err)
	}
	cmd.Path, cmd.Args = path, append([]string{"nice", "-n", by}, cmd.Args...)
}

// startWeb starts a command that serves a web until the benchmark is over, and
// returns what else it prints after its first line.
func startWeb(b *testing.B, by func(*testing.B, *exec.Cmd, func()), args ...string) (*bufio.Reader, string) {
	b.Helper()
	cmd := exec.CommandContext(b.Context(), args[0], args[1:]...)
	cmd.Stderr = os.Stderr
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdin, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	by(b, cmd, func() { err = cmd.Start() })
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	})
	r := bufio.NewReader(stdout)
	line, err := r.ReadString('\n')
	if err != nil {
		b.Fatalf("%s does not say where it is: %v", args[0], err)
	}
	return r, strings.TrimSpace(line)
}
