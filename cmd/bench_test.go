package cmd

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkCrawl crawls the same synthetic web with amble, with a plain colly
// crawler that does the same job, and with a bare loop that has no frontier,
// no robots.txt and nothing durable, in turn. Each is a process of its own; the
// server is another, on the other processor where there are two.
//
//	go test -run '^$' -bench Crawl -benchtime 3x ./cmd
//
// It reports pages a second, CPU seconds for 1,000 pages, and peak memory.
// Compare the figures of one run with one another, never across machines.
func BenchmarkCrawl(b *testing.B) {
	const hosts, pages = 50, 200
	addr := startSyntheticWeb(b, hosts, pages)
	dir := b.TempDir()
	config := filepath.Join(dir, "bench.yaml")
	if err := os.WriteFile(config, []byte(benchConfig(addr, hosts)), 0o600); err != nil {
		b.Fatal(err)
	}
	out := filepath.Join(dir, "out.jsonl")
	for _, peer := range []struct {
		name string
		args []string
	}{
		{"amble", []string{"amble", "run", "--fresh", config}},
		{"colly", []string{"plain-colly", addr, fmt.Sprint(hosts), out}},
		{"bare", []string{"bare-loop", addr, fmt.Sprint(hosts), out}},
	} {
		b.Run(peer.name, func(b *testing.B) {
			var total usage
			for b.Loop() {
				total.add(runPinned(b, "0", peer.args...))
				if n := lines(b, out); n != hosts*pages {
					b.Logf("%d records for %d pages", n, hosts*pages)
				}
			}
			thousands := float64(b.N*hosts*pages) / 1000
			b.ReportMetric(thousands*1000/total.wall.Seconds(), "pages/s")
			b.ReportMetric(total.cpu.Seconds()/thousands, "cpu-s/1000pages")
			b.ReportMetric(float64(total.peak)/(1<<20), "MiB-peak")
			b.ReportMetric(0, "ns/op")
		})
	}
}

// usage is what processes took.
type usage struct {
	wall, cpu time.Duration
	peak      int64 // bytes, the largest of them
}

func (u *usage) add(v usage) {
	u.wall += v.wall
	u.cpu += v.cpu
	u.peak = max(u.peak, v.peak)
}

// runPinned runs a command on one processor, where taskset exists.
func runPinned(b *testing.B, cpu string, args ...string) usage {
	b.Helper()
	cmd := pinned(cpu, args...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	start := time.Now()
	if err := cmd.Run(); err != nil {
		b.Fatalf("%s: %v\n%s", args[0], err, stderr.String())
	}
	u := usage{wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.peak = r.Maxrss << 10
	}
	return u
}

func pinned(cpu string, args ...string) *exec.Cmd {
	if _, err := exec.LookPath("taskset"); err == nil && runtime.NumCPU() > 1 {
		args = append([]string{"taskset", "-c", cpu}, args...)
	}
	return exec.Command(args[0], args[1:]...)
}

func startSyntheticWeb(b *testing.B, hosts, pages int) (addr string) {
	b.Helper()
	server := pinned("1", "synthetic-web", fmt.Sprint(hosts), fmt.Sprint(pages))
	stdin, err := server.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	stdout, err := server.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = server.Wait()
	})
	addr, err = bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimSpace(addr)
}

func benchConfig(addr string, hosts int) string {
	var w strings.Builder
	fmt.Fprintln(&w, "name: bench\nseeds:")
	for h := range hosts {
		fmt.Fprintln(&w, "  -", syntheticSeed(h))
	}
	fmt.Fprint(&w, `politeness: {agent: bench, delay: 0s, concurrency: 8}
extract:
  item: {fields: {title: {css: h1}, price: {css: .price, as: number}, sku: {css: .sku}}}
output: [{jsonl: out.jsonl}]
fetch:
  workers: 64
  allow_private: true
  resolve:
`)
	for h := range hosts {
		fmt.Fprintf(&w, "    h%d.example: %s\n", h, addr)
	}
	return w.String()
}

func lines(b *testing.B, path string) int {
	b.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		b.Fatal(err)
	}
	return bytes.Count(data, []byte("\n"))
}
