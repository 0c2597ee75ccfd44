package config

import (
	"net/textproto"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Login is how a crawl logs in.
type Login struct {
	Steps    LoginSteps  `yaml:"steps" doc:"What is sent, in order, each found on the answer before it as link rules find links: an address, a form with its fields, or url, method and body with values that carry reads."`
	Take     LoginValues `yaml:"take" doc:"Values of the last answer, for send: a name and how it is found, as under fields."`
	Send     []Header    `yaml:"send" doc:"Header fields that the hosts are sent from then on; {{name}} stands for a value."`
	Hosts    []string    `yaml:"hosts" default:"(the host of the first step)" doc:"The hosts that the login is for: books.example, host:port or *.books.example."`
	Expect   LoginSign   `yaml:"expect" default:"(no error, and not again)" doc:"What the last answer shows when the login went well."`
	Again    LoginSign   `yaml:"again" default:"(401, or a redirect to the first step)" doc:"What an answer shows when nobody is logged in any more; then the crawl logs in again."`
	Attempts int         `yaml:"attempts" default:"3" min:"1" max:"100" doc:"Logins in a row that may fail for a while, or be followed by no good answer."`
	Most     int         `yaml:"most" default:"100" min:"1" max:"1000000" doc:"Logins in one process."`

	begin urls.URL
}

// LoginSteps are the steps of a login.
type LoginSteps struct{ Finders []crawler.LinkFinder }

// LoginValues read values from an answer.
type LoginValues struct {
	Extractor crawler.Extractor
	Names     []string
}

// LoginSign is something that an answer shows; any of its parts will do.
type LoginSign struct {
	Status []int      `yaml:"status" min:"100" max:"599" doc:"Its status is one of these."`
	Leads  []Pattern  `yaml:"leads" doc:"It redirects to a URL that matches one of these: path globs, or {regex: ...} on the whole URL."`
	Shows  LoginShown `yaml:"shows" doc:"The page has this: a CSS selector, or a mapping as of a field (css, xpath, jsonpath, regex)."`
}

// LoginShown finds something on a page.
type LoginShown struct{ Extractor crawler.Extractor }

// Empty reports whether there is nothing to look for.
func (s *LoginSign) Empty() bool {
	return len(s.Status) == 0 && len(s.Leads) == 0 && s.Shows.Extractor == nil
}

// decodeBlock reads addresses and link rules.
func (s *LoginSteps) decodeBlock(l *loader, n *node, path string) {
	items := n.items
	if n.kind != listKind {
		items = []*node{n}
	}
	for i, item := range items {
		at := join(path, strconv.Itoa(i))
		if item.kind == textKind { // an address, where link rules have a selector
			item = &node{kind: mappingKind, place: item.place, entries: []entry{{key: "url", place: item.place, value: item}}}
		}
		if item.kind != mappingKind {
			l.errorf(item.place, "", "%s: want an address or a link rule; found %s", at, item)
			continue
		}
		finder, ok := crawler.LinkFinders.New(linkFinder)
		if !ok {
			l.errorf(item.place, "", "%s: this program finds no links by rules", at)
			return
		}
		before := len(l.found)
		l.decodePlugin(item, finder, at, nil)
		l.checkPlugin(finder, item, at, before)
		s.Finders = append(s.Finders, finder)
	}
}

// decodeBlock reads fields as an extractor has them.
func (v *LoginValues) decodeBlock(l *loader, n *node, path string) {
	if n.kind == nullKind {
		return
	}
	if n.kind != mappingKind {
		l.errorf(n.place, "such as take: {token: {jsonpath: $.access_token}}", "%s: want a mapping of values; found %s", path, n)
		return
	}
	v.Extractor = l.extractorOf(&node{kind: mappingKind, place: n.place, entries: []entry{{"fields", n.place, n}}}, path)
	for _, e := range n.entries {
		v.Names = append(v.Names, e.key)
	}
}

// decodeBlock reads a selector, or a field.
func (s *LoginShown) decodeBlock(l *loader, n *node, path string) {
	if n.kind == nullKind {
		return
	}
	if n.kind != textKind && n.kind != mappingKind {
		l.errorf(n.place, "such as shows: form#login", "%s: want a selector; found %s", path, n)
		return
	}
	// An element without text is there as well, so css and xpath are conditions of a
	// record; what looks into JSON or the source is a field that must have a value.
	block := &node{kind: mappingKind, place: n.place}
	put := func(key string, value *node) { block.entries = append(block.entries, entry{key, n.place, value}) }
	condition := n
	if n.kind == textKind {
		condition = &node{kind: mappingKind, place: n.place, entries: []entry{{"css", n.place, n}}}
	}
	field := []entry{{"xpath", n.place, l.implied("name(/*)")}} // which every page has
	if condition.get("css") == nil && condition.get("xpath") == nil {
		needed := &node{kind: boolKind, text: "true", plain: true, place: n.place, implied: true}
		field = append(slices.Clone(condition.entries), entry{"required", n.place, needed})
	} else {
		put("when", condition)
	}
	sign := &node{kind: mappingKind, place: n.place, entries: field}
	put("fields", &node{kind: mappingKind, place: n.place, entries: []entry{{"sign", n.place, sign}}})
	s.Extractor = l.extractorOf(block, path)
}

func (l *loader) implied(text string) *node {
	return &node{kind: textKind, text: text, plain: true, place: l.root.place, implied: true}
}

// extractorOf makes an extractor of fields.
func (l *loader) extractorOf(block *node, path string) crawler.Extractor {
	plugin, ok := crawler.Extractors.New(DefaultExtractor)
	if !ok {
		l.errorf(block.place, "", "%s: this program reads no fields", path)
		return nil
	}
	before := len(l.found)
	l.decodePlugin(block, plugin, path, nil)
	l.checkPlugin(plugin, block, path, before)
	return plugin
}

var loginName = regexp.MustCompile(`\{\{\s*([^{}]*?)\s*\}\}`)

// checkLogin wants a first step that is an address, and something to keep.
func (l *loader) checkLogin(c *Config) {
	g := c.Login
	if g == nil {
		return
	}
	steps := l.at("login", "steps")
	if len(g.Steps.Finders) == 0 {
		if !l.found.Failed() {
			l.errorf(l.keyPlace("login"), "begin with the address of the login's page", "login: there are no steps")
		}
		return
	}
	first := firstStep(steps)
	u, err := urls.Parse(first.text)
	switch {
	case first.broken:
		return
	case first.kind == mappingKind && len(first.entries) > 0 && strings.Contains(first.entries[0].key, "://"): // an unknown key
	case first.kind != textKind || err != nil || !u.IsHTTP() || strings.Contains(first.text, "{{"):
		l.errorf(first.place, "such as https://shop.example/login", "login.steps.0: want an address to begin with; found %s", first)
	default:
		g.begin = u
	}
	for i, h := range g.Hosts {
		if n := l.item(i, "login", "hosts"); !n.broken {
			if _, err := urls.ParseHostRange(h); err != nil {
				l.foreignValue(n, "login.hosts", bare(err), "write books.example, books.example:8080 or *.books.example")
			}
		}
	}
	for _, sign := range []struct {
		key string
		is  *LoginSign
	}{{"expect", &g.Expect}, {"again", &g.Again}} {
		for i, p := range sign.is.Leads {
			l.checkPatternAt(p, l.item(i, "login", sign.key, "leads"), "login."+sign.key+".leads")
		}
	}
	l.checkLoginSend(g, steps)
	if c.Fetch.Cookies == "off" && len(g.Send) == 0 {
		l.errorf(l.keyPlace("login"), "set fetch.cookies: host, or take a token and send it", "login: nothing of it would be kept")
	}
	l.warnSecrets(steps, "login.steps")
}

// firstStep is what a login begins with.
func firstStep(steps *node) *node {
	n := steps
	if n.kind == listKind && len(n.items) > 0 {
		n = n.items[0]
	}
	if e := n.get("url"); e != nil {
		return e.value
	}
	return n
}

// checkLoginSend looks for values that nothing gives.
func (l *loader) checkLoginSend(g *Login, steps *node) {
	l.checkHeaders(g.Send, "login", "login", "send")
	known := slices.Clone(g.Take.Names)
	for _, step := range steps.items {
		if carry := step.get("carry"); carry != nil {
			for _, e := range carry.value.entries {
				known = append(known, e.key)
			}
		}
	}
	for _, h := range g.Send {
		for _, m := range loginName.FindAllStringSubmatch(h.Value, -1) {
			if slices.Contains(known, m[1]) {
				continue
			}
			hint := "read it under take"
			if near := nearest(m[1], known); near != "" {
				hint = "did you mean {{" + near + "}}?"
			}
			at := l.keyPlace("login", "send", h.Name)
			for _, e := range l.at("login", "send").entries {
				if textproto.CanonicalMIMEHeaderKey(e.key) == h.Name {
					at = e.value.place
					if e.value.secret() {
						l.foreignValue(e.value, "login.send."+h.Name, "", "")
						at = place{}
					}
				}
			}
			if at == (place{}) { // it may be a part of the value
				continue
			}
			l.errorf(at, hint, "login.send.%s: nothing gives {{%s}}", h.Name, short(m[1]))
		}
	}
}

// warnSecrets warns of what looks like a secret and stands in the file.
func (l *loader) warnSecrets(n *node, path string) {
	for _, item := range n.items {
		l.warnSecrets(item, path)
	}
	for _, e := range n.entries {
		lower := strings.ToLower(e.key)
		if e.value.kind == textKind && e.value.text != "" && !e.value.secret() && !e.value.implied &&
			(strings.Contains(lower, "pass") || strings.Contains(lower, "secret") || lower == "pwd" || lower == "pin") {
			l.warnf(e.value.place, "write ${NAME} and set that variable", "%s: a secret stands in the file", path)
		}
		l.warnSecrets(e.value, path)
	}
}

// Covers tells which hosts the login is for.
func (g *Login) Covers() func(u urls.URL) bool {
	ranges := make([]urls.HostRange, 0, len(g.Hosts))
	for _, h := range g.Hosts {
		if r, err := urls.ParseHostRange(h); err == nil { // a config that loaded has no other
			ranges = append(ranges, r)
		}
	}
	return func(u urls.URL) bool {
		if len(g.Hosts) == 0 {
			return u.Origin() == g.begin.Origin()
		}
		port := u.Port()
		if port == "" {
			port = map[string]string{"http": "80", "https": "443"}[u.Scheme()]
		}
		return slices.ContainsFunc(ranges, func(r urls.HostRange) bool { return r.Contains(u.Hostname(), port) })
	}
}

// LeadsTo tells which targets of a redirect are a sign; nil where none is named.
func (s *LoginSign) LeadsTo() (func(u urls.URL) bool, error) {
	if len(s.Leads) == 0 {
		return nil, nil
	}
	scope, err := urls.NewScope(urls.ScopeRules{Include: patterns(s.Leads)})
	if err != nil {
		return nil, err
	}
	return func(u urls.URL) bool { return scope.Check(u, 1).In }, nil
}

// Begins is the address that the login begins with.
func (g *Login) Begins() urls.URL { return g.begin }
