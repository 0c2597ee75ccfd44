package cmd

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/fixtures"
	"github.com/amblecrawl/amble/fixtures/synthetic"
)

// BenchmarkPolite measures what politeness costs in time beyond itself: hosts
// with n pages each, which a robots.txt goes before, owe n delays, and no crawl
// that keeps them can be faster than n times the delay. It reports the time of
// the whole process in those, and fails where that is more than 1.03 and a
// second, or where the server's own account has a violation.
//
//	go test -run '^$' -bench Polite -benchtime 1x ./cmd
func BenchmarkPolite(b *testing.B) {
	for _, c := range []struct {
		hosts, pages int
		delay        time.Duration
	}{
		{50, 40, 200 * time.Millisecond},
		{5000, 10, 10 * time.Second},
	} {
		b.Run(fmt.Sprintf("%dhosts", c.hosts), func(b *testing.B) {
			const latency = 5 * time.Millisecond
			ideal := time.Duration(c.pages) * c.delay
			var total time.Duration
			var cpu time.Duration
			for b.Loop() {
				web := startPoliteWeb(b, c.hosts, c.pages, latency)
				dir := b.TempDir()
				config := filepath.Join(dir, "polite.yaml")
				if err := os.WriteFile(config, []byte(politeConfig(web.addr, c.hosts, c.delay)), 0o600); err != nil {
					b.Fatal(err)
				}
				u := runPinned(b, "0", "amble", "run", config)
				total, cpu = total+u.wall, cpu+u.cpu
				if n := lines(b, filepath.Join(dir, "out.jsonl")); n != c.hosts*c.pages {
					b.Errorf("%d records for %d pages", n, c.hosts*c.pages)
				}
				for _, v := range web.violations(b, c.delay) {
					b.Error(v)
				}
				if most := ideal + ideal*3/100 + time.Second; u.wall > most {
					b.Errorf("%v for %v of delays, more than %v", u.wall, ideal, most)
				}
			}
			n := float64(b.N)
			b.ReportMetric(total.Seconds()/n/ideal.Seconds(), "x-ideal")
			b.ReportMetric((total.Seconds()-n*ideal.Seconds())/n, "s-beyond")
			b.ReportMetric(cpu.Seconds()/n, "cpu-s")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func politeConfig(addr string, hosts int, delay time.Duration) string {
	was := "politeness: {agent: bench, delay: 0s, concurrency: 8}"
	now := fmt.Sprintf("politeness: {agent: bench, contact: bench@bench.example, delay: %v}", delay)
	return strings.Replace(benchConfig(addr, hosts), was, now, 1)
}

// politeWeb is a synthetic web that judges its visitor.
type politeWeb struct {
	addr  string
	ask   io.WriteCloser
	reply *bufio.Reader
}

// startPoliteWeb starts it as a process of its own.
func startPoliteWeb(b *testing.B, hosts, pages int, latency time.Duration) *politeWeb {
	b.Helper()
	server := pinned("1", "polite-web", fmt.Sprint(hosts), fmt.Sprint(pages), latency.String())
	stdin, err := server.StdinPipe()
	check(err)
	stdout, err := server.StdoutPipe()
	check(err)
	if err := server.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = server.Wait()
	})
	w := &politeWeb{ask: stdin, reply: bufio.NewReader(stdout)}
	w.addr, err = w.reply.ReadString('\n')
	if err != nil {
		b.Fatal(err)
	}
	w.addr = strings.TrimSpace(w.addr)
	return w
}

// violations asks what was found against a delay of one request at a time.
func (w *politeWeb) violations(b *testing.B, delay time.Duration) (found []string) {
	b.Helper()
	if _, err := fmt.Fprintln(w.ask, delay); err != nil {
		b.Fatal(err)
	}
	line, err := w.reply.ReadBytes('\n')
	if err != nil {
		b.Fatal(err)
	}
	if err := json.Unmarshal(line, &found); err != nil {
		b.Fatal(err)
	}
	return found
}

// servePoliteWeb serves HOSTS hosts of PAGES pages, each answer after LATENCY,
// prints its address, and answers each delay on stdin with the violations of
// it, until stdin is closed.
func servePoliteWeb() {
	latency, err := time.ParseDuration(os.Args[3])
	check(err)
	web := synthetic.New(synthetic.Options{Hosts: number(os.Args[1]), Pages: number(os.Args[2]), Latency: latency, Seed: 1})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	server := &http.Server{Handler: web, ReadHeaderTimeout: time.Minute}
	fmt.Println(listener.Addr())
	go func() { _ = server.Serve(listener) }() // ends with the process
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		delay, err := time.ParseDuration(asked.Text())
		check(err)
		found := []string{}
		for _, v := range web.Account().Violations(fixtures.Rules{Delay: delay, Concurrency: 1}) {
			found = append(found, v.String())
		}
		check(json.NewEncoder(os.Stdout).Encode(found))
	}
}
