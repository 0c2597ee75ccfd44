package urls

import (
	"fmt"
	"net/netip"
	"strings"
)

// HostRange is a host, the hosts below one, or the addresses of a network.
type HostRange struct {
	host, port string
	below      bool
	prefix     netip.Prefix
}

// ParseHostRange reads books.example, books.example:8080, *.books.example, an IP
// address or a prefix such as 10.0.0.0/8. Errors wrap ErrPattern.
func ParseHostRange(raw string) (HostRange, error) {
	if prefix, err := netip.ParsePrefix(raw); err == nil {
		return HostRange{prefix: prefix.Masked()}, nil
	}
	if ip, err := netip.ParseAddr(strings.Trim(raw, "[]")); err == nil && ip.Zone() == "" {
		return HostRange{prefix: netip.PrefixFrom(ip.Unmap(), ip.Unmap().BitLen())}, nil
	}
	name, below := strings.CutPrefix(raw, "*.")
	host, port, err := ParseHost(name)
	if err != nil {
		return HostRange{}, fmt.Errorf("%w: %q is no host, nor a range of addresses", ErrPattern, raw)
	}
	return HostRange{host: host, port: port, below: below}, nil
}

// Contains reports whether a host, as URLs spell it, and the port that it is asked
// at belong to the range. A name belongs to no range of addresses.
func (r HostRange) Contains(host, port string) bool {
	if r.prefix.IsValid() {
		ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
		return err == nil && r.prefix.Contains(ip.Unmap())
	}
	if r.port != "" && r.port != port {
		return false
	}
	if r.below {
		return strings.HasSuffix(host, "."+r.host)
	}
	return host == r.host
}
