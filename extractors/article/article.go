package article

import (
	"context"
	"errors"
	"fmt"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/values"
)

// DefaultMinLength is how much text an article has where the config does not say.
const DefaultMinLength = 250

func init() {
	crawler.Extractors.Register("article", func() crawler.Extractor { return New() })
}

// New is an Article with its defaults.
func New() *Article {
	return &Article{Engine: engineFast, MinLength: DefaultMinLength, Text: true, Markdown: true}
}

// Article makes one record of a page that has an article: at least min_length
// characters of text were found, no more than half of them in links, and the page
// is not a list (see isList), unless it declares that it is an article, by og:type or
// by a type of schema.org in JSON-LD. It is safe for concurrent use.
type Article struct {
	Engine    string `yaml:"engine,omitempty" enum:"fast,thorough" default:"fast" doc:"how the text is found: thorough finds a little more and leaves less around it, takes several times as long, and is in binaries built with -tags full alone"`
	MinLength int    `yaml:"min_length,omitempty" default:"250" doc:"pages with fewer characters of text than this give no record"`
	Text      bool   `yaml:"text,omitempty" default:"true" doc:"give the text, its blocks on lines of their own and an empty line around paragraphs"`
	Markdown  bool   `yaml:"markdown,omitempty" default:"true" doc:"give the text as Markdown, with its headings, lists, links and images"`
}

var (
	_ crawler.Extractor   = (*Article)(nil)
	_ crawler.Validator   = (*Article)(nil)
	_ crawler.FieldLister = (*Article)(nil)
)

// Validate checks the configuration.
func (x *Article) Validate() error {
	var wrong []error
	switch {
	case engines[x.Engine] != nil:
	case x.Engine == engineThorough:
		wrong = append(wrong, &crawler.ConfigError{
			Path: []string{"engine"}, Msg: "this binary was built without the engine thorough, whose tables would slow every start",
			Hint: "build one that has it by `amble build --tags full` or, in amble's source, by `go build -tags full ./cmd/amble`; or take engine: fast",
		})
	default:
		wrong = append(wrong, &crawler.ConfigError{
			Path: []string{"engine"}, Msg: fmt.Sprintf("there is no engine %q", x.Engine), Hint: "fast or thorough",
		})
	}
	if x.MinLength < 0 {
		wrong = append(wrong, &crawler.ConfigError{
			Path: []string{"min_length"}, Msg: "min_length must be at least 1", Hint: "leave it out for the default",
		})
	}
	return errors.Join(wrong...)
}

// FieldNames lists the fields of every record.
func (x *Article) FieldNames() []string {
	names := []string{"title", "authors", "published", "modified", "language", "description", "site", "image"}
	if x.Text {
		names = append(names, "text")
	}
	if x.Markdown {
		names = append(names, "markdown")
	}
	return names
}

// Extract emits the record of a page that has an article.
func (x *Article) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	doc, err := p.Document()
	if err != nil {
		return err
	}
	root := doc.Nodes[0]
	if err := weigh(root).tooHeavy(); err != nil {
		return err
	}
	about := readMetadata(root, p)
	find := engines[x.Engine]
	if find == nil {
		return fmt.Errorf("there is no engine %q", x.Engine)
	}
	found, err := guarded(find, root, about.body)
	if err != nil {
		return err
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if found.content == nil {
		return nil
	}
	return x.emit(ctx, root, found, about, e)
}

// emit makes the record of what was found, if that is an article.
func (x *Article) emit(ctx context.Context, root *html.Node, found finding, about *metadata, e *crawler.Emitter) error {
	step := func(int) error { return context.Cause(ctx) }
	text, err := values.Lines(found.content, step)
	if err != nil {
		return err
	}
	length := utf8.RuneCountInString(text)
	if length < max(x.MinLength, 1) || 2*linked(found.content) > length || !about.isArticle && isList(root, text) {
		return nil
	}
	if about.language == "" {
		about.language = found.language
	}
	fields := about.fields()
	if x.Text {
		fields = append(fields, crawler.Field{Name: "text", Value: text})
	}
	if x.Markdown {
		markdown, err := values.Markdown(found.content, about.base, step)
		if err != nil {
			return fmt.Errorf("markdown: %w", err)
		}
		fields = append(fields, crawler.Field{Name: "markdown", Value: orNil(markdown)})
	}
	e.Record(fields...)
	return nil
}

// linked is how many characters below n stand in links.
func linked(n *html.Node) int {
	count := 0
	for c := n; c != nil; {
		descend := true
		if c.Type == html.ElementNode && c.Data == "a" {
			text, _ := values.Text(c, nil)
			count += utf8.RuneCountInString(text)
			descend = false
		}
		c = values.Following(c, n, descend)
	}
	return count
}

func orNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}
