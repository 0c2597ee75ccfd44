package politeness

import (
	"fmt"
	"net/netip"
	"syscall"
)

// DialControl is for net.Dialer.Control: it sees the address after the name was
// resolved, an instant before the connection is made, so that no name can lead
// past it. Only public unicast addresses pass. allowPrivate lets loopback,
// private, link-local and other addresses of local use pass as well, but never
// those of cloud metadata services, multicast or the unspecified address.
// What is refused is an ErrPrivateAddress.
func DialControl(allowPrivate bool) func(network, address string, c syscall.RawConn) error {
	return func(network, address string, _ syscall.RawConn) error {
		addr, err := netip.ParseAddrPort(address)
		if err != nil {
			return fmt.Errorf("%w: %s is no IP address with a port", ErrPrivateAddress, address)
		}
		if use := reserved(addr.Addr(), allowPrivate); use != "" {
			return fmt.Errorf("%w: %s is %s", ErrPrivateAddress, addr.Addr(), use)
		}
		return nil
	}
}

// block is a range of addresses that are not public.
type block struct {
	prefix netip.Prefix
	use    string
	never  bool // not even with allowPrivate
}

// blocks follows the IANA special-purpose address registries (RFC 6890). More
// particular ranges come first.
var blocks = []block{
	{netip.MustParsePrefix("169.254.169.254/32"), "a cloud metadata service", true},
	{netip.MustParsePrefix("169.254.170.2/32"), "a cloud metadata service", true},
	{netip.MustParsePrefix("100.100.100.200/32"), "a cloud metadata service", true},
	{netip.MustParsePrefix("fd00:ec2::254/128"), "a cloud metadata service", true},
	{netip.MustParsePrefix("0.0.0.0/8"), "unspecified", true},
	{netip.MustParsePrefix("::/128"), "unspecified", true},
	{netip.MustParsePrefix("224.0.0.0/4"), "multicast", true},
	{netip.MustParsePrefix("255.255.255.255/32"), "broadcast", true},
	{netip.MustParsePrefix("ff00::/8"), "multicast", true},

	{netip.MustParsePrefix("10.0.0.0/8"), "private", false},
	{netip.MustParsePrefix("100.64.0.0/10"), "shared by a carrier", false},
	{netip.MustParsePrefix("127.0.0.0/8"), "loopback", false},
	{netip.MustParsePrefix("169.254.0.0/16"), "link-local", false},
	{netip.MustParsePrefix("172.16.0.0/12"), "private", false},
	{netip.MustParsePrefix("192.0.0.0/24"), "for protocols", false},
	{netip.MustParsePrefix("192.0.2.0/24"), "for documentation", false},
	{netip.MustParsePrefix("192.88.99.0/24"), "a relay", false},
	{netip.MustParsePrefix("192.168.0.0/16"), "private", false},
	{netip.MustParsePrefix("198.18.0.0/15"), "for benchmarks", false},
	{netip.MustParsePrefix("198.51.100.0/24"), "for documentation", false},
	{netip.MustParsePrefix("203.0.113.0/24"), "for documentation", false},
	{netip.MustParsePrefix("240.0.0.0/4"), "reserved", false},
	{netip.MustParsePrefix("::1/128"), "loopback", false},
}

// public is the only range of IPv6 that is routed (RFC 4291 section 2.4), less
// the blocks below.
var public = netip.MustParsePrefix("2000::/3")

var blocks6 = []block{
	{netip.MustParsePrefix("2001::/23"), "for protocols", false}, // with Teredo and ORCHID
	{netip.MustParsePrefix("2001:db8::/32"), "for documentation", false},
	{netip.MustParsePrefix("3fff::/20"), "for documentation", false},
}

// carriers are ranges whose addresses hold an IPv4 address, at the given octet,
// that they lead to.
var carriers = []struct {
	prefix netip.Prefix
	at     int
}{
	{netip.MustParsePrefix("::/96"), 12},         // IPv4-compatible
	{netip.MustParsePrefix("::ffff:0:0/96"), 12}, // IPv4-mapped
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12},
	{netip.MustParsePrefix("64:ff9b::/96"), 12}, // NAT64
	{netip.MustParsePrefix("2002::/16"), 2},     // 6to4
}

// reserved names the use of an address that may not be connected to, "" for
// one that may.
func reserved(a netip.Addr, allowPrivate bool) string {
	a = a.WithZone("")
	if !a.IsValid() {
		return "no address"
	}
	if use, found := listed(blocks, a, allowPrivate); found {
		return use
	}
	if a.Is4() {
		return ""
	}
	for _, c := range carriers {
		if c.prefix.Contains(a) {
			b := a.As16()
			inner, _ := netip.AddrFromSlice(b[c.at : c.at+4])
			if use := reserved(inner, allowPrivate); use != "" {
				return "a way to " + inner.String() + ", " + use
			}
			return ""
		}
	}
	if use, found := listed(blocks6, a, allowPrivate); found {
		return use
	}
	if !public.Contains(a) && !allowPrivate {
		return "not public"
	}
	return ""
}

// listed looks an address up; found tells that the first block with it
// settles the matter.
func listed(in []block, a netip.Addr, allowPrivate bool) (use string, found bool) {
	for _, b := range in {
		if b.prefix.Contains(a) {
			if allowPrivate && !b.never {
				return "", true
			}
			return b.use, true
		}
	}
	return "", false
}
