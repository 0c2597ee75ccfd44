package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/amblecrawl/amble/fixtures/synthetic"
)

// askConditionally is the least that asking for known pages can take: a process with
// 64 workers who ask for one page after the other by its ETag, and do nothing with the
// answer. Arguments: the server's address, how many pages ten hosts have in all.
func askConditionally() {
	addr := os.Args[1]
	pages, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	dialer := &net.Dialer{}
	client := &http.Client{Transport: &http.Transport{
		MaxIdleConnsPerHost: 64,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, network, addr)
		},
	}}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range 64 {
		workers.Go(func() {
			for n := int(next.Add(1)) - 1; n < pages; n = int(next.Add(1)) - 1 {
				if err := askOnce(client, n%10, n/10); err != nil {
					log.Fatal(err)
				}
			}
		})
	}
	workers.Wait()
}

func askOnce(client *http.Client, host, page int) error {
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, fmt.Sprintf("http://h%d.example/p/%d.html", host, page), nil)
	if err != nil {
		return err
	}
	req.Header.Set("If-None-Match", fmt.Sprintf(`"0-%d-%d"`, host, page))
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusNotModified {
		return fmt.Errorf("%s: %s", req.URL, resp.Status)
	}
	_, err = io.Copy(io.Discard, resp.Body)
	return errors.Join(err, resp.Body.Close())
}

// benchmarkFloor tells what asking takes beside which BenchmarkSecondRun's figures are
// to be seen.
func benchmarkFloor(b *testing.B, pages int) {
	web := httptest.NewServer(synthetic.New(synthetic.Options{Hosts: 10, Pages: pages / 10, Tags: true}))
	defer web.Close()
	total := 0.0
	for range b.N {
		cmd := exec.CommandContext(b.Context(), "conditionalloop", web.Listener.Addr().String(), strconv.Itoa(pages))
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
		total += (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(total/float64(b.N), "CPU-s/floor")
}
