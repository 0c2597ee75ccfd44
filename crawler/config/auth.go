package config

import (
	"strings"

	"github.com/amblecrawl/amble/crawler/urls"
)

// checkAuth wants one kind of credentials for each host, and none of them written out
// in the file.
func (l *loader) checkAuth(list []Auth) {
	for i := range list {
		a := &list[i]
		at := l.keyPlace("fetch", "auth", a.Host)
		n := l.at("fetch", "auth", a.Host)
		host, port, err := urls.ParseHost(a.Host)
		switch {
		case err != nil || strings.HasPrefix(a.Host, "*"):
			l.errorf(at, "write api.example, or host:port", "fetch.auth: %q is not a host", short(a.Host))
		case port == "":
			port = "443"
			fallthrough
		default:
			a.Host = host + ":" + port
		}
		kinds := 0
		for _, given := range []bool{a.Bearer != "", a.Basic != nil, a.Key != nil, a.OAuth2 != nil} {
			if given {
				kinds++
			}
		}
		if kinds == 0 && n.lacking() { // which was told
			continue
		}
		if kinds != 1 {
			l.errorf(at, "bearer, basic, key or oauth2", "fetch.auth: want one kind of credentials for a host; found %d", kinds)
			continue
		}
		if k := a.Key; k != nil && (k.Header == "") == (k.Query == "") {
			l.errorf(n.below([]string{"key"}).place, "such as header: X-API-Key", "fetch.auth: a key is sent in a header or in a query parameter, one of them")
		}
		if o := a.OAuth2; o != nil && o.TokenURL != "" {
			at := n.below([]string{"oauth2", "token_url"})
			if u, err := urls.Parse(o.TokenURL); err != nil || !u.IsHTTP() {
				l.errorf(at.place, "", "fetch.auth: token_url is not a URL; found %s", at)
			}
		}
		for _, path := range [][]string{{"bearer"}, {"basic", "password"}, {"key", "value"}, {"oauth2", "client_secret"}} {
			if at := n.below(path[:1]); n.get(path[0]) == nil || len(path) > 1 && at.get(path[1]) == nil {
				continue
			}
			if at := n.below(path); at.kind == textKind && !at.secret() && at.text != "" {
				l.warnf(at.place, "write ${NAME} and set that variable", "fetch.auth: a secret stands in the file")
			}
		}
	}
}
