package frontier

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// TestScale queues distinct links of generated pages, opens the state again and
// crawls a part of it, and reports what that took: CPU time, since the machine
// may be busy with other things, and the most memory of the process. It runs
// when AMBLE_SCALE is set, to the number of links or to something else for ten
// million.
func TestScale(t *testing.T) {
	links := scaleOf(t)
	const hosts, batchSize, crawled = 20_000, 2_000, 300_000
	o := Options{Dir: t.TempDir()}
	f := mustOpen(t, o)
	tenth := max(links/10, batchSize)
	var steps []step
	start := cpuTime(t)
	for n := 0; n < links; {
		var b crawler.Batch
		for range min(batchSize, links-n) {
			// Pages link to a few hosts, mostly to their own.
			b.Found = append(b.Found, numberedRequest(t, hostName(n/33%hosts), n))
			n++
		}
		mustCommit(t, f, &b)
		if n%tenth == 0 || n == links {
			all := (cpuTime(t) - start) / time.Duration(tenth)
			last := step{making: makingUp(t)}
			last.link = all - last.making
			steps = append(steps, last)
			t.Logf("%9d links: %v of CPU a link (and %v to make one up), %d bytes a link on disk, %s", n,
				last.link, last.making, f.store.db.Metrics().DiskSpaceUsage()/uint64(n), peak(t))
			start = cpuTime(t)
		}
	}
	// The store merges its tables in waves, which a half of all links evens out.
	growth, noise := 0.0, 0.0
	for _, s := range steps[len(steps)/2:] {
		growth += float64(s.link) / float64(steps[0].link)
		noise += float64(s.making) / float64(steps[0].making)
	}
	n := float64(len(steps) - len(steps)/2)
	t.Logf("a link of the last half took %.2f times the CPU of one of the first tenth, while making one up took %.2f times", growth/n, noise/n)
	close := time.Now()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	opening, cpu := time.Now(), cpuTime(t)
	f = mustOpen(t, o)
	if _, err := f.Lease(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	t.Logf("closed in %v; opened and leased from in %v, %v of CPU", opening.Sub(close), time.Since(opening), cpuTime(t)-cpu)
	if f.Stats().Seen != int64(links) {
		t.Errorf("%d of %d links are there", f.Stats().Seen, links)
	}
	cpu = cpuTime(t)
	<-f.filter.done
	t.Logf("read into the filter with %v of CPU", cpuTime(t)-cpu)
	cpu = cpuTime(t)
	settled := crawlSome(t, f, 256, min(crawled, links))
	t.Logf("leased and settled %d: %v of CPU each; %s", settled, (cpuTime(t)-cpu)/time.Duration(settled), peak(t))
}

// step is what a tenth of the links took, CPU time each.
type step struct{ link, making time.Duration }

// makingUp is the CPU time that making a link up takes now, on this thread alone:
// it does not depend on how many there were, only on what else the machine does.
func makingUp(t *testing.T) time.Duration {
	t.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const n = 500_000
	start := threadTime(t)
	for i := range n {
		numberedRequest(t, hostName(i), i)
	}
	return (threadTime(t) - start) / n
}

// TestScaleHosts crawls a million hosts of one page each, then one host of
// 300,000 pages.
func TestScaleHosts(t *testing.T) {
	scaleOf(t)
	for _, c := range []struct{ hosts, pages int }{{1_000_000, 1_000_000}, {1, 300_000}} {
		t.Run(fmt.Sprintf("%d hosts", c.hosts), func(t *testing.T) {
			f := mustOpen(t, Options{Dir: t.TempDir()})
			cpu := cpuTime(t)
			seedPages(t, f, c.hosts, c.pages)
			t.Logf("queued %d pages: %v of CPU each, making them up included; %s",
				c.pages, (cpuTime(t)-cpu)/time.Duration(c.pages), peak(t))
			if len(f.hosts) > f.opt.MaxHosts || f.buffered > f.opt.MaxBuffered+f.opt.MaxHosts {
				t.Errorf("%d hosts and %d requests in memory", len(f.hosts), f.buffered)
			}
			cpu = cpuTime(t)
			if n := crawl(t, f, 256); n != c.pages {
				t.Errorf("crawled %d of %d", n, c.pages)
			}
			t.Logf("leased and settled: %v of CPU each; %s", (cpuTime(t)-cpu)/time.Duration(c.pages), peak(t))
		})
	}
}

func scaleOf(t *testing.T) int {
	t.Helper()
	scale := os.Getenv("AMBLE_SCALE")
	if scale == "" || testing.Short() {
		t.Skip("AMBLE_SCALE is not set")
	}
	if n, err := strconv.Atoi(scale); err == nil && n >= 10_000 {
		return n
	}
	return 10_000_000
}

// cpuTime is what the process has used so far, threadTime what this thread has.
func cpuTime(t *testing.T) time.Duration { return usage(t, syscall.RUSAGE_SELF) }

func threadTime(t *testing.T) time.Duration { return usage(t, 1) } // RUSAGE_THREAD of Linux

func usage(t *testing.T, who int) time.Duration {
	t.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		t.Skip("the system does not tell:", err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the most memory the process has had, where the system tells.
func peak(t *testing.T) string {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return "memory unknown"
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			return "at most " + strings.TrimSpace(rest) + " of memory"
		}
	}
	return "memory unknown"
}
