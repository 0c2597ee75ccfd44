package fetch

import (
	"net/url"
	"slices"
	"time"
)

// whenever is a time at which no proxy is set aside.
var whenever = time.Unix(1<<40, 0)

// Through names the proxies that a URL would be asked for through, without user and
// password: in the order in which its host tries them, or, with perRequest, in which
// requests take turns. There are none where its host is connected to directly.
func (r *Routes) Through(u *url.URL) (names []string, perRequest bool) {
	route := r.of(hostOf(u), portOf(u))
	if route == nil || route.Proxies == nil || route.Proxies.excepts(u) {
		return nil, false
	}
	p := route.Proxies
	list := slices.Clone(p.list)
	if !p.perCall {
		var tried []*proxy
		for range p.list {
			tried = append(tried, p.choose(hostPort(u), tried, whenever))
		}
		list = tried
	}
	for _, c := range list {
		names = append(names, c.name())
	}
	return names, p.perCall
}
