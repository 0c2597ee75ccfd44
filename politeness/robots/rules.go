package robots

import (
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// Verdict is the answer for one URL.
type Verdict struct {
	Allowed bool
	// Line is the number, from 1, of the line that decided; 0 when no rule
	// applies, which allows.
	Line int
	// Text is that line without comment and surrounding blanks, at most
	// maxText octets of it.
	Text string
}

// maxText bounds the text of a rule that is kept for explanations.
const maxText = 256

// Rules are the rules of one file for one product token. They are safe for
// concurrent use.
type Rules struct {
	agent    string
	mode     Mode
	rules    []rule // in order of rank: the first that matches decides
	index    index
	compiled atomic.Int32 // matchers kept
	delay    time.Duration
	delayAt  int
}

// rule is one Allow or Disallow.
type rule struct {
	pattern pattern
	line    int
	allow   bool
	text    string
	second  atomic.Pointer[second]
}

// newRules ranks rules by RFC 9309 section 2.2.2: most octets first, then
// Allow before Disallow, then in the order of the file.
func newRules(agent string, mode Mode, o *own) *Rules {
	r := &Rules{agent: strings.Clone(agent), mode: mode, delay: o.delay, delayAt: o.line}
	parsed := make([]parsedRule, 0, len(o.rules))
	for _, d := range o.rules {
		parsed = appendRules(parsed, d, mode)
	}
	parsed = distinct(parsed)
	slices.SortStableFunc(parsed, func(a, b parsedRule) int {
		switch {
		case len(a.value) != len(b.value):
			return len(b.value) - len(a.value)
		case a.allow == b.allow:
			return 0
		case a.allow:
			return -1
		}
		return 1
	})
	r.rules = make([]rule, len(parsed))
	for i, p := range parsed {
		text := p.text
		if len(text) > maxText {
			text = strings.ToValidUTF8(text[:maxText], "")
		}
		r.rules[i].pattern = newPattern(p.value)
		r.rules[i].line = p.line
		r.rules[i].allow = p.allow
		r.rules[i].text = strings.Clone(text)
	}
	r.index = newIndex(r.rules)
	return r
}

// distinct drops rules that repeat an earlier one.
func distinct(all []parsedRule) []parsedRule {
	type said struct {
		value string
		allow bool
	}
	seen := make(map[said]struct{}, len(all))
	return slices.DeleteFunc(all, func(p parsedRule) bool {
		key := said{p.value, p.allow}
		_, again := seen[key]
		seen[key] = struct{}{}
		return again
	})
}

// parsedRule is a rule with its value in normal form.
type parsedRule struct {
	value string
	line  int
	allow bool
	text  string
}

// appendRules normalises one line. An empty value matches nothing. Where a
// value is not what the RFC allows, RFC mode reads it so that it gives no
// access: a Disallow without its slash gets one, an Allow that is cut off or
// has no slash is dropped.
func appendRules(out []parsedRule, d directive, mode Mode) []parsedRule {
	allow := d.kind == kindAllow
	p := parsedRule{line: d.line, allow: allow, text: d.text}
	if d.value == "" {
		return out
	}
	if mode == Google {
		p.value = escape(d.value)
		out = append(out, p)
		if at := strings.LastIndexByte(p.value, '/'); allow && at >= 0 &&
			strings.HasPrefix(p.value[at:], "/index.htm") {
			// Google takes an allowed index page for its folder.
			p.value = p.value[:at+1] + "$"
			out = append(out, p)
		}
		return out
	}
	if d.value[0] != '/' && d.value[0] != '*' && d.value[0] != '$' {
		if allow {
			return out
		}
		d.value = "/" + d.value
	}
	if allow && d.cut {
		return out
	}
	p.value = normalise(d.value, sideRule)
	return append(out, p)
}

// CrawlDelay returns the longest delay stated for the agent and the line that
// states it; ok is false when none is. It is not part of the RFC. The value
// is at most 30 days.
func (r *Rules) CrawlDelay() (delay time.Duration, line int, ok bool) {
	return r.delay, r.delayAt, r.delayAt != 0
}

// Check decides one URL, absolute or given as a path. A path that begins with
// two slashes must be given as part of an absolute URL.
//
// The work on wildcards is bounded. A file and a URL made to exceed the bound
// get the reading that gives less access: of the rules not yet compared a
// Disallow counts as matching and an Allow as not.
func (r *Rules) Check(url string) Verdict {
	path := pathOf(url)
	if r.mode == Google {
		path, _, _ = strings.Cut(path, "\x00")
	} else {
		path = normalise(path, sideURL)
		if path == "/robots.txt" {
			return Verdict{Allowed: true} // RFC 9309 section 2.2.2
		}
	}
	rank := r.index.first(r.rules, path)
	if rank < 0 {
		return Verdict{Allowed: true}
	}
	rule := &r.rules[rank]
	return Verdict{
		Allowed: rule.allow && r.confirm(rule, path),
		Line:    rule.line,
		Text:    rule.text,
	}
}

// Size estimates the memory that the rules take, in octets.
func (r *Rules) Size() int {
	size := 256 + 5*len(r.index.wild.start)
	for i := range r.rules {
		size += 160 + len(r.rules[i].pattern.glob) + len(r.rules[i].text)
	}
	return size
}
