package polite

import (
	"fmt"

	"github.com/amblecrawl/amble/crawler/urls"
	"github.com/amblecrawl/amble/politeness"
	"github.com/amblecrawl/amble/politeness/signals"
)

// Rule is a line of robots.txt, or a reason without a line.
type Rule struct {
	Line int
	Text string
}

// Consult asks what is known of a host whether a URL may be fetched: its robots.txt,
// and what is stated about the use of pages. What is not known is taken as allowed, for
// the caller to say.
func Consult(gate *politeness.Gate, usage signals.Policy, u urls.URL) (allowed bool, by Rule, known bool) {
	v, digest, known := gate.Consult(u.Origin(), u.Fetch())
	if !known {
		return true, Rule{}, false
	}
	if !v.Allowed {
		return false, Rule{v.Line, v.Text}, true
	}
	if verdict := usage.DecideEarly(saidBy(digest, gate.File(u.Origin())).early(u.Fetch())); !verdict.Allowed {
		return false, Rule{Text: verdict.Reason}, true
	}
	return true, Rule{}, true
}

// String says what a rule that disallows does, "" for none.
func (r Rule) String() string {
	if r.Line > 0 {
		return fmt.Sprintf("robots.txt line %d: %s", r.Line, r.Text)
	}
	return r.Text
}

// Stated tells what robots.txt, and tdmrep.json where it was asked for, state about
// the use of a page; its header and its elements may add to it.
func Stated(gate *politeness.Gate, policy signals.Policy, u urls.URL) string {
	digest := gate.Digest(u.Origin())
	if digest == nil {
		return "robots.txt is not known"
	}
	host, where := saidBy(digest, gate.File(u.Origin())), "robots.txt"
	if host.tdm != nil {
		where += " and tdmrep.json"
	}
	usage := signals.Merge(host.of(u.Fetch()))
	switch verdict := policy.DecideEarly(usage); {
	case len(usage.Statements) == 0:
		return "none in " + where
	case !verdict.Allowed:
		return usage.String() + ": forbidden, " + verdict.Reason
	}
	return usage.String()
}
