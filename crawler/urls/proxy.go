package urls

import (
	"cmp"
	"errors"
	"net/url"
	"strings"
)

// proxyPorts are the ports of proxies that name none.
var proxyPorts = map[string]string{"http": "80", "https": "443", "socks5": "1080", "socks5h": "1080"}

var errProxy = errors.New("want a proxy such as http://host:3128, https://host:443 or socks5://host:1080")

var errProxyUser = errors.New("the user and password of a proxy hold a character that ends them: write %2F for /, %3F for ?, %23 for # and %40 for @")

// hasRawUser reports whether an "@" stands behind a character that ends the user and
// password, so that these were meant to hold it.
func hasRawUser(raw string) bool {
	_, rest, _ := strings.Cut(raw, "://")
	end := strings.IndexAny(rest, "/?#")
	return end >= 0 && strings.ContainsRune(rest[end:], '@')
}

// maxCredential is the most that SOCKS5 takes of a user or a password (RFC 1929).
const maxCredential = 255

// ParseProxy reads the URL of a proxy: http, https, socks5 or socks5h, with user and
// password where there are any. The result has a host in its canonical form and a
// port. Errors do not repeat the text, as it may hold a password.
func ParseProxy(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if hasRawUser(raw) {
		return nil, errProxyUser
	}
	if err != nil || u.Opaque != "" || u.Hostname() == "" {
		return nil, errProxy
	}
	port, known := proxyPorts[u.Scheme]
	host, given, err := ParseHost(u.Host)
	password, _ := u.User.Password()
	switch {
	case !known || err != nil:
		return nil, errProxy
	case u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return nil, errors.New("a proxy has no path")
	case strings.HasPrefix(u.Scheme, "socks") && max(len(u.User.Username()), len(password)) > maxCredential:
		return nil, errors.New("a SOCKS5 proxy takes no user or password of more than 255 bytes")
	}
	return &url.URL{Scheme: u.Scheme, User: u.User, Host: host + ":" + cmp.Or(given, port)}, nil
}
