package fetch

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"time"
)

const (
	dialStagger  = 250 * time.Millisecond // RFC 8305 section 5
	dialAttempts = 6                      // addresses of one name tried
)

// dialer connects to the first address of a host that answers. Every address
// passes the control function at the moment it is connected to.
type dialer struct {
	net       net.Dialer
	overrides map[string]string
	dns       *dnsCache
	connect   time.Duration
}

func newDialer(ctx context.Context, o Options) *dialer {
	return &dialer{
		// No probes: they would find a dead peer after those who wait for it, or
		// keep a connection for later, have given up.
		net:       net.Dialer{Control: o.DialControl, KeepAlive: -1},
		overrides: o.Resolve,
		dns:       &dnsCache{ask: o.Lookup, now: o.Now, ctx: ctx, known: make(map[string]dnsAnswer)},
		connect:   o.Connect,
	}
}

// DialContext serves http.Transport; addr is "host:port".
func (d *dialer) DialContext(ctx context.Context, network, addr string) (net.Conn, error) {
	if to, ok := d.override(addr); ok {
		ctx, cancel := context.WithTimeout(ctx, d.connect)
		defer cancel()
		return d.net.DialContext(ctx, network, to)
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	ips, err := d.dns.lookup(ctx, host)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, d.connect)
	defer cancel()
	conn, err := d.race(ctx, network, port, interleave(ips))
	if err != nil {
		d.dns.forget(host) // it may have moved
	}
	return conn, err
}

// override is the address that is configured for addr or, for any port, its
// host; IPv6 hosts have their brackets.
func (d *dialer) override(addr string) (string, bool) {
	if to, ok := d.overrides[addr]; ok {
		return to, true
	}
	host := addr
	if i := strings.LastIndexByte(addr, ':'); i >= 0 {
		host = addr[:i]
	}
	to, ok := d.overrides[host]
	return to, ok
}

type dialed struct {
	conn net.Conn
	err  error
}

// race connects to the addresses in their order, starting the next when one
// fails or has not answered within the stagger, and keeps the first to answer.
func (d *dialer) race(ctx context.Context, network, port string, ips []netip.Addr) (net.Conn, error) {
	if len(ips) == 1 {
		return d.net.DialContext(ctx, network, net.JoinHostPort(ips[0].String(), port))
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the attempts that lost
	results := make(chan dialed)
	attempt := func(ip netip.Addr) {
		conn, err := d.net.DialContext(ctx, network, net.JoinHostPort(ip.String(), port))
		select {
		case results <- dialed{conn, err}:
		case <-ctx.Done():
			if conn != nil {
				conn.Close()
			}
		}
	}
	timer := time.NewTimer(0)
	defer timer.Stop()
	var errs []error
	next, failed := 0, 0
	for failed < len(ips) {
		select {
		case r := <-results:
			if r.err == nil {
				return r.conn, nil
			}
			errs = append(errs, r.err)
			failed++
			timer.Reset(0)
		case <-timer.C:
			if next < len(ips) {
				go attempt(ips[next])
				next++
				timer.Reset(dialStagger)
			}
		case <-ctx.Done():
			return nil, errors.Join(append(errs, ctx.Err())...)
		}
	}
	return nil, errors.Join(errs...)
}

// interleave alternates the families, beginning with the resolver's choice,
// so that a broken one costs a single stagger (RFC 8305 section 4).
func interleave(ips []netip.Addr) []netip.Addr {
	if len(ips) < 2 {
		return ips
	}
	var same, other, out []netip.Addr
	for _, ip := range ips {
		if ip.Unmap().Is4() == ips[0].Unmap().Is4() {
			same = append(same, ip)
		} else {
			other = append(other, ip)
		}
	}
	for i := 0; len(out) < min(len(ips), dialAttempts); i++ {
		if i < len(same) {
			out = append(out, same[i])
		}
		if i < len(other) {
			out = append(out, other[i])
		}
	}
	return out[:min(len(out), dialAttempts)]
}
