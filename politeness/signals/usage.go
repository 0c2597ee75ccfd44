package signals

import (
	"fmt"
	"slices"
	"strings"
)

// Preference is what a statement says about a use.
type Preference uint8

const (
	// Unstated is the absence of any statement.
	Unstated Preference = iota
	// Allowed is an explicit yes.
	Allowed
	// Denied is an explicit no, or a statement that cannot be read.
	Denied
)

// String names the preference: "unstated", "yes" or "no".
func (p Preference) String() string {
	switch p {
	case Allowed:
		return "yes"
	case Denied:
		return "no"
	}
	return "unstated"
}

// Statement is one thing a site says about one use.
type Statement struct {
	// Category is the use, by the names of this package, or as it was stated
	// where no vocabulary here knows it.
	Category string
	// Allow is what is said. A licence denies until its terms are met, and its
	// terms are not read here.
	Allow Preference
	// Source says by which protocol and where it was said, such as
	// "Content-Signal, robots.txt line 7".
	Source string
	// Text is what was said, shortened to maxText octets; for a licence its
	// address.
	Text string
	// Problem says what could not be read, and is empty otherwise.
	Problem string
}

// String is the statement as it stands in a record.
func (s Statement) String() string {
	value := s.Allow.String()
	if s.Category == CategoryLicense && s.Text != "" {
		value = s.Text
	}
	if s.Problem == "" {
		return fmt.Sprintf("%s=%s (%s)", s.Category, value, s.Source)
	}
	return fmt.Sprintf("%s=%s (%s: %s)", s.Category, value, s.Source, s.Problem)
}

// Usage is all that is said about one page.
type Usage struct {
	// Statements are in the order of their categories, and in a category in
	// the order they were given to Merge.
	Statements []Statement
}

const (
	// maxStatements bounds the statements of a Usage, and those of one line.
	maxStatements = 64
	// maxUsageText bounds Usage.String, in octets.
	maxUsageText = 1024
	// maxText bounds the text of a statement, in octets.
	maxText = 256
)

// Merge makes one Usage of what several sources say. Repeated statements are
// dropped. Those beyond a bound are replaced by one that denies every use,
// since they are not looked at.
func Merge(sources ...[]Statement) Usage {
	var all []Statement
	for _, source := range sources {
		for _, s := range source {
			if slices.Contains(all, s) {
				continue
			}
			if len(all) == maxStatements-1 {
				all = append(all, unreadable("several sources", "", fmt.Sprintf("more than %d statements", maxStatements-1)))
				return Usage{inOrder(all)}
			}
			all = append(all, s)
		}
	}
	return Usage{inOrder(all)}
}

func inOrder(all []Statement) []Statement {
	slices.SortStableFunc(all, func(a, b Statement) int { return compareCategories(a.Category, b.Category) })
	return all
}

// Preference is what holds for a use, and the statement that decides; the
// statement is the zero one when the use is unstated.
func (u Usage) Preference(category string) (Preference, Statement) {
	var allowed Statement
	for _, s := range u.Statements {
		switch {
		case s.Allow == Denied && holds(s.Category, category):
			return Denied, s
		case s.Allow == Allowed && s.Category == category && allowed.Allow == Unstated:
			allowed = s
		}
	}
	return allowed.Allow, allowed
}

// String is a short text of fixed form, for records: each statement as
// "ai-train=no (Content-Signal, robots.txt line 7)", joined by "; ". It is
// empty when nothing is stated and at most maxUsageText octets long; what does
// not fit is counted.
func (u Usage) String() string {
	const room = len("; and 64 more")
	var b strings.Builder
	for i, s := range u.Statements {
		text := s.String()
		if i > 0 {
			text = "; " + text
		}
		if b.Len()+len(text)+room > maxUsageText {
			fmt.Fprintf(&b, "; and %d more", len(u.Statements)-i)
			break
		}
		b.WriteString(text)
	}
	return b.String()
}

// Problems lists what could not be read, each with its source.
func (u Usage) Problems() []string {
	var out []string
	for _, s := range u.Statements {
		if s.Problem != "" {
			out = append(out, s.Source+": "+s.Problem)
		}
	}
	return out
}

// unreadable denies every use for a statement that could not be taken apart.
func unreadable(source, text, problem string) Statement {
	return Statement{Category: CategoryAll, Allow: Denied, Source: source, Text: shown(text, maxText), Problem: problem}
}

// shown makes text of a site fit for one line of a record: valid UTF-8 without
// control characters, at most limit octets.
func shown(s string, limit int) string {
	if len(s) > limit {
		s = s[:limit]
	}
	s = strings.ToValidUTF8(s, "")
	s = strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f && r < 0xa0 || r == 0x2028 || r == 0x2029 {
			return ' '
		}
		return r
	}, s)
	return strings.Clone(strings.TrimSpace(s))
}

// quoted shows a few octets of what could not be read.
func quoted(s string) string { return fmt.Sprintf("%q", shown(s, 40)) }
