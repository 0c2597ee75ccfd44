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

// local are addresses of a machine, a network or a document, and never those of
// somebody else: they pass with allowPrivate.
func local(prefix, use string) block { return block{netip.MustParsePrefix(prefix), use, false} }

// never are addresses that nobody crawls.
func never(prefix, use string) block { return block{netip.MustParsePrefix(prefix), use, true} }

const metadata = "a cloud metadata service"

// blocks4 are IANA's IPv4 Special-Purpose Address Registry
// (https://www.iana.org/assignments/iana-ipv4-special-registry, RFC 6890) less
// what it calls globally reachable, the IPv4 Multicast Address Space Registry
// as a whole, and the services in which clouds hand out credentials to whoever
// asks from within. The first block with an address settles the matter.
var blocks4 = []block{
	never("169.254.169.254/32", metadata),    // AWS, Google, Azure, OpenStack and most others
	never("169.254.169.253/32", metadata),    // AWS, its resolver
	never("169.254.170.0/24", metadata),      // AWS, credentials of containers
	never("169.254.0.23/32", metadata),       // Tencent
	never("169.254.42.42/32", metadata),      // Scaleway
	never("100.100.100.200/32", metadata),    // Alibaba
	never("168.63.129.16/32", metadata),      // Azure, though the address is a public one
	never("192.0.0.192/32", metadata),        // Oracle Classic
	never("0.0.0.0/8", "unspecified"),        // "this network", RFC 791
	never("224.0.0.0/4", "multicast"),        // RFC 5771
	never("255.255.255.255/32", "broadcast"), // RFC 919

	local("10.0.0.0/8", "private"),                // RFC 1918
	local("100.64.0.0/10", "shared by a carrier"), // RFC 6598
	local("127.0.0.0/8", "loopback"),              // RFC 1122
	local("169.254.0.0/16", "link-local"),         // RFC 3927
	local("172.16.0.0/12", "private"),             // RFC 1918
	local("192.0.0.0/24", "for protocols"),        // RFC 6890; DS-Lite, PCP, TURN, NAT64 discovery
	local("192.0.2.0/24", "for documentation"),    // RFC 5737
	local("192.88.99.0/24", "a relay"),            // RFC 7526, 6to4; RFC 6751
	local("192.168.0.0/16", "private"),            // RFC 1918
	local("198.18.0.0/15", "for benchmarks"),      // RFC 2544
	local("198.51.100.0/24", "for documentation"), // RFC 5737
	local("203.0.113.0/24", "for documentation"),  // RFC 5737
	local("240.0.0.0/4", "reserved"),              // RFC 1112
}

// blocks6 are IANA's IPv6 Special-Purpose Address Registry
// (https://www.iana.org/assignments/iana-ipv6-special-registry) in the same
// way. Of what is listed as globally reachable there, the anycast addresses and
// identifiers of 2001::/23 are refused too: no web server has one.
var blocks6 = []block{
	never("fd00:ec2::/32", metadata),       // AWS
	never("fd20:ce::254/128", metadata),    // Google
	never("fd00:42::42/128", metadata),     // Scaleway
	never("fe80::a9fe:a9fe/128", metadata), // OpenStack
	never("::/128", "unspecified"),         // RFC 4291
	never("ff00::/8", "multicast"),         // RFC 4291

	local("::1/128", "loopback"),                // RFC 4291
	local("100::/64", "a sink"),                 // RFC 6666
	local("100:0:0:1::/64", "a dummy"),          // RFC 9780
	local("2001::/32", "a tunnel (Teredo)"),     // RFC 4380
	local("2001::/23", "for protocols"),         // RFC 2928; ORCHID, benchmarks, AMT
	local("2001:db8::/32", "for documentation"), // RFC 3849
	local("3fff::/20", "for documentation"),     // RFC 9637
	local("5f00::/16", "for segment routing"),   // RFC 9602
	local("fc00::/7", "private"),                // RFC 4193
	local("fe80::/10", "link-local"),            // RFC 4291
	local("fec0::/10", "private"),               // RFC 3879, site-local of old
}

// public is the only range of IPv6 that is routed (RFC 4291 section 2.4), less
// the blocks above.
var public = netip.MustParsePrefix("2000::/3")

// carrier is a range of IPv6 addresses that hold, from an octet on, the IPv4
// address that they lead to.
type carrier struct {
	prefix netip.Prefix
	at     int
	// use is why the range is refused whatever it leads to, "" where what it
	// leads to decides.
	use string
}

// carriers are all ranges in which IPv4 addresses are written as IPv6 ones, but
// for prefixes that a network chose for itself (RFC 6052), which cannot be told
// from others. Where DNS64 makes addresses of 64:ff9b::/96, they are the only
// ones that many sites have.
var carriers = []carrier{
	{netip.MustParsePrefix("::ffff:0:0/96"), 12, ""},                             // IPv4-mapped, RFC 4291
	{netip.MustParsePrefix("64:ff9b::/96"), 12, ""},                              // NAT64, RFC 6052
	{netip.MustParsePrefix("64:ff9b:1::/48"), 12, "a local translation (NAT64)"}, // RFC 8215
	{netip.MustParsePrefix("::/96"), 12, "IPv4-compatible"},                      // RFC 4291, deprecated
	{netip.MustParsePrefix("::ffff:0:0:0/96"), 12, "IPv4-translated"},            // RFC 2765, obsolete
	{netip.MustParsePrefix("2002::/16"), 2, "a tunnel (6to4)"},                   // RFC 7526, deprecated
}

// reserved names the use of an address that may not be connected to, "" for
// one that may.
func reserved(a netip.Addr, allowPrivate bool) string {
	switch {
	case !a.IsValid():
		return "no address"
	case a.Is4():
		use, _ := listed(blocks4, a, allowPrivate)
		return use
	case a.Zone() != "" && !a.IsLinkLocalUnicast():
		return "an address with a zone, which only link-local ones have"
	}
	a = a.WithZone("")
	if use, found := listed(blocks6, a, allowPrivate); found {
		return use
	}
	for _, c := range carriers {
		if c.prefix.Contains(a) {
			return c.reserved(a, allowPrivate)
		}
	}
	if !public.Contains(a) && !allowPrivate {
		return "not public"
	}
	return ""
}

// reserved judges an address by the one that it holds.
func (c *carrier) reserved(a netip.Addr, allowPrivate bool) string {
	b := a.As16()
	inner, _ := netip.AddrFromSlice(b[c.at : c.at+4])
	if use := reserved(inner, allowPrivate); use != "" {
		return "a way to " + inner.String() + ", " + use
	}
	if allowPrivate {
		return ""
	}
	return c.use
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
