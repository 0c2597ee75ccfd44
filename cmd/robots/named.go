package robots

import (
	"net/netip"
	"strings"
	"sync"
	"syscall"

	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/politeness"
)

// namedAddresses are the private addresses that a person wrote on the command
// line: these may be reached, and no other, wherever a name or a redirect leads.
type namedAddresses struct {
	mu       sync.Mutex
	hosts    map[netip.Addr]struct{}
	loopback bool // "localhost" was written
}

// add takes the address that a URL names, if it names one.
func (n *namedAddresses) add(u urls.URL) {
	n.mu.Lock()
	defer n.mu.Unlock()
	host := strings.TrimSuffix(u.Hostname(), ".")
	if host == "localhost" || strings.HasSuffix(host, ".localhost") { // RFC 6761 section 6.3
		n.loopback = true
	}
	if a, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil {
		if n.hosts == nil {
			n.hosts = map[netip.Addr]struct{}{}
		}
		n.hosts[a.Unmap()] = struct{}{}
	}
}

// control is for net.Dialer.Control.
func (n *namedAddresses) control(network, address string, c syscall.RawConn) error {
	return politeness.DialControl(n.has(address))(network, address, c)
}

func (n *namedAddresses) has(address string) bool {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	_, named := n.hosts[ap.Addr().Unmap()]
	return named || n.loopback && ap.Addr().Unmap().IsLoopback()
}
