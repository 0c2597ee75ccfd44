package fetch

import (
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"sync"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// TestConnectionsWait comes back to 200 hosts, one after the other, as a crawl does
// whose hosts are owed delays: each still has its connection, until there are more
// hosts than connections may be kept.
func TestConnectionsWait(t *testing.T) {
	const hosts = 200
	for _, c := range []struct {
		name        string
		shape       func(*Options)
		connections int
	}{
		{"for many workers", func(o *Options) { o.Workers = 64 }, hosts},
		{"but no more than is said", func(o *Options) { o.Workers, o.MaxIdle = 64, 100 }, 2 * hosts},
	} {
		t.Run(c.name, func(t *testing.T) {
			var mu sync.Mutex
			from := map[string]bool{}
			base, err := url.Parse(serve(t, func(_ http.ResponseWriter, r *http.Request) {
				mu.Lock()
				defer mu.Unlock()
				from[r.RemoteAddr] = true
			}))
			if err != nil {
				t.Fatal(err)
			}
			resolve := map[string]string{}
			for h := range hosts {
				resolve[fmt.Sprintf("h%d.example", h)] = netip.MustParseAddrPort(base.Host).String()
			}
			client := newClient(t, c.shape, func(o *Options) { o.Resolve = resolve })
			for range 2 {
				for h := range hosts {
					mustGet(t, client, fmt.Sprintf("http://h%d.example/", h), crawler.FetchOptions{})
				}
			}
			mu.Lock()
			defer mu.Unlock()
			if len(from) != c.connections {
				t.Errorf("%d connections for two visits of %d hosts, want %d", len(from), hosts, c.connections)
			}
		})
	}
}

func TestUsefulIdle(t *testing.T) {
	for _, c := range []struct {
		workers int
		memory  int64
		want    int
	}{
		{workers: 1, want: 128},
		{workers: 64, want: 512},
		{workers: 512, want: 2048},
		{workers: 5000, want: 5000},
		{workers: 64, memory: 32 << 20, want: 512},
		{workers: 64, memory: 4 << 20, want: 256},
		{workers: 64, memory: 64 << 10, want: 64},
	} {
		if got := usefulIdle(Options{Workers: c.workers, Memory: c.memory}); got != c.want {
			t.Errorf("%d workers and %d bytes of memory: %d connections are kept, want %d", c.workers, c.memory, got, c.want)
		}
	}
}
