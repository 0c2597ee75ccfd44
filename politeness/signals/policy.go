package signals

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Rule says what a crawl does with what is stated about one use.
type Rule uint8

const (
	// Record keeps what is stated with the records, and allows. It is the rule
	// of every use that a Policy does not name.
	Record Rule = iota
	// Ignore does not even keep it.
	Ignore
	// Respect forbids a page whose use is denied.
	Respect
	// RequireAllow forbids a page whose use is not explicitly allowed.
	RequireAllow
)

var ruleNames = []string{"record", "ignore", "respect", "require-allow"}

// RuleNames returns the names ParseRule knows.
func RuleNames() []string { return slices.Clone(ruleNames) }

// String is the rule's name in a configuration.
func (r Rule) String() string {
	if int(r) < len(ruleNames) {
		return ruleNames[r]
	}
	return fmt.Sprintf("Rule(%d)", uint8(r))
}

// ParseRule reads the name of a rule; its error names the nearest one.
func ParseRule(name string) (Rule, error) {
	if i := slices.Index(ruleNames, name); i >= 0 {
		return Rule(i), nil
	}
	return 0, fmt.Errorf("%s is no rule: %s", quoted(name), hint(name, ruleNames))
}

// Policy says by use what a crawl does with usage signals. A nil Policy
// records everything and forbids nothing. It is safe for concurrent use as
// long as nobody changes it.
type Policy map[string]Rule

// ParsePolicy reads a policy as a configuration states it, such as
// {"ai-train": "require-allow"}. The error joins all mistakes, in the order of
// the names, each with the nearest name there is. The names that vocabularies
// use elsewhere are taken too ("train-ai").
func ParsePolicy(stated map[string]string) (Policy, error) {
	p := Policy{}
	names := make([]string, 0, len(stated))
	for name := range stated {
		names = append(names, name)
	}
	slices.Sort(names)
	var mistakes []error
	for _, name := range names {
		category, rule, err := parseEntry(name, stated[name])
		if err == nil {
			if _, again := p[category]; again {
				err = fmt.Errorf("%s is %s, which is there twice", name, category)
			}
		}
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		p[category] = rule
	}
	if len(mistakes) > 0 {
		return nil, errors.Join(mistakes...)
	}
	return p, nil
}

func parseEntry(name, rule string) (string, Rule, error) {
	category, _ := categoryOf(name)
	if category == CategoryAll || !slices.Contains(categories, category) {
		return "", 0, fmt.Errorf("%s is no use of content: %s", quoted(name), hint(name, categories[1:]))
	}
	r, err := ParseRule(rule)
	if err != nil {
		return "", 0, fmt.Errorf("%s: %w", name, err)
	}
	if category == CategoryLicense && r == RequireAllow {
		return "", 0, errors.New("license: require-allow could never be met, since licences are not read: use respect or record")
	}
	return category, r, nil
}

// Verdict is what a policy makes of a page.
type Verdict struct {
	Allowed bool
	// Reason says why a page is forbidden: the use, its rule and what was
	// stated. It is empty when the page is allowed.
	Reason string
}

// Decide judges a page by all that is said about it, header and elements of
// the page included.
func (p Policy) Decide(u Usage) Verdict { return p.decide(u, true) }

// DecideEarly judges before a page is fetched, by what robots.txt and
// tdmrep.json say. A missing yes forbids nothing yet: the page may bring it.
// What it forbids Decide forbids as well, whatever the page would add.
func (p Policy) DecideEarly(u Usage) Verdict { return p.decide(u, false) }

func (p Policy) decide(u Usage, complete bool) Verdict {
	for _, category := range categories[1:] {
		rule := p[category]
		if rule != Respect && rule != RequireAllow {
			continue
		}
		switch preference, by := u.Preference(category); {
		case preference == Denied:
			return Verdict{Reason: fmt.Sprintf("usage policy %s: %s: %s", category, rule, by)}
		case preference == Unstated && rule == RequireAllow && complete:
			return Verdict{Reason: fmt.Sprintf("usage policy %s: %s: nothing is stated", category, rule)}
		}
	}
	return Verdict{Allowed: true}
}

// Recorded is what of a Usage is kept with records: all but the uses that the
// policy ignores.
func (p Policy) Recorded(u Usage) Usage {
	var kept []Statement
	for _, s := range u.Statements {
		if p[s.Category] != Ignore {
			kept = append(kept, s)
		}
	}
	return Usage{kept}
}

// hint names the candidate that is most likely meant, or all of them.
func hint(word string, candidates []string) string {
	word = strings.ToLower(shown(word, maxName))
	best, least := "", 1+max(1, len(word)/3)
	for _, c := range candidates {
		if d := distance(word, c); d < least {
			best, least = c, d
		}
	}
	if best != "" {
		return "did you mean " + best + "?"
	}
	return "known are " + strings.Join(candidates, ", ")
}

// distance counts the letters to insert, delete or replace on the way from a
// to b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := before
			if a[i-1] != b[j-1] {
				cost++
			}
			before = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
