package config

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxDiagnostics bounds what one file can report; who makes more mistakes is
// told the first ones.
const maxDiagnostics = 200

// Diagnostic is one mistake, or a warning, at its place.
type Diagnostic struct {
	File    string
	Line    int // from 1
	Column  int // from 1, in characters
	Message string
	Hint    string // what to do, may be empty
	Excerpt string // the line and a caret below it, may be empty
	Warning bool   // the config is usable all the same
}

// String is "file:line:column: message", with the hint in parentheses.
func (d Diagnostic) String() string {
	s := fmt.Sprintf("%s:%d:%d: ", d.File, d.Line, d.Column)
	if d.Warning {
		s += "warning: "
	}
	s += d.Message
	if d.Hint != "" {
		s += " (" + d.Hint + ")"
	}
	return s
}

func (d Diagnostic) Error() string { return d.String() }

// Diagnostics are the findings of one config, by place.
type Diagnostics []Diagnostic

// Failed reports whether one of them is more than a warning.
func (ds Diagnostics) Failed() bool {
	return slices.ContainsFunc(ds, func(d Diagnostic) bool { return !d.Warning })
}

// Write prints every finding with its excerpt.
func (ds Diagnostics) Write(w io.Writer) error {
	for _, d := range ds {
		text := d.String() + "\n"
		if d.Excerpt != "" {
			text += d.Excerpt + "\n"
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}

// source is a text that values come from: a file, or one override.
type source struct {
	name  string
	first int // number of the first line held, less one
	lines []string
}

// line is the text of a line by its number.
func (s *source) line(number int) string { return s.lines[number-1-s.first] }

func newSource(name, text string) *source {
	return &source{name: name, lines: strings.Split(text, "\n")}
}

// place is a position in a source; line and column count from 1.
type place struct {
	src          *source
	line, column int
}

// right is the place n characters further on the same line.
func (p place) right(n int) place { p.column += n; return p }

// clamp moves a place that a parser put outside of the text to the nearest
// one inside; just behind the end of a line is inside.
func (p place) clamp() place {
	p.line = min(max(p.line, p.src.first+1), p.src.first+len(p.src.lines))
	width := utf8.RuneCountInString(p.src.line(p.line))
	p.column = min(max(p.column, 1), width+1)
	return p
}

// excerpt shows at most so many characters of a line.
const excerptWidth = 100

// excerpt is the line with a caret under the column; long lines are cut.
func (p place) excerpt() string {
	line := []rune(p.src.line(p.line))
	caret := p.column - 1
	lead, trail := "", ""
	if len(line) > excerptWidth {
		from := max(0, min(caret-excerptWidth/2, len(line)-excerptWidth))
		to := from + excerptWidth
		if from > 0 {
			lead = "..."
		}
		if to < len(line) {
			trail = "..."
		}
		line, caret = line[from:to], caret-from
	}
	printable := func(r rune) rune {
		if r < ' ' && r != '\t' || r == 0x7f {
			return '�'
		}
		return r
	}
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r // as wide as the tab above it
		}
		return ' '
	}, lead+string(line[:caret]))
	number := fmt.Sprintf("%5d | ", p.line)
	margin := strings.Repeat(" ", len(number)-2) + "| "
	return number + lead + strings.Map(printable, string(line)) + trail + "\n" + margin + pad + "^"
}

// report collects findings. It keeps values of the environment out of them.
type report struct {
	found   Diagnostics
	full    bool
	secrets *secrets
}

func (r *report) add(p place, warning bool, hint, format string, args ...any) {
	if len(r.found) >= maxDiagnostics {
		r.full = true
		return
	}
	p = p.clamp()
	r.found = append(r.found, Diagnostic{
		File: p.src.name, Line: p.line, Column: p.column,
		Message: printed(fmt.Sprintf(format, args...)), Hint: printed(hint), Excerpt: p.excerpt(), Warning: warning,
	})
}

// printed is a text as one line that a terminal shows as it is. Values may hold
// anything, and messages of others quote them.
func printed(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n':
			return ' '
		case unicode.IsControl(r):
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

func (r *report) errorf(p place, hint, format string, args ...any) {
	r.add(p, false, hint, format, args...)
}

func (r *report) warnf(p place, hint, format string, args ...any) {
	r.add(p, true, hint, format, args...)
}

// foreign reports a message that other code made of values it was given, which
// may quote them.
func (r *report) foreign(p place, hint, message string) {
	r.errorf(p, r.secrets.hide(hint), "%s", r.secrets.hide(message))
}

// diagnostics returns what was found, by place, each finding once.
func (r *report) diagnostics() Diagnostics {
	if len(r.found) == 0 {
		return nil
	}
	found := slices.Clone(r.found)
	slices.SortStableFunc(found, func(a, b Diagnostic) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	found = slices.Compact(found)
	if r.full {
		last := found[len(found)-1]
		last.Message, last.Hint, last.Warning = "there are more mistakes than are shown", "", false
		found = append(found, last)
	}
	return found
}
