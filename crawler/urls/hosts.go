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
	bad := func(why string) error {
		return fmt.Errorf("%w: host %q: %s", ErrPattern, pattern, why)
	}
	host, port := pattern, ""
	if strings.Contains(host, "://") {
		return bad("want a host without a scheme, such as books.example")
	}
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		host, port = host[:i], host[i+1:]
		if end, ok := scanPort(":"+port, 0, ""); !ok || end != len(port)+1 {
			return bad("bad port")
		}
	}
	if host == "*" {
		h.any = append(h.any, port)
		return nil
	}
	name, below := strings.CutPrefix(host, "*.")
	if strings.Contains(name, "*") {
		return bad("a star stands only for all subdomains, as in *.books.example")
	}
	if strings.ContainsAny(name, "/\\?#@ \t\r\n") {
		return bad("want a host alone, without a path")
	}
	u, err := Parse("http://" + name)
	if err != nil {
		return bad("not a host name")
	}
	into := &h.exact
	if below {
		into = &h.parent
	}
	if *into == nil {
		*into = map[string][]string{}
	}
	(*into)[u.Hostname()] = append((*into)[u.Hostname()], port)
	return nil
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
