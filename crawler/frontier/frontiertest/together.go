package frontiertest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"golang.org/x/sync/errgroup"

	"github.com/amblecrawl/amble/crawler"
)

const (
	togetherPages   = 1500
	togetherHosts   = 6
	togetherWorkers = 4
	togetherLimit   = 2 // in flight per host
)

// together: workers that lease, free, give back and commit at once crawl a tree
// of pages, each once, and never more of one host than it allows.
func together(t *testing.T, h Harness) {
	defer h.Close()
	f := open(t, h)
	defer func() { _ = f.Close() }()
	tally := &tally{settled: map[int]int{}, out: map[string]int{}}
	if _, err := f.Commit(t.Context(), &crawler.Batch{
		Found: []crawler.Request{page(t, 0)},
		Hosts: map[string]crawler.HostState{"https://h0.example": {Concurrency: togetherLimit}},
	}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), watchdog)
	defer cancel()
	g, ctx := errgroup.WithContext(ctx)
	for range togetherWorkers {
		g.Go(func() error { return tally.work(ctx, t, f) })
	}
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for n := range togetherPages {
		if tally.settled[n] != 1 {
			t.Errorf("page %d was settled %d times", n, tally.settled[n])
		}
	}
	if s := f.Stats(); s.Seen != togetherPages || s.Settled != togetherPages {
		t.Errorf("counts %+v", s)
	}
}

// page is the nth of the tree: it links to 2n+1 and 2n+2.
func page(t fataler, n int) crawler.Request {
	return request(t, fmt.Sprintf("https://h%d.example/%d", n%togetherHosts, n))
}

type tally struct {
	mu      sync.Mutex
	settled map[int]int
	out     map[string]int
}

func (c *tally) work(ctx context.Context, t *testing.T, f crawler.Frontier) error {
	for turn := 0; ; turn++ {
		ls, err := f.Lease(ctx, 3)
		if errors.Is(err, crawler.ErrDrained) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := c.enter(ls); err != nil {
			return err
		}
		b := &crawler.Batch{Hosts: map[string]crawler.HostState{}}
		for i, l := range ls {
			c.leave(l.Host())
			if (turn+i)%7 == 6 {
				f.GiveBack(l.ID)
				continue
			}
			s := crawler.HostState{Concurrency: togetherLimit}
			f.Free(l.ID, s)
			c.settle(t, b, l)
			b.Hosts[l.Host()] = s
		}
		if _, err := f.Commit(ctx, b); err != nil {
			return err
		}
	}
}

func (c *tally) enter(ls []crawler.Lease) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, l := range ls {
		if c.out[l.Host()]++; c.out[l.Host()] > togetherLimit {
			return fmt.Errorf("%d of %s are in flight", c.out[l.Host()], l.Host())
		}
	}
	return nil
}

func (c *tally) leave(host string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.out[host]--
}

func (c *tally) settle(t fataler, b *crawler.Batch, l crawler.Lease) {
	var host, n int
	if _, err := fmt.Sscanf(l.URL.String(), "https://h%d.example/%d", &host, &n); err != nil {
		t.Fatalf("leased %s: %v", l.URL, err)
	}
	b.Outcomes = append(b.Outcomes, crawler.Outcome{Lease: l.ID, Key: l.Key, Host: l.Host(), Class: crawler.ClassFetched})
	for _, link := range []int{2*n + 1, 2*n + 2, n / 2} {
		if link < togetherPages {
			b.Found = append(b.Found, page(t, link))
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.settled[n]++
}
