package config

import (
	"net/textproto"
	"slices"
	"strings"

	"golang.org/x/net/http/httpguts"

	"github.com/amblecrawl/amble/crawler/urls"
)

// Header is a field that is sent with requests.
type Header struct {
	Name  string `yaml:",key"`
	Value string `yaml:"value,scalar" required:"true" doc:"Its value, such as ${API_KEY}."`
}

// FetchHost is what differs in how one host is reached. What is left out is as for
// every host; its header fields are sent beside those.
type FetchHost struct {
	Host    string   `yaml:",key"`
	Headers []Header `yaml:"headers" doc:"Header fields that the host is sent, and no other, whatever it redirects to."`
	TLS     TLS      `yaml:"tls" doc:"Replaces what it names of fetch.tls."`
	Proxy   []string `yaml:"proxy" doc:"Replaces fetch.proxy; direct: none."`
}

// Cache is where answers are kept.
type Cache struct {
	Dir  string `yaml:"dir,path,scalar" required:"true" doc:"Its folder, relative to the config. Crawls may share one."`
	Size Size   `yaml:"size" default:"1GiB" min:"1MiB" max:"1TiB" doc:"The most that it takes on disk; what was used longest ago goes first."`
}

// Direct stands for no proxy.
const Direct = "direct"

// maxHeaderFields bounds what the fields of a host may take together.
const maxHeaderFields = 16 << 10

// checkReach looks at how hosts are reached.
func (l *loader) checkReach(f *Fetch) {
	l.checkHeaders(f.Headers, "", "fetch", "headers")
	l.checkTLS(&f.TLS, "fetch", "tls")
	l.checkProxies(f.Proxy, "fetch", "proxy")
	for i, raw := range f.NoProxy {
		if n := l.item(i, "fetch", "no_proxy"); !n.broken {
			if _, err := urls.ParseHostRange(raw); err != nil {
				l.foreignValue(n, "fetch.no_proxy", bare(err), "write books.example, *.books.example or 10.0.0.0/8")
			}
		}
	}
	seen := make(map[string]string, len(f.Hosts))
	for i := range f.Hosts {
		h := &f.Hosts[i]
		given := h.Host
		l.checkHeaders(h.Headers, given, "fetch", "hosts", given, "headers")
		l.checkTLS(&h.TLS, "fetch", "hosts", given, "tls")
		l.checkProxies(h.Proxy, "fetch", "hosts", given, "proxy")
		at := l.keyPlace("fetch", "hosts", given)
		if !h.spell() {
			l.errorf(at, "write books.example, books.example:8080 or *.books.example", "fetch.hosts: %q is not a host", short(given))
			continue
		}
		if first, twice := seen[h.Host]; twice {
			l.errorf(at, "keep one", "fetch.hosts: %q and %q are the same host", short(first), short(given))
		}
		seen[h.Host] = given
	}
}

// spell writes the host as URLs do.
func (h *FetchHost) spell() bool {
	name, below := strings.CutPrefix(h.Host, "*.")
	host, port, err := urls.ParseHost(name)
	if err != nil || below && port != "" {
		return false
	}
	if below {
		host = "*." + host
	}
	if port != "" {
		host += ":" + port
	}
	h.Host = host
	return true
}

// ownHeaders are the fields that amble sends by itself, with what to use instead.
var ownHeaders = map[string]string{
	"Host": "", "Content-Length": "", "Content-Type": "a request's body has its own", "Transfer-Encoding": "", "Connection": "", "Keep-Alive": "",
	"Upgrade": "", "Te": "", "Trailer": "", "Expect": "", "Accept-Encoding": "",
	"User-Agent":    "it is made of politeness.agent and politeness.contact",
	"From":          "politeness.contact says whom to write to",
	"If-None-Match": "", "If-Modified-Since": "", "If-Match": "", "If-Unmodified-Since": "", "If-Range": "", "Range": "",
	"Signature":       "politeness.identity signs requests",
	"Signature-Input": "politeness.identity signs requests", "Signature-Agent": "politeness.identity signs requests",
	"Proxy-Authorization": "write user and password into fetch.proxy", "Proxy-Connection": "",
	"X-Forwarded-For": "", "Forwarded": "", "Via": "",
}

// checkHeaders wants fields that can be sent and are not amble's own, secrets from
// the environment, and what says who asks sent to named hosts alone.
func (l *loader) checkHeaders(fields []Header, host string, path ...string) {
	at := strings.Join(path, ".")
	size := 0
	seen := make(map[string]bool, len(fields))
	for i := range fields {
		given := fields[i].Name
		n := l.at(append(slices.Clone(path), given)...)
		key := l.keyPlace(append(slices.Clone(path), given)...)
		name := textproto.CanonicalMIMEHeaderKey(given)
		hint, own := ownHeaders[name]
		size += len(name) + len(fields[i].Value) + 4
		switch {
		case !httpguts.ValidHeaderFieldName(given):
			l.errorf(key, "", "%s: %q is not the name of a header field", at, short(given))
		case own:
			l.errorf(key, hint, "%s: %s is amble's own to send", at, name)
		case seen[name]:
			l.errorf(key, "keep one; values of a list stand in one field, with commas", "%s: %s is given twice", at, name)
		case n.broken:
		case !httpguts.ValidHeaderFieldValue(fields[i].Value):
			l.errorf(n.place, "", "%s.%s: want a text without line breaks and control characters; found %s", at, name, n)
		case host == "" && saysWho(name):
			l.errorf(key, "name the host: fetch.hosts, or fetch.auth", "%s: %s would be sent to every host", at, name)
		case host == "" && n.secret():
			l.warnf(n.place, "name the hosts that it is for, under fetch.hosts", "%s.%s: %s is sent to every host", at, name, n)
		case host != "" && holdsSecret(name) && n.kind == textKind && !n.secret() && n.text != "" && !strings.Contains(n.text, "{{"):
			l.warnf(n.place, "write ${NAME} and set that variable", "%s.%s: a secret stands in the file", at, name)
		}
		seen[name] = true
		fields[i].Name = name
	}
	if size > maxHeaderFields {
		l.errorf(l.at(path...).place, "", "%s: the fields take %d bytes, more than the 16 KiB that they may", at, size)
	}
}

// saysWho reports whether a field is there to say who asks.
func saysWho(name string) bool { return name == "Authorization" || name == "Cookie" }

func holdsSecret(name string) bool {
	lower := strings.ToLower(name)
	return slices.ContainsFunc([]string{"auth", "cookie", "token", "key", "secret", "password", "session"}, func(word string) bool {
		return strings.Contains(lower, word)
	})
}

// checkProxies wants URLs of proxies, or none of them.
func (l *loader) checkProxies(list []string, path ...string) {
	at := strings.Join(path[:1], ".") + ".proxy"
	if len(path) > 2 {
		at = "fetch.hosts." + path[2] + ".proxy"
	}
	if len(list) > maxProxies {
		l.errorf(l.at(path...).place, "", "%s: %d proxies are more than the %d that a list may have", at, len(list), maxProxies)
		return
	}
	for i, raw := range list {
		n := l.item(i, path...)
		if n.broken || n.kind != textKind {
			continue
		}
		if raw == Direct {
			if len(list) > 1 {
				l.errorf(n.place, "name proxies, or direct alone", "%s: direct stands beside proxies", at)
			}
			continue
		}
		u, err := urls.ParseProxy(raw)
		if err != nil {
			l.errorf(n.place, err.Error(), "%s: not a proxy; found %s", at, proxyShown(n))
			continue
		}
		if _, hasPassword := u.User.Password(); hasPassword && !n.secret() {
			l.warnf(n.place, "write ${NAME} and set that variable", "%s: a password stands in the file", at)
		}
	}
}

// proxyShown describes a proxy without what may be a password.
func proxyShown(n *node) string {
	if strings.Contains(n.text, "@") && !n.secret() {
		return "a text with a user"
	}
	return n.String()
}

const maxProxies = 1000

// Route is how a host is reached, the exceptions of fetch.hosts joined to what holds
// for every host. A nil exception is that of the others.
type Route struct {
	Headers []Header
	TLS     TLS
	Proxy   []string // empty: none
}

// Route joins what holds for every host with an exception, nil for none.
func (f *Fetch) Route(h *FetchHost) Route {
	r := Route{Headers: f.Headers, TLS: f.TLS, Proxy: f.Proxy}
	if h != nil {
		r.Headers = append(slices.Clone(f.Headers), h.Headers...) // the later ones count
		r.TLS = f.TLS.with(h.TLS)
		if len(h.Proxy) > 0 {
			r.Proxy = h.Proxy
		}
	}
	if len(r.Proxy) == 1 && r.Proxy[0] == Direct {
		r.Proxy = nil
	}
	return r
}

// Routed reports whether any host is reached otherwise than plainly.
func (f *Fetch) Routed() bool {
	return len(f.Headers) > 0 || len(f.Proxy) > 0 || len(f.Hosts) > 0 || f.TLS != TLS{}
}
