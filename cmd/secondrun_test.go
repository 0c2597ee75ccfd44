package cmd

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/fixtures/synthetic"
)

// secondRuns are crawls that know their pages, and what their second run may write.
var secondRuns = []struct {
	name, revisit, extract string
	all                    bool // of the records
}{
	{"always", "{mode: always}", lightJob, true},
	{"changes", "{mode: always, output: changes}", lightJob, false},
	{"not due", "{mode: adaptive}", lightJob, true},
	{"always, by a tree", "{mode: always}", treeJob, true},
}

const (
	lightJob = "  item: {fields: {title: {css: h1}, price: {css: .price, as: number}, sku: {css: .sku}}}\n"
	treeJob  = lightJob + "  text: {fields: {sku: {xpath: \"//p[@class='sku']\"}, words: {xpath: \"//main\", as: markdown}}}\n"
)

// TestSecondRun crawls an unchanged site twice, and expects of the second run no more
// than a twentieth of the first one's bytes, no more requests, and the same records or
// none.
func TestSecondRun(t *testing.T) {
	t.Parallel()
	for _, c := range secondRuns[:3] {
		twice(t, c.revisit, c.extract, c.all, 500)
	}
}

// BenchmarkSecondRun does so with 10,000 pages of 12 KB, and tells what the second run
// takes of the CPU time of the first, and of one without revisit; and what a bare loop
// takes that asks for the same pages.
func BenchmarkSecondRun(b *testing.B) {
	b.Run("bare loop", func(b *testing.B) { benchmarkFloor(b, 10_000) })
	for _, c := range secondRuns {
		b.Run(c.name, func(b *testing.B) {
			var plain, first, second time.Duration
			for range b.N {
				one := twice(b, c.revisit, c.extract, c.all, 10_000)
				plain, first, second = plain+one[0], first+one[1], second+one[2]
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(plain.Seconds()/float64(b.N), "CPU-s/without")
			b.ReportMetric(first.Seconds()/float64(b.N), "CPU-s/first")
			b.ReportMetric(second.Seconds()/float64(b.N), "CPU-s/second")
			b.ReportMetric(100*second.Seconds()/first.Seconds(), "%of-first")
		})
	}
}

// twice runs a crawl without revisit and two with it, and gives what they took.
func twice(t testing.TB, revisit, extract string, all bool, pages int) (cpu [3]time.Duration) {
	t.Helper()
	web := httptest.NewServer(synthetic.New(synthetic.Options{Hosts: 10, Pages: pages / 10, Tags: true}))
	defer web.Close()
	dir, addr := t.TempDir(), web.Listener.Addr().String()
	var first, second crawler.Summary
	cpu[0], _ = secondRun(t, dir, "plain", addr, "off", extract)
	cpu[1], first = secondRun(t, dir, "known", addr, revisit, extract)
	cpu[2], second = secondRun(t, dir, "known", addr, revisit, extract)
	if first.Pages != int64(pages) || first.Revisit.New != int64(pages) || first.Records["item"] != int64(pages) {
		t.Errorf("%s: the first run has %d pages, %+v and records %v", revisit, first.Pages, first.Revisit, first.Records)
	}
	if second.Bytes*20 > first.Bytes || second.Requests > first.Requests {
		t.Errorf("%s: the second run took %d bytes in %d requests, the first %d in %d", revisit, second.Bytes, second.Requests, first.Bytes, first.Requests)
	}
	want := int64(0)
	if all {
		want = first.Records["item"]
	}
	if second.Revisit.Unchanged+second.Revisit.NotDue != int64(pages) || second.Records["item"] != want {
		t.Errorf("%s: the second run found %+v and wrote %v", revisit, second.Revisit, second.Records)
	}
	return cpu
}

// secondRun runs the crawl and gives its CPU time and its summary.
func secondRun(t testing.TB, dir, name, addr, revisit, extract string) (time.Duration, crawler.Summary) {
	t.Helper()
	config := "name: " + name + "\nrevisit: " + revisit + "\nseeds:\n"
	resolve := ""
	for h := range 10 {
		config += fmt.Sprintf("  - http://h%d.example/p/0.html\n", h)
		resolve += fmt.Sprintf("    h%d.example: %q\n", h, addr)
	}
	config += "politeness: {contact: qa@shop.example, delay: 0s, concurrency: 8}\nfetch:\n  allow_private: true\n  resolve:\n" +
		resolve + "extract:\n" + extract + "output: [{jsonl: \"" + name + "-{type}.jsonl\"}]\n"
	path, told := filepath.Join(dir, name+".yaml"), filepath.Join(dir, "summary.json")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "amble", "run", path, "--summary", told)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	data, err := os.ReadFile(told)
	if err != nil {
		t.Fatal(err)
	}
	var s crawler.Summary
	if err := json.Unmarshal(data, &s); err != nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), s
}
