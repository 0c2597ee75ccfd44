package urls

import (
	"errors"
	"fmt"
	"strings"
)

// ErrPattern: a glob, regular expression, host or parameter pattern that cannot
// work. The person who wrote it can mend it; the message says what is wrong.
var ErrPattern = errors.New("bad pattern")

// maxAlternatives bounds what the braces and "/**/" of one glob multiply out to.
const maxAlternatives = 256

// Glob matches the path of a URL, or path and query.
//
//   - any characters within one path segment
//     **      any characters, slashes included; "/**/" also matches one "/"
//     {a,b}   either of the alternatives, which may hold stars but no braces
//     ?       the question mark before the query
//     \       takes the next character as it is
//
// Everything else stands for itself. A glob with a "?" is matched against path
// and query, where a URL without a query never matches and both stars match
// anything behind the "?"; one without is matched against the path alone,
// whatever the query. It must match from the first character to the last, in
// time linear in the URL. Letter case counts.
//
// Paths are compared as serialised. Characters that never stand there, such as
// spaces and letters beyond ASCII, may be written plainly and are matched in
// their percent-encoded form.
type Glob struct {
	text         string
	alternatives []alternative
}

// alternative is one of the strings that a glob's braces multiply out to.
type alternative struct {
	path, query wildcard
	hasQuery    bool
}

// NewGlob compiles a glob; the error is ErrPattern.
func NewGlob(pattern string) (Glob, error) {
	g := Glob{text: pattern}
	tokens, err := lexGlob(pattern)
	if err == nil {
		err = g.compile(tokens)
	}
	if err != nil {
		return Glob{}, fmt.Errorf("%w: glob %q: %w", ErrPattern, pattern, err)
	}
	return g, nil
}

// String returns the pattern that the glob was made from.
func (g Glob) String() string { return g.text }

// Match reports whether the glob matches u. The zero Glob matches nothing.
func (g Glob) Match(u URL) bool {
	for i := range g.alternatives {
		a := &g.alternatives[i]
		if a.hasQuery && (!u.hasQuery() || !a.query.match(u.Query())) {
			continue
		}
		if a.path.match(u.Path()) {
			return true
		}
	}
	return false
}

func (g *Glob) compile(tokens []token) error {
	expanded, err := expand(tokens)
	if err != nil {
		return err
	}
	for _, t := range expanded {
		a, err := newAlternative(t)
		if err != nil {
			return err
		}
		g.alternatives = append(g.alternatives, a)
	}
	return nil
}

func newAlternative(tokens []token) (a alternative, err error) {
	if len(tokens) == 0 || tokens[0].isLiteral() && tokens[0] != '/' {
		return a, errors.New("a path starts with a slash, so the glob must start with / or *")
	}
	for i, t := range tokens {
		if t != question {
			continue
		}
		query := tokens[i+1:]
		for j, t := range query {
			switch t {
			case question:
				query[j] = '?'
			case star:
				query[j] = doubleStar
			}
		}
		a.hasQuery, tokens = true, tokens[:i]
		if a.query, err = newWildcard(query); err != nil {
			return a, err
		}
		break
	}
	a.path, err = newWildcard(tokens)
	return a, err
}

// token is a byte to match or one of the constants below.
type token uint16

const (
	star token = 0x100 + iota
	doubleStar
	question // the first one of a pattern; later ones are literal
	open
	comma
	closing
)

func (t token) isLiteral() bool { return t < star || t == question }

// lexGlob splits a pattern into tokens and percent-encodes what a serialised
// URL would have encoded.
func lexGlob(pattern string) ([]token, error) {
	meta := map[byte]token{'?': question, '{': open, '}': closing}
	var tokens []token
	depth := 0
	plain := byte(inPath) // class of the bytes that stand unencoded here
	for i := 0; i < len(pattern); i++ {
		c := pattern[i]
		switch {
		case c == '\\':
			if i++; i == len(pattern) {
				return nil, errors.New("nothing follows the backslash")
			}
			tokens = appendLiteral(tokens, pattern[i], plain)
			continue
		case c == '{' && depth == 1:
			return nil, errors.New("braces within braces")
		case c == '}' && depth == 0:
			return nil, errors.New("} without {")
		case c == '#':
			return nil, errors.New("fragments are not matched; write %23 for a # in a path")
		case c == '{':
			depth = 1
		case c == '}':
			depth = 0
		case c == '?':
			plain = inQuery
		}
		switch {
		case c == '*' && strings.HasPrefix(pattern[i:], "**"):
			tokens = append(tokens, doubleStar)
			i++
		case c == '*':
			tokens = append(tokens, star)
		case c == ',' && depth == 1:
			tokens = append(tokens, comma)
		case meta[c] != 0:
			tokens = append(tokens, meta[c])
		default:
			tokens = appendLiteral(tokens, c, plain)
		}
	}
	if depth > 0 {
		return nil, errors.New("{ without }")
	}
	return tokens, nil
}

func appendLiteral(tokens []token, c, plain byte) []token {
	if class[c]&plain != 0 {
		return append(tokens, token(c))
	}
	const digits = "0123456789ABCDEF"
	return append(tokens, '%', token(digits[c>>4]), token(digits[c&15]))
}

// expand multiplies out the braces, and "/**/" into itself and "/".
func expand(tokens []token) ([][]token, error) {
	done := [][]token{nil}
	for len(tokens) > 0 {
		var choices [][]token
		switch {
		case tokens[0] == open:
			tokens = tokens[1:]
			choices = append(choices, nil)
			for ; tokens[0] != closing; tokens = tokens[1:] {
				if tokens[0] == comma {
					choices = append(choices, nil)
					continue
				}
				last := len(choices) - 1
				choices[last] = append(choices[last], tokens[0])
			}
			tokens = tokens[1:]
		case len(tokens) > 2 && tokens[0] == '/' && tokens[1] == doubleStar && tokens[2] == '/':
			// The second slash stays, to begin another "/**/".
			choices = [][]token{{'/', doubleStar}, nil}
			tokens = tokens[2:]
		default:
			choices, tokens = [][]token{tokens[:1]}, tokens[1:]
		}
		if len(done)*len(choices) > maxAlternatives {
			return nil, fmt.Errorf("more than %d alternatives", maxAlternatives)
		}
		done = multiply(done, choices)
	}
	return done, nil
}

func multiply(starts, ends [][]token) [][]token {
	product := make([][]token, 0, len(starts)*len(ends))
	for _, s := range starts {
		for _, e := range ends {
			product = append(product, append(s[:len(s):len(s)], e...))
		}
	}
	return product
}
