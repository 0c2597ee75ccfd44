package crawler

import (
	"slices"

	"github.com/amblecrawl/amble/crawler/urls"
)

// TrapView is what the rules for traps say of one URL, without counting it.
type TrapView struct {
	Pattern string // that the URL shares with its kind
	// Cut says why a link to the URL would be cut now, wherever it stands; ""
	// when it would not be.
	Cut string
	// CutThrough says why it would be cut where it is reached through pages of
	// its own pattern, or very deep.
	CutThrough string
	Pages      int64 // of the pattern, reached so and requested
	Stale      int64 // of these, the last in a row that said nothing new
}

// ViewTraps looks at a URL as the state stands; f is nil where there is none.
func ViewTraps(f Values, canon *urls.Canon, rules TrapRules, u urls.URL) (TrapView, error) {
	pattern, _ := canon.Generalise(u)
	v := TrapView{Pattern: pattern}
	if find := rules.circles(u); find != nil {
		v.Cut = find.detail()
		return v, nil
	}
	var h hostTraps
	if f == nil {
		return v, nil
	}
	if _, err := getJSON(f, keyTraps+u.Origin(), &h); err != nil {
		return v, err
	}
	path, names := canon.ParamNames(u)
	i := slices.IndexFunc(h.Paths, func(p pathCount) bool { return p.Path == cut(path) })
	if i >= 0 && len(names) > 1 {
		if find := rules.facets(&h.Paths[i]); find != nil {
			v.Cut = find.detail()
		}
	}
	if p := h.known(pattern); p != nil {
		v.Pages, v.Stale = p.Pages, p.Stale
		if find := rules.through(p); find != nil {
			v.CutThrough = find.detail()
		}
	}
	return v, nil
}
