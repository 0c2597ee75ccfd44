package fetch

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// How long and how many answers are kept. The resolver does not tell a
// record's own lifetime, so a short one stands for all.
const (
	dnsEntries  = 16 << 10
	dnsFound    = 5 * time.Minute
	dnsNotFound = 30 * time.Second
	dnsFailed   = 2 * time.Second // a resolver in trouble is spared, not written off
	dnsTimeout  = 10 * time.Second
)

// dnsCache answers names from memory, and asks once however many wait.
type dnsCache struct {
	ask func(ctx context.Context, host string) ([]netip.Addr, error)
	now func() time.Time
	ctx context.Context // owns the lookups: they outlive whoever asked first

	flight singleflight.Group
	mu     sync.Mutex
	known  map[string]dnsAnswer
}

type dnsAnswer struct {
	addrs []netip.Addr
	err   *net.DNSError
	until time.Time
}

// lookup gives the addresses of host, an IP address or a name. Errors are
// *net.DNSError, or ctx.Err().
func (c *dnsCache) lookup(ctx context.Context, host string) ([]netip.Addr, error) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []netip.Addr{ip}, nil
	}
	if a, ok := c.recall(host); ok {
		return a.result()
	}
	answered := c.flight.DoChan(host, func() (any, error) {
		if a, ok := c.recall(host); ok { // somebody else's, just finished
			return a, nil
		}
		return c.resolve(host), nil
	})
	select {
	case r := <-answered:
		return r.Val.(dnsAnswer).result()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (a dnsAnswer) result() ([]netip.Addr, error) {
	if a.err != nil {
		return nil, a.err
	}
	return a.addrs, nil
}

// resolve asks, and keeps the answer for as long as its kind deserves.
func (c *dnsCache) resolve(host string) dnsAnswer {
	ctx, cancel := context.WithTimeout(c.ctx, dnsTimeout)
	defer cancel()
	addrs, err := c.ask(ctx, host)
	a := dnsAnswer{addrs: addrs}
	keep := dnsFound
	if err == nil && len(addrs) == 0 {
		err = &net.DNSError{Err: "no address", Name: host, IsNotFound: true}
	}
	if err != nil {
		a.err = dnsError(host, err)
		keep = dnsFailed
		if a.err.IsNotFound {
			keep = dnsNotFound
		}
	}
	if c.ctx.Err() == nil {
		a.until = c.now().Add(keep)
		c.remember(host, a)
	}
	return a
}

// dnsError makes any failure of a lookup a DNS error.
func dnsError(host string, err error) *net.DNSError {
	var known *net.DNSError
	if errors.As(err, &known) {
		return known
	}
	return &net.DNSError{
		UnwrapErr:   err,
		Err:         err.Error(),
		Name:        host,
		IsTimeout:   errors.Is(err, context.DeadlineExceeded),
		IsTemporary: true,
	}
}

func (c *dnsCache) recall(host string) (dnsAnswer, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	a, ok := c.known[host]
	if ok && !c.now().Before(a.until) {
		delete(c.known, host)
		return dnsAnswer{}, false
	}
	return a, ok
}

// remember keeps an answer; a full cache drops an arbitrary other one.
func (c *dnsCache) remember(host string, a dnsAnswer) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, replaced := c.known[host]; !replaced && len(c.known) >= dnsEntries {
		for other := range c.known {
			delete(c.known, other)
			break
		}
	}
	c.known[host] = a
}

// forget drops an answer that led nowhere.
func (c *dnsCache) forget(host string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.known, host)
}
