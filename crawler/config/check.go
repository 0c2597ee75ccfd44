package config

import (
	"net/mail"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler/urls"
)

// check is what a config must fulfil beyond its types.
func (l *loader) check(c *Config) {
	l.checkName(c)
	l.checkPoliteness(c)
	l.checkLinks(c)
	l.checkScope(&c.Scope)
	for _, r := range c.Extract {
		if r.Match != nil {
			l.checkPattern(*r.Match, "extract", r.Type, "match")
		}
	}
	l.checkQueries(c)
	l.checkDownloads(c)
	l.checkOutputs(c)
	l.checkRejects(c)
	l.checkSchedule(c)
	l.checkAlerts(c)
	l.checkRevisit(c)
	l.checkResolve(c.Fetch.Resolve)
	l.checkAuth(c.Fetch.Auth)
	l.checkReach(&c.Fetch)
	l.checkLogin(c)
	l.checkSeeds(c)
	l.checkAggregates(c)
}

// checkResolve looks for keys that are no host, and for two that are the same.
func (l *loader) checkResolve(entries []Resolve) {
	seen := make(map[string]string, len(entries))
	for _, r := range entries {
		at := l.keyPlace("fetch", "resolve", r.Host)
		key, err := r.key()
		if err != nil {
			l.errorf(at, "write host: ip:port", "fetch.resolve: %q is not a host", short(r.Host))
			continue
		}
		if first, twice := seen[key]; twice {
			l.errorf(at, "keep one", "fetch.resolve: %q and %q are the same host", short(first), short(r.Host))
		}
		seen[key] = r.Host
	}
}

// at is the node that a path leads to, or the nearest above it.
func (l *loader) at(path ...string) *node { return l.root.below(path) }

// keyPlace is where the last key of a path stands.
func (l *loader) keyPlace(path ...string) place {
	above := l.at(path[:len(path)-1]...)
	if e := above.get(path[len(path)-1]); e != nil {
		return e.place
	}
	return above.place
}

// given reports whether the file or an override has a key.
func (l *loader) given(path ...string) bool {
	n := l.root
	for _, key := range path {
		if n.kind != mappingKind {
			return false
		}
		e := n.get(key)
		if e == nil {
			return false
		}
		n = e.value
	}
	return true
}

var crawlName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)

// checkName also derives what the name is part of.
func (l *loader) checkName(c *Config) {
	if c.Name == "" && !l.given("name") {
		c.Name = strings.Trim(regexp.MustCompile(`[^A-Za-z0-9._-]+`).ReplaceAllString(baseName(c.File), "-"), "-._")
		if c.Name == "" {
			c.Name = "crawl"
		}
		c.Name = c.Name[:min(len(c.Name), 64)]
	} else if n := l.at("name"); !crawlName.MatchString(c.Name) && n.kind != nullKind && !n.broken && n.kind < listKind {
		l.errorf(n.place, "use letters, digits, dots, - and _, at most 64", "name: not a name for a crawl; found %s", n)
	}
	switch n := l.at("state"); {
	case c.State == "" && l.given("state") && n.kind == textKind && !n.broken:
		l.errorf(n.place, "remove the key for .amble/<name>", "state: want a folder; found nothing")
	case strings.HasPrefix(c.State, "redis://"), strings.HasPrefix(c.State, "rediss://"), strings.HasPrefix(c.State, "valkey://"):
		l.errorf(n.place, "", "state: a state on a server is not yet supported")
	case strings.Contains(c.State, "://"), c.State == "-":
		l.errorf(n.place, "", "state: want a folder; found %s", n)
	case c.State == "":
		c.State = filepath.Join(c.Dir, ".amble", c.Name)
	}
}

var productToken = regexp.MustCompile(`^[A-Za-z_-]+$`)

func (l *loader) checkPoliteness(c *Config) {
	p := &c.Politeness
	if n := l.at("politeness", "agent"); p.Agent != "" && !productToken.MatchString(p.Agent) {
		l.errorf(n.place, "letters, - and _ only; the version is added", "politeness.agent: not a product token; found %s", n)
	} else if p.Agent == "" && l.given("politeness", "agent") && n.kind == textKind && !n.broken {
		l.errorf(n.place, "", "politeness.agent is empty")
	}
	l.checkContact(c)
	if p.Robots == "ignore" && !p.AllowIgnoreRobots {
		l.errorf(l.at("politeness", "robots").place, "set politeness.allow_ignore_robots: true to confirm it",
			"politeness.robots: ignore needs a confirmation")
	}
	if n := l.at("politeness", "delay"); l.given("politeness", "delay") && p.Delay < 100*time.Millisecond && n.kind == textKind && !n.broken {
		l.fastDelay(n, p.Delay)
	}
	l.checkHours(p) // before the hosts are spelt otherwise than in the file
	for i := range p.Hosts {
		l.checkException(&p.Hosts[i])
	}
	l.checkIdentity(&p.Identity)
}

// checkException spells the host of an exception as URLs have it.
func (l *loader) checkException(h *HostException) {
	at := l.keyPlace("politeness", "hosts", h.Host)
	name, below := strings.CutPrefix(h.Host, "*.")
	host, port, err := urls.ParseHost(name)
	switch {
	case err != nil:
		l.errorf(at, "write books.example or *.books.example", "politeness.hosts: %q is not a host", short(h.Host))
	case below && port != "":
		l.errorf(at, "write *."+host, "politeness.hosts: %q names a port", short(h.Host))
	case below:
		h.Host = "*." + host
	case port != "":
		h.Host = host + ":" + port
	default:
		h.Host = strings.Trim(host, "[]") // as politeness names an address
	}
}

// checkIdentity wants the key and the name that goes with it, or neither.
func (l *loader) checkIdentity(id *Identity) {
	if id.Key == "" && id.Agent == "" {
		return
	}
	at := l.keyPlace("politeness", "identity")
	switch u, err := urls.Parse(id.Agent); {
	case id.Key == "":
		l.errorf(at, "make one with amble keys new bot.pem", "politeness.identity: no key")
	case id.Agent == "":
		l.errorf(at, "name the https origin that publishes the key", "politeness.identity: no agent")
	case err != nil || u.Scheme() != "https":
		l.errorf(l.at("politeness", "identity", "agent").place, "such as https://bot.example",
			"politeness.identity.agent: not an https origin; found %s", l.at("politeness", "identity", "agent"))
	}
}

// fastDelay warns of a delay that only one's own servers should get.
func (l *loader) fastDelay(n *node, d time.Duration) {
	if l.given("fetch", "allow_private") {
		return
	}
	l.warnf(n.place, "give your own hosts theirs under politeness.hosts", "politeness.delay: %s for every host is hardly polite", d)
}

func (l *loader) checkContact(c *Config) {
	p := &c.Politeness
	n := l.at("politeness", "contact")
	if p.Contact == "" {
		if !l.given("politeness", "contact") && c.IsWeb() {
			l.warnf(n.place, "add politeness.contact: a URL or mail address", "site operators cannot reach you")
		}
		return
	}
	u, err := urls.Parse(p.Contact)
	if err == nil && u.IsHTTP() {
		return
	}
	if a, err := mail.ParseAddress(strings.TrimPrefix(p.Contact, "mailto:")); err == nil && a.Name == "" && isPlain(p.Contact) {
		return
	}
	l.errorf(n.place, "", "politeness.contact: want a URL or a mail address; found %s", n)
}

// isPlain reports whether a text can go into a header.
func isPlain(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune("()<>\\", r) }) < 0
}

func (l *loader) checkScope(s *Scope) {
	for i, h := range s.Hosts {
		if n := l.item(i, "scope", "hosts"); n.broken || n.kind != textKind && n.kind != numberKind {
			continue
		}
		if _, err := urls.NewScope(urls.ScopeRules{Hosts: []string{h}}); err != nil {
			l.foreignValue(l.item(i, "scope", "hosts"), "scope.hosts", bare(err), "")
		}
	}
	for _, list := range []struct {
		key      string
		patterns []Pattern
	}{{"include", s.Include}, {"exclude", s.Exclude}} {
		for i, p := range list.patterns {
			l.checkPatternAt(p, l.item(i, "scope", list.key), "scope."+list.key)
		}
	}
	for i, p := range s.DropParams {
		if n := l.item(i, "scope", "drop_params"); n.broken || n.kind != textKind && n.kind != numberKind {
			continue
		}
		if err := (&urls.Canon{DropParams: []string{p}}).Validate(); err != nil {
			l.foreignValue(l.item(i, "scope", "drop_params"), "scope.drop_params", bare(err), "")
		}
	}
}

// item is the ith value of a list that may have been given as one value.
func (l *loader) item(i int, path ...string) *node {
	n := l.at(path...)
	if n.kind == listKind {
		return n.below([]string{strconv.Itoa(i)})
	}
	return n
}

func (l *loader) checkPattern(p Pattern, path ...string) {
	l.checkPatternAt(p, l.at(path...), strings.Join(path, "."))
}

func (l *loader) checkPatternAt(p Pattern, n *node, path string) {
	if n.broken {
		return
	}
	switch {
	case p.Glob == "" && p.Regex == "":
		if n.kind == textKind || n.kind == mappingKind && len(n.entries) == 0 {
			l.errorf(n.place, "", "%s: the pattern is empty", path)
		}
		return
	case p.Glob != "" && p.Regex != "":
		l.errorf(n.place, "", "%s: a pattern is a glob or a regex, not both", path)
		return
	}
	if err := p.compile(); err != nil {
		at := n
		if n.kind == mappingKind {
			at = n.below([]string{"regex"})
		}
		l.foreignValue(at, path, bare(err), "")
	}
}

// compile checks a pattern as package urls will read it.
func (p Pattern) compile() error {
	_, err := urls.NewScope(urls.ScopeRules{Exclude: []urls.Pattern{p.urls()}})
	return err
}

// bare is an error of package urls without its kind, which the path says.
func bare(err error) string {
	_, msg, found := strings.Cut(err.Error(), urls.ErrPattern.Error()+": ")
	if !found {
		return err.Error()
	}
	return msg
}
