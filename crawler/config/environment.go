package config

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// reference is an escape, a variable, or something that was meant as one.
var reference = regexp.MustCompile(`\$\$\{|\$\{([^{}]*)(\}?)`)

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// expansion is a text with its variables replaced.
type expansion struct {
	text string
	from []string // the variables that the environment gave, "${NAME}"
}

// variableError is a reference that cannot be replaced, at a byte of the text.
type variableError struct {
	at        int
	msg, hint string
}

// lack is why a text could not have its variables replaced.
type lack struct {
	place     place
	hint, msg string
}

// reportLacks tells of the texts of a tree that lack a variable: those that an override
// replaced are not in it.
func (l *loader) reportLacks(root *node) {
	told := map[*node]bool{} // aliases share nodes
	var visit func(n *node)
	visit = func(n *node) {
		if told[n] {
			return
		}
		told[n] = true
		for _, x := range n.lacks {
			l.errorf(x.place, x.hint, "%s", x.msg)
		}
		for _, item := range n.items {
			visit(item)
		}
		for i := range n.entries {
			visit(n.entries[i].value)
		}
	}
	visit(root)
}

// dropOfLacks takes out what was found at a text that lacks a variable, from a number of
// findings on: it is empty for that reason.
func (l *loader) dropOfLacks(root *node, from int) {
	told := map[place]bool{}
	var visit func(n *node)
	visit = func(n *node) {
		if len(n.lacks) > 0 {
			told[n.place] = true
		}
		for _, item := range n.items {
			visit(item)
		}
		for i := range n.entries {
			visit(n.entries[i].value)
		}
	}
	visit(root)
	rest := slices.DeleteFunc(l.found[from:], func(d Diagnostic) bool {
		for p := range told {
			if d.File == p.src.name && d.Line == p.line && d.Column == p.column {
				return true
			}
		}
		return false
	})
	l.found = l.found[:from+len(rest)]
}

// lacking reports whether a variable is missing in a value, or in those that it holds.
func (n *node) lacking() bool {
	return len(n.lacks) > 0 || slices.ContainsFunc(n.items, (*node).lacking) ||
		slices.ContainsFunc(n.entries, func(e entry) bool { return e.value.lacking() })
}

// expand replaces ${NAME} and ${NAME:-default} by the environment's values;
// $${ stands for ${ itself. As in a shell, an empty variable takes the default.
func expand(text string, env func(string) (string, bool), known *secrets) (expansion, []variableError) {
	var (
		out  strings.Builder
		exp  expansion
		errs []variableError
		last int
	)
	for _, m := range reference.FindAllStringSubmatchIndex(text, -1) {
		out.WriteString(text[last:m[0]])
		last = m[1]
		if m[2] < 0 {
			out.WriteString("${")
			continue
		}
		name, fallback, hasDefault := strings.Cut(text[m[2]:m[3]], ":-")
		switch value, set := env(name); {
		case m[4] == m[5]:
			errs = append(errs, variableError{m[0], "a variable without its closing brace", "write ${NAME}, or $${ for the text ${"})
		case !variableName.MatchString(name):
			errs = append(errs, variableError{m[0], "${" + name + "} is not the name of a variable", "write $${ for the text ${"})
		case set && (value != "" || !hasDefault):
			out.WriteString(value)
			exp.from = append(exp.from, "${"+name+"}")
			known.add(value, "${"+name+"}")
		case hasDefault:
			out.WriteString(fallback)
		default:
			errs = append(errs, variableError{m[0], "the environment variable " + name + " is not set", "set it, or give a default: ${" + name + ":-...}"})
		}
	}
	out.WriteString(text[last:])
	exp.text = out.String()
	return exp, errs
}

// secrets are the values that came from the environment. They stand in no
// message.
type secrets struct {
	values []secret
}

type secret struct{ value, name string }

func (s *secrets) add(value, name string) {
	if value == "" {
		return
	}
	s.values = append(s.values, secret{value, name})
	if quoted := strconv.Quote(value); quoted[1:len(quoted)-1] != value {
		s.values = append(s.values, secret{quoted[1 : len(quoted)-1], name})
	}
	// The longest first, so that one value inside another leaves no rest.
	slices.SortStableFunc(s.values, func(a, b secret) int { return len(b.value) - len(a.value) })
	s.values = slices.Compact(s.values)
}

// hide puts the variables' names in the place of their values.
func (s *secrets) hide(text string) string {
	if s == nil || len(s.values) == 0 || text == "" {
		return text
	}
	// One pass, so that a name put in is not searched for values again.
	pairs := make([]string, 0, 2*len(s.values))
	for _, v := range s.values {
		pairs = append(pairs, v.value, v.name)
	}
	return strings.NewReplacer(pairs...).Replace(text)
}
