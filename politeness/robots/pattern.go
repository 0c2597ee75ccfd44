package robots

import "strings"

// pattern is the value of a rule: literal parts between stars, compared from
// the beginning of a path.
type pattern struct {
	glob     string // runs of stars folded, a last "$" and trailing stars removed
	anchored bool   // the path must end where the pattern does
	wild     bool   // glob holds a star
}

func newPattern(value string) pattern {
	p := pattern{glob: value}
	if strings.HasSuffix(p.glob, "$") {
		p.anchored = true
		p.glob = p.glob[:len(p.glob)-1]
	} else {
		p.glob = strings.TrimRight(p.glob, "*")
	}
	if strings.Contains(p.glob, "**") {
		p.glob = foldStars(p.glob)
	}
	p.glob = strings.Clone(p.glob)
	p.wild = strings.IndexByte(p.glob, '*') >= 0
	return p
}

func foldStars(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '*' || i == 0 || s[i-1] != '*' {
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// work counts down the octets that may still be looked at.
type work int

// matches reports whether the path fits. Taking each part at its first place
// is enough: what fits later also fits earlier, with more left over. When the
// work runs out it returns ifTired.
func (p *pattern) matches(path string, left *work, ifTired bool) bool {
	glob := p.glob
	star := strings.IndexByte(glob, '*')
	if star < 0 {
		return strings.HasPrefix(path, glob) && (!p.anchored || len(path) == len(glob))
	}
	if !strings.HasPrefix(path, glob[:star]) {
		return false
	}
	path, glob = path[star:], glob[star+1:]
	for {
		star = strings.IndexByte(glob, '*')
		if star < 0 {
			break
		}
		if left.spend(path, glob[:star]); *left < 0 {
			return ifTired
		}
		at := strings.Index(path, glob[:star])
		if at < 0 {
			return false
		}
		path, glob = path[at+star:], glob[star+1:]
	}
	if p.anchored {
		return strings.HasSuffix(path, glob)
	}
	if left.spend(path, glob); *left < 0 {
		return ifTired
	}
	return strings.Contains(path, glob)
}

const (
	// maxWork keeps the worst case of one Check to a few milliseconds: a
	// search looks at about two octets per nanosecond.
	maxWork work = 6 << 20
	// stepCost is the fixed price of one search, in octets.
	stepCost = 8
	// longPart is the length from which strings.Index searches without vector
	// instructions, at slowdown times the price.
	longPart = 64
	slowdown = 4
)

// spend pays for one search of a part.
func (w *work) spend(path, part string) {
	cost := work(len(path))
	if len(part) >= longPart {
		cost *= slowdown
	}
	*w -= cost + stepCost
}
