package urls

import (
	"fmt"
	"strings"
)

// hostSet is a set of host patterns. The maps lead from a name to the ports
// that are in the set with it; "" stands for any port.
type hostSet struct {
	exact  map[string][]string // "books.example"
	parent map[string][]string // "*.books.example", without the star and dot
	any    []string            // ports of "*"
}

// add puts a pattern "host", "*.host" or "*", each perhaps with ":port", in the
// set. The host is brought into the form that URLs have.
func (h *hostSet) add(pattern string) error {
	host, port, err := splitPort(pattern)
	if err != nil {
		return err
	}
	if host == "*" {
		h.any = append(h.any, port)
		return nil
	}
	name, below := strings.CutPrefix(host, "*.")
	if strings.Contains(name, "*") {
		return badHost(pattern, "a star stands only for all subdomains, as in *.books.example")
	}
	if name, err = canonicalHost(pattern, name); err != nil {
		return err
	}
	into := &h.exact
	if below {
		into = &h.parent
	}
	if *into == nil {
		*into = map[string][]string{}
	}
	(*into)[name] = append((*into)[name], port)
	return nil
}

// ParseHost reads "host" or "host:port". It gives the host in the form that
// URLs have (lower case, Punycode, IPv6 in brackets), and the port, which is
// "" where there is none. The error is ErrPattern.
func ParseHost(s string) (host, port string, err error) {
	if host, port, err = splitPort(s); err != nil {
		return "", "", err
	}
	if strings.Contains(host, "*") {
		return "", "", badHost(s, "a star names no single host")
	}
	host, err = canonicalHost(s, host)
	return host, port, err
}

func badHost(pattern, why string) error {
	return fmt.Errorf("%w: host %q: %s", ErrPattern, pattern, why)
}

func splitPort(pattern string) (host, port string, err error) {
	if strings.Contains(pattern, "://") {
		return "", "", badHost(pattern, "want a host without a scheme, such as books.example")
	}
	i := strings.LastIndexByte(pattern, ':')
	if i <= strings.LastIndexByte(pattern, ']') {
		return pattern, "", nil
	}
	port = pattern[i+1:]
	if end, ok := scanPort(":"+port, 0, ""); !ok || end != len(port)+1 {
		return "", "", badHost(pattern, "bad port")
	}
	return pattern[:i], port, nil
}

// canonicalHost brings the name, a part of pattern, into the form of URLs.
func canonicalHost(pattern, name string) (string, error) {
	if strings.ContainsAny(name, "/\\?#@ \t\r\n") {
		return "", badHost(pattern, "want a host alone, without a path")
	}
	u, err := Parse("http://" + name)
	if err != nil {
		return "", badHost(pattern, "not a host name")
	}
	return u.Hostname(), nil
}

// has reports whether the host of u, an http(s) URL, is in the set.
func (h *hostSet) has(u URL) bool {
	host := u.Hostname()
	if u.hasPort(h.exact[host]) || u.hasPort(h.any) {
		return true
	}
	if len(h.parent) == 0 {
		return false
	}
	for {
		_, parent, ok := strings.Cut(host, ".")
		if !ok {
			return false
		}
		if u.hasPort(h.parent[parent]) {
			return true
		}
		host = parent
	}
}

// hasPort reports whether the port of u, an http(s) URL, is in ports.
func (u URL) hasPort(ports []string) bool {
	for _, p := range ports {
		if p == "" || p == u.effectivePort() {
			return true
		}
	}
	return false
}

func (u URL) effectivePort() string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme() == "http" {
		return "80"
	}
	return "443"
}
