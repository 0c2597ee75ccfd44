package config

import (
	"regexp"
	"slices"
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
	return expandAs(text, env, known, nil)
}

// expandAs writes values as they may stand behind what is before them; as is nil where
// they stand as they are.
func expandAs(text string, env func(string) (string, bool), known *secrets, as func(before, value string) string) (expansion, []variableError) {
	var (
		out  strings.Builder
		exp  expansion
		errs []variableError
		last int
		// The shortest value, which may not be found within a text.
		shortest = leastHidden
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
			known.add(value, "${"+name+"}")
			if as != nil {
				escaped := as(out.String(), value)
				known.addSpelling(value, escaped, "${"+name+"}")
				value = escaped
			}
			out.WriteString(value)
			exp.from = append(exp.from, "${"+name+"}")
			shortest = min(shortest, len(value))
		case hasDefault:
			out.WriteString(fallback)
		default:
			errs = append(errs, variableError{m[0], "the environment variable " + name + " is not set", "set it, or give a default: ${" + name + ":-...}"})
		}
	}
	out.WriteString(text[last:])
	exp.text = out.String()
	if shortest < leastHidden {
		known.addText(exp.text, text)
	}
	return exp, errs
}
