package alert

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/template"
	"text/template/parse"
	"time"
)

// maxBody bounds what a template makes of a message, in bytes.
const maxBody = 64 << 10

// errTooLong means that a template makes more than is sent.
var errTooLong = fmt.Errorf("it makes more than %d KiB", maxBody>>10)

// functions make texts, each within the bound: one that doubles what it is given must
// not be repeated until memory is full.
var functions = template.FuncMap{
	"json": func(v any) (string, error) {
		data, err := json.Marshal(v)
		if err != nil {
			return "", err
		}
		return within(string(data))
	},
	"print":    func(v ...any) (string, error) { return within(fmt.Sprint(v...)) },
	"html":     func(v ...any) (string, error) { return within(template.HTMLEscaper(v...)) },
	"js":       func(v ...any) (string, error) { return within(template.JSEscaper(v...)) },
	"urlquery": func(v ...any) (string, error) { return within(template.URLQueryEscaper(v...)) },
}

func within(text string) (string, error) {
	if len(text) > maxBody {
		return "", errTooLong
	}
	return text, nil
}

// known are the functions of the language that make no text.
var known = map[string]bool{
	"and": true, "or": true, "not": true, "len": true, "eq": true, "ne": true, "lt": true, "le": true, "gt": true, "ge": true,
}

// Template makes the body of a message, in the language of text/template. It knows the
// fields of [Message] and the functions above, and has neither range nor templates in
// templates: it always ends. It is safe for concurrent use.
type Template struct{ t *template.Template }

// ParseTemplate compiles a template and tries it. Its errors are for people; those of
// the language name the line.
func ParseTemplate(text string) (*Template, error) {
	t, err := template.New("template").Option("missingkey=error").Funcs(functions).Parse(text)
	if err != nil {
		return nil, plain(err)
	}
	if t.Tree == nil || len(t.Templates()) > 1 {
		return nil, errors.New("want a text, without {{define}}")
	}
	if err := allowed(t.Root); err != nil {
		return nil, err
	}
	made := &Template{t}
	sample := Message{ID: "crawl-1-failure", Kind: Failure, Crawl: "crawl", Number: 1, Text: "a \"text\"", At: time.Unix(0, 0).UTC(), Pages: 1, Records: 1}
	if _, err := made.body(&sample); err != nil {
		return nil, err
	}
	return made, nil
}

// plain is an error of text/template without the name that it was given.
func plain(err error) error {
	text := strings.TrimPrefix(err.Error(), "template: template:")
	return errors.New("line " + text)
}

// allowed looks through a template for what could go on without end.
func allowed(n parse.Node) error {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		for _, one := range n.Nodes {
			if err := allowed(one); err != nil {
				return err
			}
		}
	case *parse.ActionNode:
		return allowedPipe(n.Pipe)
	case *parse.IfNode:
		return errors.Join(allowedPipe(n.Pipe), allowed(n.List), allowed(n.ElseList))
	case *parse.WithNode:
		return errors.Join(allowedPipe(n.Pipe), allowed(n.List), allowed(n.ElseList))
	case *parse.TextNode, *parse.CommentNode:
	default:
		return fmt.Errorf("%s is not known here: use fields, functions, if and with", n)
	}
	return nil
}

func allowedPipe(p *parse.PipeNode) error {
	if p == nil {
		return nil
	}
	for _, c := range p.Cmds {
		for _, arg := range c.Args {
			switch arg := arg.(type) {
			case *parse.IdentifierNode:
				if !known[arg.Ident] && functions[arg.Ident] == nil {
					return fmt.Errorf("the function %s is not known here", arg.Ident)
				}
			case *parse.PipeNode:
				if err := allowedPipe(arg); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// bounded is a text that does not grow beyond maxBody.
type bounded struct{ strings.Builder }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxBody {
		return 0, errTooLong
	}
	return b.Builder.Write(p)
}

var _ io.Writer = (*bounded)(nil)

func (t *Template) body(m *Message) ([]byte, error) {
	var b bounded
	if err := t.t.Execute(&b, m); err != nil {
		if errors.Is(err, errTooLong) {
			return nil, errTooLong
		}
		return nil, plain(err)
	}
	return []byte(b.String()), nil
}
