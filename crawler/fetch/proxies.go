package fetch

import (
	"crypto/tls"
	"fmt"
	"net/url"
	"slices"
	"sync/atomic"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler/urls"
)

// MaxProxies bounds the proxies of one list.
const MaxProxies = 1000

// triedProxies bounds how many of a list are tried for one request.
const triedProxies = 3

// Proxies are what hosts are reached through: one of them at a time, those that
// fail being set aside for a while. They are safe for concurrent use, and one list
// may serve many routes.
type Proxies struct {
	list    []*proxy
	perCall bool
	next    atomic.Uint64
	except  []urls.HostRange
}

// ProxyOptions shape a list of proxies.
type ProxyOptions struct {
	// URLs are those of the proxies: http, https (TLS to the proxy), socks5 (names
	// are resolved here) or socks5h (names are resolved there), with user and
	// password where the proxy asks for them.
	URLs []string
	// PerRequest takes the next proxy for each request. Otherwise a host keeps its
	// proxy for as long as that works.
	PerRequest bool
	// Except are hosts that are connected to directly: host, host:port, *.host,
	// an IP address or a prefix such as 10.0.0.0/8.
	Except []string
	// TLS is for connections to https proxies; nil takes the system's roots.
	TLS *tls.Config
}

// NewProxies reads a list of proxies. Errors wrap ErrOptions and hold no password.
func NewProxies(o ProxyOptions) (*Proxies, error) {
	if len(o.URLs) == 0 || len(o.URLs) > MaxProxies {
		return nil, fmt.Errorf("%w: %d proxies, of at most %d", ErrOptions, len(o.URLs), MaxProxies)
	}
	p := &Proxies{perCall: o.PerRequest}
	seen := map[string]bool{}
	for _, raw := range o.URLs {
		u, err := urls.ParseProxy(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrOptions, err)
		}
		if seen[u.String()] {
			continue
		}
		seen[u.String()] = true
		p.list = append(p.list, newProxy(u, o.TLS))
	}
	for _, raw := range o.Except {
		e, err := urls.ParseHostRange(raw)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrOptions, err)
		}
		p.except = append(p.except, e)
	}
	return p, nil
}

// excepts reports whether a URL's host is connected to directly.
func (p *Proxies) excepts(u *url.URL) bool {
	return len(p.except) > 0 && slices.ContainsFunc(p.except, func(r urls.HostRange) bool { return r.Contains(hostOf(u), portOf(u)) })
}

// pick chooses a proxy that is not set aside and was not tried before; nil when
// there is none. One through which the host did not answer is the last choice.
func (p *Proxies) pick(host string, tried []*proxy, now time.Time) *proxy {
	if len(p.list) > 1 {
		doubted := tried
		for _, c := range p.list {
			if c.doubted(host) {
				doubted = append(doubted[:len(doubted):len(doubted)], c)
			}
		}
		if c := p.choose(host, doubted, now); c != nil {
			return c
		}
	}
	return p.choose(host, tried, now)
}

func (p *Proxies) choose(host string, tried []*proxy, now time.Time) *proxy {
	if p.perCall {
		first := p.next.Add(1) - 1
		for i := range uint64(len(p.list)) {
			if c := p.list[(first+i)%uint64(len(p.list))]; c.usable(now) && !slices.Contains(tried, c) {
				return c
			}
		}
		return nil
	}
	// The one with the highest score for the host, so that one proxy that fails
	// moves its own hosts and no others.
	var best *proxy
	var most uint64
	for _, c := range p.list {
		if score := xxh3.HashString(host + "\x00" + c.url.Host); (best == nil || score > most) && c.usable(now) && !slices.Contains(tried, c) {
			best, most = c, score
		}
	}
	return best
}

// back is when the first of the proxies may be used again, and what was wrong with
// it; zero when one may be used now. Hopeless tells that waiting leads nowhere.
func (p *Proxies) back(now time.Time) (until time.Time, cause error, hopeless bool) {
	hopeless = true
	for _, c := range p.list {
		at, err, lost := c.state(now)
		if !at.After(now) {
			return time.Time{}, nil, false
		}
		if until.IsZero() || at.Before(until) {
			until, cause = at, err
		}
		hopeless = hopeless && lost
	}
	return until, cause, hopeless
}
