package signals

import (
	"fmt"
	"slices"
	"strings"
)

// RobotsTxt is what a robots.txt says to one crawler about the use of the
// site's pages. It is immutable; a nil RobotsTxt says nothing.
type RobotsTxt struct {
	signals  []pathRule
	usages   []pathRule
	licences []Statement
	kept     int // rules and statements while reading
}

// pathRule is what one line says about the paths its pattern matches.
type pathRule struct {
	pattern pattern
	said    []Statement
	always  bool // whatever the path is: the line could not be read
}

const (
	// maxKept bounds what is kept of a file for a crawler: lines and the
	// statements in them.
	maxKept = 512
	// maxLicences bounds the License lines that are kept.
	maxLicences = 16
)

// ParseRobotsTxt reads a robots.txt for the crawler with a product token, cut
// where it stops being one: "bookbot/2.1" means "bookbot". It reads MaxSize
// octets and does not keep the body.
//
// Content-Signal and Content-Usage lines belong to the groups they stand in
// (RFC 9309 section 2.2.1): those of the groups that name the crawler count,
// or those of the groups for "*" when none does. A line before any group
// counts for every crawler, and so do License lines wherever they stand (RSL
// 1.0 ties them to no crawler). Both kinds may begin with a path pattern, as
// draft-ietf-aipref-attach-04 section 3 has it for Content-Usage; without one
// they are about the whole site.
func ParseRobotsTxt(body []byte, agent string) *RobotsTxt {
	agent = token(agent)
	var everyone, specific, global RobotsTxt
	var inSpecific, inGlobal, named, ruled, grouped bool
	for _, l := range linesOf(body) {
		if l.kind == lineAgent {
			if ruled {
				inSpecific, inGlobal, ruled = false, false, false
			}
			grouped = true
			if l.value == "*" || strings.HasPrefix(l.value, "* ") {
				inGlobal = true
			} else if t := token(l.value); t != "" && strings.EqualFold(t, agent) {
				inSpecific, named = true, true
			}
			continue
		}
		ruled = ruled || l.kind != lineLicense
		switch {
		case l.kind == lineLicense || !grouped:
			everyone.add(l)
		case inSpecific:
			specific.add(l)
		case inGlobal:
			global.add(l)
		}
	}
	if named {
		return everyone.with(&specific)
	}
	return everyone.with(&global)
}

// token returns the product token at the start of a value (RFC 9309 section
// 2.2.1).
func token(s string) string {
	for i := 0; i < len(s); i++ {
		if !letter(s[i]) && s[i] != '-' && s[i] != '_' {
			return s[:i]
		}
	}
	return s
}

func (r *RobotsTxt) add(l line) {
	switch l.kind {
	case lineSignal:
		r.signals = r.append(r.signals, l, "Content-Signal", contentSignal)
	case lineUsage:
		r.usages = r.append(r.usages, l, "Content-Usage", contentUsage)
	case lineLicense:
		if len(r.licences) < maxLicences {
			r.licences = append(r.licences, licenceLine(l.value, fmt.Sprintf("RSL, robots.txt line %d", l.number), l.cut))
		}
	}
}

// with returns what both say together.
func (r *RobotsTxt) with(other *RobotsTxt) *RobotsTxt {
	return &RobotsTxt{
		signals:  append(r.signals, other.signals...),
		usages:   append(r.usages, other.usages...),
		licences: append(r.licences, other.licences...),
	}
}

// append reads a line: a path pattern where there is one, then what is said. A
// line that cannot be read, and the first beyond the bound, denies every use
// of every page, since it may be about any.
func (r *RobotsTxt) append(rules []pathRule, l line, protocol string, parse func(value, source string) []Statement) []pathRule {
	if r.kept > maxKept {
		return rules
	}
	source := fmt.Sprintf("%s, robots.txt line %d", protocol, l.number)
	path, value := splitPath(l.value)
	p, ok := newPattern(path)
	problem := ""
	switch {
	case r.kept == maxKept:
		problem = "too many lines before it"
	case l.cut:
		problem = "the end of the line is missing"
	case !ok:
		problem = quoted(path) + " is no path that can be read"
	case value == "" && path != "/":
		problem = "a path and nothing said about it"
	}
	if problem != "" {
		r.kept++
		return append(rules, pathRule{said: []Statement{unreadable(source, l.value, problem)}, always: true})
	}
	said := parse(value, source)
	r.kept = min(r.kept+1+len(said), maxKept)
	// Where no path was cut off, what cannot be read may be the path.
	lost := value == l.value && slices.ContainsFunc(said, func(s Statement) bool { return s.Category == CategoryAll && s.Problem != "" })
	return append(rules, pathRule{pattern: p, said: said, always: lost})
}

// splitPath cuts the path pattern from the front of a value; "/" stands for
// none. A star begins a pattern only where more follows, since a dictionary
// key may begin with one.
func splitPath(value string) (path, rest string) {
	if value == "" || value[0] != '/' && value[0] != '*' {
		return "/", value
	}
	at := strings.IndexFunc(value, blank)
	if at < 0 {
		at = len(value)
	}
	if value[0] == '*' && (at == len(value) || strings.IndexByte(value[:at], '=') >= 0) {
		return "/", value
	}
	return value[:at], strings.TrimFunc(value[at:], blank)
}

// For returns what is said about a page, given by the path and query of its
// URL or by its whole URL. Of the lines of one protocol the one with the
// longest pattern that matches counts, and all of them where several are as
// long; lines that could not be read count besides.
func (r *RobotsTxt) For(path string) []Statement {
	if r == nil || len(r.signals)+len(r.usages)+len(r.licences) == 0 {
		return nil
	}
	path = pathOf(path)
	out := said(nil, r.signals, path)
	out = said(out, r.usages, path)
	return append(out, r.licences...)
}

func said(out []Statement, rules []pathRule, path string) []Statement {
	longest, first := 0, 0 // first of the longest
	for i := range rules {
		if p := &rules[i].pattern; p.octets > longest && p.matches(path) {
			longest, first = p.octets, i
		}
	}
	for i := range rules {
		r := &rules[i]
		if r.always || i == first && longest > 0 || i > first && r.pattern.octets == longest && r.pattern.matches(path) {
			out = append(out, r.said...)
		}
	}
	return out
}

// Size estimates the memory it takes, in octets.
func (r *RobotsTxt) Size() int {
	if r == nil {
		return 0
	}
	size := 96 + sizeOf(r.licences)
	for _, rules := range [][]pathRule{r.signals, r.usages} {
		for i := range rules {
			size += 96 + rules[i].pattern.octets + 16*len(rules[i].pattern.parts) + sizeOf(rules[i].said)
		}
	}
	return size
}

func sizeOf(all []Statement) int {
	size := 0
	for _, s := range all {
		size += 72 + len(s.Category) + len(s.Source) + len(s.Text) + len(s.Problem)
	}
	return size
}
