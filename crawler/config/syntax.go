package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// MaxSize is the most bytes a config file may have.
const MaxSize = 1 << 20

const (
	maxDepth   = 64  // levels of nesting, in each way that YAML can nest
	maxAnchors = 100 // in a file
	maxBlank   = 100 // empty lines in a row
)

// parseYAML reads the one document of a text. It reports what keeps it from
// doing so; a document without content is an empty mapping.
func (l *loader) parseYAML(name string, data []byte) (*node, bool) {
	src, text, ok := l.readText(name, data)
	if !ok {
		return nil, false
	}
	tokens := lexer.Tokenize(text)
	if !l.checkTokens(src, tokens) {
		return nil, false
	}
	file, err := parseTokens(tokens)
	if err != nil {
		l.syntaxError(src, err)
		return nil, false
	}
	var bodies []ast.Node
	for _, doc := range file.Docs {
		if doc.Body != nil {
			bodies = append(bodies, doc.Body)
		}
	}
	start := place{src, 1, 1}
	switch len(bodies) {
	case 0:
		return &node{kind: mappingKind, place: start}, true
	case 1:
		b := builder{loader: l, src: src, anchors: map[string]*node{}}
		root := b.build(bodies[0])
		return root, !b.failed
	}
	l.errorf(placeOf(src, bodies[1]), "keep one crawl in one file", "a second document begins here")
	return nil, false
}

// readText checks the bytes and brings line ends to one form.
func (l *loader) readText(name string, data []byte) (*source, string, bool) {
	if len(data) > MaxSize {
		l.errorf(place{newSource(name, ""), 1, 1}, "", "the file is larger than %d KiB", MaxSize>>10)
		return nil, "", false
	}
	data = bytes.TrimPrefix(data, []byte("\ufeff"))
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(data))
	src := newSource(name, text)
	blank := 0
	for i, line := range src.lines {
		if blank++; strings.TrimSpace(line) != "" {
			blank = 0
		}
		if blank > maxBlank { // the lexer takes quadratic time over them
			l.errorf(place{src, i + 1, 1}, "remove some", "more than %d empty lines in a row", maxBlank)
			return nil, "", false
		}
		if at := badCharacter(line); at >= 0 {
			p := place{src, i + 1, utf8.RuneCountInString(line[:at]) + 1}
			src.lines[i] = strings.ToValidUTF8(line, "\uFFFD")
			l.errorf(p, "save the file as UTF-8 text", "the byte 0x%02x does not belong into a text file", line[at])
			return nil, "", false
		}
	}
	return src, text, true
}

// badCharacter finds invalid UTF-8 and control characters that YAML forbids.
func badCharacter(line string) int {
	for i, r := range line {
		if r == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(line[i:]); size == 1 {
				return i
			}
		}
		if r < ' ' && r != '\t' || r == 0x7f {
			return i
		}
	}
	return -1
}

// checkTokens refuses what the config language does without, and nesting so
// deep that the parser would take quadratic time and memory over it.
func (l *loader) checkTokens(src *source, tokens token.Tokens) bool {
	var (
		depth   nesting
		anchors int
	)
	for _, tk := range tokens {
		at := place{src, tk.Position.Line, tk.Position.Column}
		switch tk.Type {
		case token.TagType:
			l.errorf(at, "quote the value if it is meant as text", "YAML tags such as %s are not supported", short(tk.Value))
			return false
		case token.DirectiveType:
			l.errorf(at, "remove the line", "YAML directives are not supported")
			return false
		case token.MappingKeyType:
			l.errorf(at, `quote text that begins with "? "`, "YAML's complex keys are not supported")
			return false
		case token.AnchorType:
			if anchors++; anchors > maxAnchors {
				l.errorf(at, "", "more than %d anchors", maxAnchors)
				return false
			}
		}
		if depth.step(tk) > maxDepth {
			l.errorf(at, "", "nested more than %d levels deep", maxDepth)
			return false
		}
	}
	return true
}

// nesting follows how deep tokens nest: by indentation, by brackets, and by
// indicators in one line.
type nesting struct {
	indents []int
	flow    int
	line    int
	chain   int
}

func (n *nesting) step(tk *token.Token) int {
	if n.flow == 0 && tk.Position.Line != n.line {
		n.line, n.chain = tk.Position.Line, 0
		for len(n.indents) > 0 && n.indents[len(n.indents)-1] >= tk.Position.Column {
			n.indents = n.indents[:len(n.indents)-1]
		}
		n.indents = append(n.indents, tk.Position.Column)
	}
	switch tk.Type {
	case token.SequenceStartType, token.MappingStartType:
		n.flow++
		n.chain = 0
	case token.SequenceEndType, token.MappingEndType:
		n.flow = max(0, n.flow-1)
		n.chain = 0
	case token.CollectEntryType:
		n.chain = 0
	case token.SequenceEntryType, token.MappingValueType:
		n.chain++
	}
	return max(len(n.indents), n.flow, n.chain)
}

// parseTokens keeps a panic of the parser from the user.
func parseTokens(tokens token.Tokens) (file *ast.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("not readable as YAML: %v", r)
		}
	}()
	return parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
}

// syntaxError reports where the parser gave up, with a cure for the usual causes.
func (l *loader) syntaxError(src *source, err error) {
	at, msg := place{src, 1, 1}, err.Error()
	var located yaml.Error
	if errors.As(err, &located) {
		msg = located.GetMessage()
		if tk := located.GetToken(); tk != nil && tk.Position != nil {
			at = place{src, tk.Position.Line, tk.Position.Column}
		}
	}
	at = at.clamp()
	line := src.line(at.line)
	hint := ""
	switch {
	case strings.Contains(msg, "found character '\t'"):
		at.column = strings.IndexByte(line, '\t') + 1
		msg, hint = "a tab cannot indent", "use spaces"
	case strings.Contains(line, "${") || strings.Contains(line, "{{"):
		hint = "put a value with braces in quotes"
	case strings.Contains(msg, "mapping value is not allowed"):
		msg, hint = "a second ': ' in one value", "put the value in quotes, or the inner mapping in { }"
	case strings.Contains(msg, "reserved character"):
		hint = "put the value in quotes"
	}
	l.errorf(at, hint, "not valid YAML: %s", msg)
}
