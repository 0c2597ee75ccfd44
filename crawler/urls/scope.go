package urls

import (
	"fmt"
	"regexp"
	"strings"
)

// Pattern selects URLs; exactly one of its fields is set.
type Pattern struct {
	Glob  string // see Glob
	Regex string // RE2, searched anywhere in the URL without fragment and credentials
}

// ScopeRules say which URLs belong to a crawl.
type ScopeRules struct {
	// Hosts are host names: "books.example" is that host, "*.books.example" its
	// subdomains but not itself, "*" any; ":port" at the end asks for that port,
	// otherwise every port will do. None at all means any host.
	Hosts []string
	// Include: a URL must match one of these; none at all means every URL.
	Include []Pattern
	// Exclude: a URL must match none of these, whatever Include says.
	Exclude []Pattern
	// MaxDepth is the most links a URL may be away from a seed; 0: no bound.
	MaxDepth int
}

// ScopeVerdict says whether a URL is in the scope and which rule decided, for
// people to read, such as `exclude "**/login*"` or "max_depth 8".
type ScopeVerdict struct {
	In   bool
	Rule string
}

// Scope decides which URLs belong to a crawl. It is immutable.
type Scope struct {
	hosts            *hostSet // nil: any
	include, exclude []matcher
	maxDepth         int
	// The rules of the verdicts, in words once and for all.
	inHosts, notInHosts, notIncluded, tooDeep string
}

// matcher is a compiled Pattern with the words for its verdict.
type matcher struct {
	rule  string
	glob  Glob
	regex *regexp.Regexp // nil: glob
}

// NewScope compiles the rules; the error is ErrPattern, for the first that is
// not right.
func NewScope(rules ScopeRules) (*Scope, error) {
	s := &Scope{maxDepth: rules.MaxDepth, inHosts: "any host"}
	if rules.MaxDepth < 0 {
		return nil, fmt.Errorf("%w: max_depth %d is negative", ErrPattern, rules.MaxDepth)
	}
	if len(rules.Hosts) > 0 {
		s.hosts = &hostSet{}
		for _, h := range rules.Hosts {
			if err := s.hosts.add(h); err != nil {
				return nil, err
			}
		}
		names := enumerate(rules.Hosts)
		s.inHosts, s.notInHosts = "hosts: one of "+names, "hosts: not one of "+names
	}
	var err error
	if s.include, err = newMatchers("include", rules.Include); err != nil {
		return nil, err
	}
	if s.exclude, err = newMatchers("exclude", rules.Exclude); err != nil {
		return nil, err
	}
	included := make([]string, len(s.include))
	for i := range s.include {
		included[i] = strings.TrimPrefix(s.include[i].rule, "include ")
	}
	s.notIncluded = "include: none of " + enumerate(included)
	s.tooDeep = fmt.Sprintf("max_depth %d", s.maxDepth)
	return s, nil
}

// enumerate lists a few of the names and counts the others.
func enumerate(names []string) string {
	const few = 5
	if len(names) <= few+1 {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:few], ", "), len(names)-few)
}

func newMatchers(kind string, patterns []Pattern) ([]matcher, error) {
	matchers := make([]matcher, 0, len(patterns))
	for _, p := range patterns {
		m, err := newMatcher(kind, p)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", kind, err)
		}
		matchers = append(matchers, m)
	}
	return matchers, nil
}

func newMatcher(kind string, p Pattern) (m matcher, err error) {
	switch {
	case (p.Glob == "") == (p.Regex == ""):
		return m, fmt.Errorf("%w: want a glob or a regex", ErrPattern)
	case p.Glob != "":
		m.rule = fmt.Sprintf("%s %q", kind, p.Glob)
		m.glob, err = NewGlob(p.Glob)
	default:
		m.rule = fmt.Sprintf("%s regex %q", kind, p.Regex)
		if m.regex, err = regexp.Compile(p.Regex); err != nil {
			err = fmt.Errorf("%w: %w", ErrPattern, err)
		}
	}
	return m, err
}

func (m *matcher) match(u URL) bool {
	if m.regex != nil {
		return m.regex.MatchString(u.Fetch())
	}
	return m.glob.Match(u)
}

// Check decides on u, found depth links away from a seed. The rules are asked
// in the order scheme, hosts, exclude, include, max_depth; the first that
// refuses decides.
func (s *Scope) Check(u URL, depth int) ScopeVerdict {
	if !u.IsHTTP() {
		if u.IsZero() {
			return ScopeVerdict{Rule: "not a URL"}
		}
		return ScopeVerdict{Rule: "scheme " + u.Scheme()}
	}
	if s.hosts != nil && !s.hosts.has(u) {
		return ScopeVerdict{Rule: s.notInHosts}
	}
	if m := firstMatch(s.exclude, u); m != nil {
		return ScopeVerdict{Rule: m.rule}
	}
	in := ScopeVerdict{In: true, Rule: s.inHosts}
	if len(s.include) > 0 {
		m := firstMatch(s.include, u)
		if m == nil {
			return ScopeVerdict{Rule: s.notIncluded}
		}
		in.Rule = m.rule
	}
	if s.maxDepth > 0 && depth > s.maxDepth {
		return ScopeVerdict{Rule: s.tooDeep}
	}
	return in
}

func firstMatch(matchers []matcher, u URL) *matcher {
	for i := range matchers {
		if matchers[i].match(u) {
			return &matchers[i]
		}
	}
	return nil
}
