package urls

import (
	"fmt"
	"strings"
)

// maxMiddle is how many characters may stand between the first and the last
// star of a glob: each is a bit of a word while matching.
const maxMiddle = 62

// wildcard is a string with stars, of the form prefix, middle, suffix, where
// the middle begins and ends with a star or is empty. The middle is matched by
// running its automaton with one bit a state, so that no input takes more than
// a few operations a byte.
type wildcard struct {
	prefix, suffix string
	literal        bool // no star at all: prefix is everything
	anything       bool // the middle is "**"

	accept  uint64         // the state after the last token
	stars   uint64         // states at either star, which may be passed by
	doubles uint64         // states at "**", which stay at any byte
	bytes   *[128]stateSet // states that the byte leads on from
}

type stateSet = uint64

func newWildcard(tokens []token) (wildcard, error) {
	var w wildcard
	first, last := -1, -1
	for i, t := range tokens {
		if t >= star {
			if first < 0 {
				first = i
			}
			last = i
		}
	}
	if first < 0 {
		w.literal, w.prefix = true, literalText(tokens)
		return w, nil
	}
	w.prefix, w.suffix = literalText(tokens[:first]), literalText(tokens[last+1:])
	middle := mergeStars(tokens[first : last+1])
	if len(middle) > maxMiddle {
		return w, fmt.Errorf("more than %d characters between the first star and the last", maxMiddle)
	}
	w.anything = len(middle) == 1 && middle[0] == doubleStar
	w.bytes = new([128]stateSet)
	w.accept = 1 << len(middle)
	for i, t := range middle {
		state := uint64(1) << i
		switch t {
		case star:
			w.stars |= state
		case doubleStar:
			w.stars |= state
			w.doubles |= state
		default:
			w.bytes[t] |= state
		}
	}
	return w, nil
}

func literalText(tokens []token) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte(byte(t))
	}
	return b.String()
}

// mergeStars makes one star of stars that touch, so that passing one by is
// never followed by another.
func mergeStars(tokens []token) []token {
	var merged []token
	for _, t := range tokens {
		n := len(merged)
		if n > 0 && t >= star && merged[n-1] >= star {
			merged[n-1] = max(merged[n-1], t)
			continue
		}
		merged = append(merged, t)
	}
	return merged
}

func (w *wildcard) match(s string) bool {
	if w.literal {
		return s == w.prefix
	}
	if len(s) < len(w.prefix)+len(w.suffix) || !strings.HasPrefix(s, w.prefix) || !strings.HasSuffix(s, w.suffix) {
		return false
	}
	if w.anything {
		return true
	}
	s = s[len(w.prefix) : len(s)-len(w.suffix)]
	states := w.pass(1)
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c >= 128 {
			return false // never in a serialised http(s) URL
		}
		stay := w.stars
		if c == '/' {
			stay = w.doubles
		}
		states = w.pass(states&stay | states&w.bytes[c]<<1)
		if states == 0 {
			return false
		}
	}
	return states&w.accept != 0
}

// pass adds the states that are reached by letting a star match nothing more.
func (w *wildcard) pass(states uint64) uint64 {
	return states | states&w.stars<<1
}
