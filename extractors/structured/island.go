package structured

import (
	"bytes"
	"regexp"
)

// maxAssigned bounds how often a variable is looked for on one page.
const maxAssigned = 100

// assigned are the texts that begin with what is assigned to the variable. What
// stands behind the value is left to the reader.
func (p *plan) assigned(text []byte) [][]byte {
	var out [][]byte
	for _, at := range p.variable.FindAllIndex(text, maxAssigned) {
		value := text[at[1]:]
		if bytes.HasPrefix(value, []byte("JSON.parse(")) {
			continue // a string in a program: not JSON by itself
		}
		if len(value) > 0 && bytes.IndexByte([]byte(`{["`), value[0]) >= 0 {
			out = append(out, value)
		}
	}
	return out
}

// Guards against being read as a script, and calls around the value.
var (
	guards = regexp.MustCompile(`^\s*(?:\)\]\}'?,?|while\s*\(1\);|for\s*\(;;\);)\s*`)
	jsonp  = regexp.MustCompile(`^\s*(?:/\*\*/\s*)?(?:typeof [\w$.]+ === 'function' && )?[\pL_$][\w$.]*\(\s*`)
	called = regexp.MustCompile(`\s*\)\s*;?\s*$`)
)

// unwrapped is a document without what servers put around it: a guard against
// inclusion by scripts, or the call of JSONP.
func unwrapped(body []byte) []byte {
	body = body[len(guards.Find(body)):]
	if open := jsonp.Find(body); open != nil {
		if end := called.FindIndex(body[max(0, len(body)-256):]); end != nil {
			return body[len(open) : len(body)-min(256, len(body))+end[0]]
		}
	}
	return body
}
