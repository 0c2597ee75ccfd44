package cmd

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler/history"
	"github.com/amblecrawl/amble/fixtures/synthetic"
)

// BenchmarkServeCrawls starts a daemon with 1,000 crawls, none of which is due: how long
// it takes to be ready, and what it takes while it has nothing to do.
func BenchmarkServeCrawls(b *testing.B) {
	dir := b.TempDir()
	for i := range 1000 {
		config := fmt.Sprintf("seeds: [https://h%d.example/]\npoliteness: {contact: qa@shop.example}\nschedule: {cron: \"0 6 1 1 *\"}\n", i)
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("c%03d.yaml", i)), []byte(config), 0o600); err != nil {
			b.Fatal(err)
		}
	}
	const idle = 10 * time.Second
	var ready, starting, resting time.Duration
	var most int64
	for range b.N {
		began := time.Now()
		s := startServe(b, dir, "--listen", "127.0.0.1:0", "--reload", "2s")
		awaiting(b, "the daemon to be ready", func() bool {
			at := dashboardAddress.FindStringSubmatch(s.err.String())
			return at != nil && isReady(at[1])
		})
		ready += time.Since(began)
		before := cpuOf(b, s.Process.Pid)
		starting += before
		watched := watchMemory(s.Process.Pid, func(d time.Duration) bool { time.Sleep(d); return time.Since(began) < idle })
		most = max(most, <-watched)
		resting += cpuOf(b, s.Process.Pid) - before
		if err := s.stop(syscall.SIGTERM); err != nil {
			b.Errorf("%v\n%s", err, tail(&s.err))
		}
	}
	n := float64(b.N)
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(ready.Seconds()/n, "s-to-ready")
	b.ReportMetric(starting.Seconds()/n, "CPU-s-to-ready")
	b.ReportMetric(100*resting.Seconds()/idle.Seconds()/n, "%of-a-core-idle")
	b.ReportMetric(float64(most>>20), "MiB")
}

func isReady(address string) bool {
	answer, err := http.Get(address + "/readyz")
	if err != nil {
		return false
	}
	_ = answer.Body.Close()
	return answer.StatusCode == http.StatusOK
}

// cpuOf is the CPU time that a process has taken, of the system's part as well.
func cpuOf(t testing.TB, pid int) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var ticks int64
	for _, field := range fields[11:13] { // utime and stime, proc(5)
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// BenchmarkViewers runs a crawl without delays in a daemon, by turns watched by nobody
// and by 100 who read the events of its page: what they cost the crawl, and each of them
// the daemon.
func BenchmarkViewers(b *testing.B) {
	const viewers = 100
	var took, cpu [2]time.Duration
	for range b.N {
		for i, n := range []int{0, viewers} {
			t, c := watchedCrawl(b, n)
			took[i], cpu[i] = took[i]+t, cpu[i]+c
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(took[0].Seconds()/float64(b.N), "s-alone")
	b.ReportMetric(took[1].Seconds()/float64(b.N), "s-watched")
	b.ReportMetric(100*(took[1].Seconds()/took[0].Seconds()-1), "%slower")
	b.ReportMetric(100*(cpu[1]-cpu[0]).Seconds()/took[1].Seconds()/viewers, "%of-a-core/viewer")
}

// watchedCrawl gives how long the crawl takes and the CPU time of its daemon.
func watchedCrawl(b *testing.B, viewers int) (took, cpu time.Duration) {
	b.Helper()
	const hosts, pages = 10, 3000
	web := httptest.NewServer(synthetic.New(synthetic.Options{Hosts: hosts, Pages: pages}))
	defer web.Close()
	var seeds, resolve strings.Builder
	for h := range hosts {
		fmt.Fprintf(&seeds, "  - http://h%d.example/p/0.html\n", h)
		fmt.Fprintf(&resolve, "    h%d.example: %q\n", h, web.Listener.Addr())
	}
	config := "name: bench\nseeds:\n" + seeds.String() + "politeness: {contact: qa@shop.example, delay: 0s, concurrency: 8}\nfetch:\n  allow_private: true\n  resolve:\n" +
		resolve.String() + "extract:\n" + lightJob + "output: [{jsonl: \"{run}-{type}.jsonl\"}]\nschedule: {cron: \"*/2 * * * * *\"}\n"
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "bench.yaml"), []byte(config), 0o600); err != nil {
		b.Fatal(err)
	}
	s := startServe(b, dir, "--listen", "127.0.0.1:0", "--reload", "2s")
	awaiting(b, "the dashboard", func() bool { return dashboardAddress.MatchString(s.err.String()) })
	address := dashboardAddress.FindStringSubmatch(s.err.String())[1]
	var watching sync.WaitGroup
	for range viewers {
		watching.Go(func() {
			answer, err := http.Get(address + "/api/v1/crawls/bench/events")
			if err != nil {
				b.Error(err)
				return
			}
			defer answer.Body.Close()
			if n, _ := io.Copy(io.Discard, answer.Body); n == 0 { // it is cut off at the end
				b.Error("a viewer has seen nothing")
			}
		})
	}
	h, err := history.OpenReader(b.Context(), filepath.Join(dir, ".amble", "history.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer h.Close()
	awaiting(b, "the end of a run", func() bool {
		runs, err := h.List(b.Context(), history.Filter{Whole: true})
		if err != nil || len(runs) == 0 || runs[len(runs)-1].Status != history.Finished {
			return false
		}
		took = runs[len(runs)-1].Ended.Sub(runs[len(runs)-1].Started)
		return true
	})
	cpu = cpuOf(b, s.Process.Pid)
	_ = s.stop(syscall.SIGKILL) // another run may go on
	watching.Wait()
	return took, cpu
}
