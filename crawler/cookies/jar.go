package cookies

import (
	"cmp"
	"log/slog"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"
)

// Scope is who shares cookies.
type Scope uint8

// The scopes.
const (
	ScopeCrawl Scope = iota // hosts of a domain do, as its cookies say
	ScopeHost               // each host has its own
)

// The bounds of a jar.
const (
	PerSite   = 50        // cookies; RFC 6265 section 6.1 asks for as many
	PerCookie = 4 << 10   // bytes of name and value
	PerField  = 16 << 10  // bytes of a request's Cookie
	PerAnswer = PerSite   // cookies that one answer sets
	InAll     = 20_000    // cookies
	Bytes     = 8 << 20   // of all of them
	attribute = 1 << 10   // bytes of a path or domain
	longest   = 400 * day // that one is kept
	day       = 24 * time.Hour
	overhead  = 160 // bytes of memory of a cookie beside its texts
)

// cookie is one that is kept.
type cookie struct {
	Name, Value  string
	Domain, Path string
	HostOnly     bool
	Secure       bool
	Quoted       bool
	Expires      time.Time // zero: with the run
	Created      time.Time
	order        uint64 // in which they were made
}

func (c *cookie) size() int {
	return len(c.Name) + len(c.Value) + len(c.Domain) + len(c.Path) + overhead
}

// site is the cookies of one registrable domain, or host.
type site struct {
	cookies []*cookie
	used    uint64
}

// Options shape a Jar.
type Options struct {
	Scope Scope
	// File keeps the jar; empty: it ends with the process.
	File string
	// Resumed reads what the file holds; otherwise the jar begins empty.
	Resumed bool
	// Now is the clock; nil is time.Now.
	Now func() time.Time
	Log *slog.Logger
}

// Jar keeps cookies. It is safe for concurrent use.
type Jar struct {
	opt Options

	mu    sync.Mutex
	sites map[string]*site
	count int
	bytes int
	tick  uint64 // orders uses
	dirty bool
	saver *saver // nil without a file
}

// siteOf is what hosts must share to be able to share cookies.
func (j *Jar) siteOf(host string) string {
	if j.opt.Scope == ScopeHost || !isDomain(host) {
		return host
	}
	if name, err := publicsuffix.EffectiveTLDPlusOne(host); err == nil {
		return name
	}
	return host
}

// isDomain reports whether a host is a name with domains above it.
func isDomain(host string) bool {
	_, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err != nil && strings.Contains(host, ".")
}

// canonical is a URL's host as cookies have it.
func canonical(u *url.URL) string {
	return strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
}

// Field is the Cookie field for a URL, empty for none.
func (j *Jar) Field(u *url.URL) string {
	host, path := canonical(u), pathOf(u)
	j.mu.Lock()
	defer j.mu.Unlock()
	if len(j.sites) == 0 {
		return ""
	}
	name := j.siteOf(host)
	s := j.sites[name]
	if s == nil {
		return ""
	}
	j.tick++
	s.used = j.tick
	now := j.opt.Now()
	var chosen []*cookie
	for _, c := range s.cookies {
		if c.fits(host, path, u.Scheme == "https") && !c.ended(now) {
			chosen = append(chosen, c)
		}
	}
	// Longer paths first, then the older (RFC 6265 section 5.4).
	slices.SortFunc(chosen, func(a, b *cookie) int {
		return cmp.Or(cmp.Compare(len(b.Path), len(a.Path)), cmp.Compare(a.order, b.order))
	})
	var b strings.Builder
	for _, c := range chosen {
		if b.Len()+len(c.Name)+len(c.Value)+5 > PerField {
			break
		}
		if b.Len() > 0 {
			b.WriteString("; ")
		}
		b.WriteString(c.Name)
		b.WriteByte('=')
		if c.Quoted {
			b.WriteByte('"')
		}
		b.WriteString(c.Value)
		if c.Quoted {
			b.WriteByte('"')
		}
	}
	return b.String()
}

func (c *cookie) ended(now time.Time) bool { return !c.Expires.IsZero() && !now.Before(c.Expires) }

func (c *cookie) fits(host, path string, secured bool) bool {
	if c.Secure && !secured || !inPath(path, c.Path) {
		return false
	}
	return host == c.Domain || !c.HostOnly && strings.HasSuffix(host, "."+c.Domain)
}

// inPath is RFC 6265 section 5.1.4.
func inPath(path, of string) bool {
	return path == of || strings.HasPrefix(path, of) && (strings.HasSuffix(of, "/") || path[len(of)] == '/')
}

// pathOf is the path of a URL, also of one that net/url cannot hold.
func pathOf(u *url.URL) string {
	path := u.EscapedPath()
	if u.Opaque != "" {
		path = strings.TrimPrefix(u.Opaque, "//"+u.Host)
		path, _, _ = strings.Cut(path, "?")
	}
	if !strings.HasPrefix(path, "/") {
		return "/"
	}
	return path
}

// Set takes the cookies of an answer, and reports whether it changed what the host
// will be sent.
func (j *Jar) Set(u *url.URL, header http.Header) (changed bool) {
	lines := header["Set-Cookie"]
	if len(lines) == 0 {
		return false
	}
	host, now := canonical(u), j.opt.Now()
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, line := range lines[:min(len(lines), PerAnswer)] {
		if len(line) > PerCookie+4*attribute {
			continue
		}
		given, err := http.ParseSetCookie(line)
		if err != nil {
			continue
		}
		c, ok := j.accept(given, host, pathOf(u), u.Scheme == "https", now)
		if ok && j.store(host, c, u.Scheme == "https", now) {
			changed = true
		}
	}
	if changed {
		j.dirty = true
		j.saver.wake()
	}
	return changed
}

// accept makes a cookie of one that a host sets (RFC 6265 section 5.3).
func (j *Jar) accept(given *http.Cookie, host, path string, secured bool, now time.Time) (*cookie, bool) {
	if len(given.Name)+len(given.Value) > PerCookie || len(given.Path) > attribute || len(given.Domain) > attribute {
		return nil, false
	}
	c := &cookie{Name: given.Name, Value: given.Value, Secure: given.Secure, Quoted: given.Quoted, Created: now, Domain: host, HostOnly: true, Path: given.Path}
	if c.Secure && !secured {
		return nil, false
	}
	if !strings.HasPrefix(c.Path, "/") {
		c.Path = "/"
		if i := strings.LastIndexByte(path, '/'); i > 0 {
			c.Path = path[:i]
		}
	}
	domain := strings.TrimPrefix(strings.ToLower(given.Domain), ".")
	switch {
	case domain == "" || domain == host:
		c.HostOnly = domain == "" || j.opt.Scope == ScopeHost || !isDomain(host) || isPublic(host)
	case !isDomain(host) || isPublic(domain) || !strings.HasSuffix(host, "."+domain):
		return nil, false
	case j.opt.Scope == ScopeCrawl:
		c.Domain, c.HostOnly = domain, false
	}
	switch {
	case strings.HasPrefix(c.Name, "__Secure-") && !c.Secure,
		strings.HasPrefix(c.Name, "__Host-") && (!c.Secure || given.Domain != "" || c.Path != "/"):
		return nil, false
	}
	switch {
	case given.MaxAge < 0:
		c.Expires = now
	case given.MaxAge > 0:
		c.Expires = now.Add(min(time.Duration(min(given.MaxAge, int(longest/time.Second)))*time.Second, longest))
	case !given.Expires.IsZero():
		c.Expires = given.Expires
		if most := now.Add(longest); c.Expires.After(most) {
			c.Expires = most
		}
	}
	return c, true
}

// isPublic reports whether anybody may own a name below this one.
func isPublic(domain string) bool {
	suffix, _ := publicsuffix.PublicSuffix(domain)
	return suffix == domain
}

// store puts a cookie in the place of the one with its name, and reports whether
// that changed anything.
func (j *Jar) store(host string, c *cookie, secured bool, now time.Time) bool {
	name := j.siteOf(host)
	s := j.sites[name]
	if s == nil {
		if c.ended(now) {
			return false
		}
		s = &site{}
		j.sites[name] = s
	}
	j.tick++
	s.used, c.order = j.tick, j.tick
	at := slices.IndexFunc(s.cookies, func(o *cookie) bool {
		return o.Name == c.Name && o.Domain == c.Domain && o.Path == c.Path
	})
	changed := true
	if at >= 0 {
		old := s.cookies[at]
		if old.Secure && !secured {
			return false
		}
		c.Created, c.order = old.Created, old.order
		changed = old.Value != c.Value || c.ended(now)
		j.remove(s, at)
	} else if c.ended(now) {
		changed = false
	}
	if c.ended(now) {
		if len(s.cookies) == 0 {
			delete(j.sites, name)
		}
		return changed
	}
	if len(s.cookies) >= PerSite {
		j.remove(s, expendable(s.cookies, now))
	}
	s.cookies = append(s.cookies, c)
	j.count++
	j.bytes += c.size()
	if j.count > InAll || j.bytes > Bytes {
		j.forgetSites(name)
	}
	return changed
}

// expendable is the cookie that goes for a new one: one that has ended, or the
// oldest.
func expendable(cookies []*cookie, now time.Time) int {
	oldest := 0
	for i, c := range cookies {
		if c.ended(now) {
			return i
		}
		if c.order < cookies[oldest].order {
			oldest = i
		}
	}
	return oldest
}

func (j *Jar) remove(s *site, i int) {
	j.count--
	j.bytes -= s.cookies[i].size()
	s.cookies = slices.Delete(s.cookies, i, i+1)
}

// forgetSites drops the sites that were used longest ago, but for one, until there is
// room for a while.
func (j *Jar) forgetSites(spared string) {
	names := make([]string, 0, len(j.sites))
	for name := range j.sites {
		if name != spared {
			names = append(names, name)
		}
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(j.sites[a].used, j.sites[b].used) })
	for _, name := range names {
		if j.count <= InAll-InAll/16 && j.bytes <= Bytes-Bytes/16 {
			return
		}
		for s := j.sites[name]; len(s.cookies) > 0; {
			j.remove(s, len(s.cookies)-1)
		}
		delete(j.sites, name)
	}
}

// Len counts the cookies.
func (j *Jar) Len() int {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.count
}
