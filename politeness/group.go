package politeness

import (
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/net/publicsuffix"
)

// Group says which hosts share one budget.
type Group uint8

const (
	// GroupHost has each host stand for itself.
	GroupHost Group = iota
	// GroupAddress joins hosts that Options.Address tells one address for.
	GroupAddress
	// GroupDomain joins the hosts below one registrable domain, by the Public
	// Suffix List: "a.shop.co.uk" and "shop.co.uk". Addresses and names without
	// a registrable domain stand for themselves, whatever their port.
	GroupDomain
)

var groupNames = [...]string{"host", "address", "domain"}

// String names the group as configs do.
func (g Group) String() string { return groupNames[g] }

// ParseGroup reads the name of a group.
func ParseGroup(name string) (Group, error) {
	for i, n := range groupNames {
		if n == name {
			return Group(i), nil
		}
	}
	return GroupHost, fmt.Errorf("%q is not host, address or domain", name)
}

// group is the budget that its hosts share beside their own. What one site asks
// for itself, its Crawl-delay and a 503, holds for it alone. What the operator
// configured and what a server says about our rate, 429 and its latency, holds
// for all of the group.
type group struct {
	key     string
	members int // hosts in memory
	memory  memoryState
	lane
}

// groupKey names the group of an origin, "" for none. It may call
// Options.Address, so it is not called with the lock held.
func (g *Gate) groupKey(origin string) string {
	scheme, name := splitOrigin(origin)
	if scheme != "http" && scheme != "https" {
		return "" // its name is no host's
	}
	switch g.policy.Group {
	case GroupAddress:
		if g.address == nil {
			return ""
		}
		if address, ok := g.address(origin); ok && address != "" && len(address) <= maxGroupKey {
			return "address:" + address
		}
	case GroupDomain:
		if _, err := netip.ParseAddr(name); err == nil {
			return "domain:" + name
		}
		if domain, err := publicsuffix.EffectiveTLDPlusOne(name); err == nil {
			return "domain:" + domain
		}
		return "domain:" + name
	}
	return ""
}

const maxGroupKey = 255

// join makes a host one of its group. The slowest member sets the pace: were it
// the one whose turn it is, a slow host would never find the group at rest for
// long enough.
func (g *Gate) join(h *host, key string) {
	if key == "" {
		return
	}
	s := g.groups[key]
	if s == nil {
		s = &group{key: key}
		s.limit = h.limit
		s.inherit(g)
		g.groups[key] = s
	}
	s.members++
	s.delay = max(s.delay, h.delay)
	s.limit = min(s.limit, h.limit)
	h.group = s
}

// quit forgets the group with its last host. That one owes nothing, nor does
// the group, since a host owes what its group owes.
func (g *Gate) quit(h *host) {
	if h.group == nil {
		return
	}
	h.group.members--
	g.drop(h.group)
	h.group = nil
}

// drop forgets a group that nobody is in any more.
func (g *Gate) drop(s *group) {
	if s != nil && s.members == 0 && s.inFlight == 0 {
		delete(g.groups, s.key)
	}
}

// regroupAfter is how long the address of a host is taken for known: names move,
// and what answers at the new address has a pace of its own.
const regroupAfter = 10 * time.Minute

// stale reports whether the host's group is to be found again.
func (g *Gate) stale(h *host, now time.Time) bool {
	return g.policy.Group == GroupAddress && g.address != nil && now.Sub(h.grouped) >= regroupAfter
}

// regroup finds a host's group again, without the lock, as recall does. A host
// that cannot be found stays where it is.
func (g *Gate) regroup(h *host) {
	done := false
	defer func() {
		if !done { // the callback panicked: the next caller tries again
			g.mu.Lock()
			h.memory = known
			g.mu.Unlock()
		}
	}()
	key := g.groupKey(h.origin)
	g.mu.Lock()
	defer g.mu.Unlock()
	h.memory, h.grouped, done = known, g.clock.now(), true
	if key != "" && (h.group == nil || h.group.key != key) {
		g.move(h, key)
	}
}

// move takes a host to another group. What the servers of the old one asked for
// it goes on to owe, since that may have been about the host.
func (g *Gate) move(h *host, key string) {
	if old := h.group; old != nil {
		if !old.debt.IsZero() {
			h.put(old.debt, old.debtBy)
		}
		h.throttle.strikes = max(h.throttle.strikes, old.throttle.strikes)
		g.quit(h)
	}
	g.join(h, key)
}

// inherit lets a lane owe one delay from the start of a gate that follows
// another.
func (l *lane) inherit(g *Gate) {
	if g.resumed {
		l.last, l.inherits = g.created, true
	}
}
