package frontier

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// numberedRequest is the nth page of a host, with a key that spreads.
func numberedRequest(tb testing.TB, host string, n int) crawler.Request {
	u, err := urls.Parse(host + "/catalogue/page-" + strconv.Itoa(n) + "/index.html")
	if err != nil {
		tb.Fatal(err)
	}
	return crawler.Request{URL: u, Key: (&urls.Canon{}).Key(u), Depth: 3}
}

func hostName(n int) string { return "https://www.host-" + strconv.Itoa(n) + ".example" }

const batchLinks = 1000

// BenchmarkAddNew measures one new link, in batches over 1,000 hosts.
func BenchmarkAddNew(b *testing.B) {
	f := mustOpen(b, Options{Dir: b.TempDir()})
	batches := pageBatches(b, 1000, b.N)
	b.ReportAllocs()
	b.ResetTimer()
	for i := range batches {
		mustCommit(b, f, &batches[i])
	}
}

// pageBatches are n pages over some hosts, in batches.
func pageBatches(tb testing.TB, hosts, n int) []crawler.Batch {
	batches := make([]crawler.Batch, (n+batchLinks-1)/batchLinks)
	for i := range n {
		t := &batches[i/batchLinks]
		t.Found = append(t.Found, numberedRequest(tb, hostName(i%hosts), i))
	}
	return batches
}

// BenchmarkAddSeen measures one link that is known, from the cache and from
// the store.
func BenchmarkAddSeen(b *testing.B) {
	for name, cache := range map[string]int{"Cache": 0, "Store": 1} {
		b.Run(name, func(b *testing.B) {
			f := mustOpen(b, Options{Dir: b.TempDir(), SeenCache: cache})
			batches := pageBatches(b, 1000, 200_000)
			for i := range batches {
				mustCommit(b, f, &batches[i])
			}
			b.ReportAllocs()
			b.ResetTimer()
			for i := 0; i < b.N; i += batchLinks {
				mustCommit(b, f, &batches[i/batchLinks%len(batches)])
			}
		})
	}
}

// BenchmarkLeaseSettle measures one request from lease to durable outcome, in
// batches of 256, on many hosts and on one.
func BenchmarkLeaseSettle(b *testing.B) {
	for _, hosts := range []int{1000, 1} {
		b.Run(fmt.Sprintf("%dHosts", hosts), func(b *testing.B) {
			f := mustOpen(b, Options{Dir: b.TempDir()})
			seedPages(b, f, hosts, b.N)
			b.ReportAllocs()
			b.ResetTimer()
			if n := crawl(b, f, 256); n != b.N {
				b.Fatalf("crawled %d of %d", n, b.N)
			}
		})
	}
}

// seedPages queues n pages over some hosts that may be asked without delay.
func seedPages(tb testing.TB, f *Frontier, hosts, n int) {
	tb.Helper()
	batch := crawler.Batch{Hosts: map[string]crawler.HostState{}}
	for i := range n {
		batch.Found = append(batch.Found, numberedRequest(tb, hostName(i%hosts), i))
		if i < hosts {
			batch.Hosts[hostName(i)] = crawler.HostState{Concurrency: 1000}
		}
		if len(batch.Found) == 10*batchLinks || i == n-1 {
			mustCommit(tb, f, &batch)
			batch = crawler.Batch{Hosts: map[string]crawler.HostState{}}
		}
	}
}

// crawl leases and settles until the frontier is drained.
func crawl(tb testing.TB, f *Frontier, size int) (n int) {
	tb.Helper()
	return crawlSome(tb, f, size, math.MaxInt)
}

// crawlSome stops after about so many.
func crawlSome(tb testing.TB, f *Frontier, size, most int) (n int) {
	tb.Helper()
	var batch crawler.Batch
	for n < most {
		ls, err := f.Lease(context.Background(), size)
		if errors.Is(err, crawler.ErrDrained) {
			return n
		}
		if err != nil {
			tb.Fatal(err)
		}
		batch.Outcomes = batch.Outcomes[:0]
		for _, l := range ls {
			batch.Outcomes = append(batch.Outcomes, crawler.Outcome{
				Lease: l.ID, Key: l.Key, Host: l.Host(), Class: crawler.ClassFetched, Status: 200,
			})
		}
		mustCommit(tb, f, &batch)
		n += len(ls)
	}
	return n
}

func BenchmarkOpen(b *testing.B) {
	o := Options{Dir: b.TempDir(), Crawl: "shop"}
	f := mustOpen(b, o)
	seedPages(b, f, 1000, 100_000)
	_ = f.Close()
	for b.Loop() {
		f, err := Open(o)
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		_ = f.Close()
		b.StartTimer()
	}
}
