package frontier

import (
	"fmt"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// People who watch are told what is queued, exactly up to a bound, whatever of it is in
// memory and on loan.
func TestQueues(t *testing.T) {
	for name, o := range map[string]Options{"roomy": {}, "cramped": {MaxBuffered: 8}} {
		o.Dir, o.Crawl = t.TempDir(), "shop"
		f, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int64{"https://few.example": 3, "https://many.example": 300, "https://more.example": queueRows + 500}
		var b crawler.Batch
		for host, n := range want {
			for i := range n {
				u, err := urls.Parse(fmt.Sprintf("%s/%d", host, i))
				if err != nil {
					t.Fatal(err)
				}
				b.Found = append(b.Found, crawler.Request{URL: u, Key: (&urls.Canon{}).Key(u)})
			}
		}
		if _, err := f.Commit(t.Context(), &b); err != nil {
			t.Fatal(err)
		}
		out := map[string]int64{}
		for range 7 {
			leases, err := f.Lease(t.Context(), 1)
			if err != nil {
				t.Fatal(err)
			}
			out[leases[0].Host()]++
			f.Free(leases[0].ID, crawler.HostState{Concurrency: 1, NotBefore: time.Now().Add(time.Duration(len(out)) * time.Minute)})
			if out[leases[0].Host()] > 2 {
				t.Fatal("a host is asked too early")
			}
			if len(out) == len(want) {
				break
			}
		}
		queues := f.Queues(10)
		if len(queues) != 3 || queues[2].Host != "https://few.example" {
			t.Fatalf("%s: %+v", name, queues)
		}
		for _, q := range queues {
			left := want[q.Host] - out[q.Host]
			if exact := q.Queued == left && !q.More; !exact && (left <= queueRows || !q.More || q.Queued < queueRows || q.Queued > left) {
				t.Errorf("%s: %+v, there are %d", name, q, left)
			}
			if (out[q.Host] > 0) != q.NotBefore.After(time.Now()) || q.InFlight != 0 {
				t.Errorf("%s: %+v, %d are on loan", name, q, out[q.Host])
			}
		}
		if got := f.Queues(1); len(got) != 1 {
			t.Errorf("%s: asked for one: %+v", name, got)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		if got := f.Queues(10); got != nil {
			t.Errorf("%s: a closed frontier has %+v", name, got)
		}
	}
}
