package metadata

import (
	"context"
	"slices"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/metadata/item"
	"github.com/amblecrawl/amble/extractors/metadata/opengraph"
	"github.com/amblecrawl/amble/extractors/values"
)

func init() {
	crawler.Extractors.Register("opengraph", func() crawler.Extractor { return &OpenGraph{} })
}

// OpenGraph makes one record of what a page says of itself by Open Graph and
// Twitter cards; none of a page that says nothing. It is safe for concurrent use.
type OpenGraph struct {
	Only bool `yaml:"only,omitempty" default:"false" doc:"leave out pages without a property of Open Graph's own (og:...), such as those that only have a Twitter card"`
}

var (
	_ crawler.Extractor   = (*OpenGraph)(nil)
	_ crawler.FieldLister = (*OpenGraph)(nil)
)

// The fields of every record. What has no field of its own stands in "more".
var (
	ogFields = []string{"title", "type", "url", "description", "site_name", "locale", "determiner"}
	ogLists  = []string{"images", "videos", "audios", "locale_alternate"} // always lists
	ogSpaces = []string{"twitter", "article", "book", "product", "profile", "music", "video", "fb"}
)

// FieldNames lists the fields of every record.
func (*OpenGraph) FieldNames() []string {
	return append(slices.Concat(ogFields, ogLists, ogSpaces), "more")
}

// Extract emits the record.
func (x *OpenGraph) Extract(ctx context.Context, p *crawler.Page, e *crawler.Emitter) error {
	it, err := readOpenGraph(p, item.NewBudget(ctx, len(p.Response.Body)))
	if err != nil || it == nil {
		return err
	}
	w := item.NewWriter(len(p.Response.Body))
	names := x.FieldNames()
	fields := make([]crawler.Field, len(names))
	for i, name := range names {
		fields[i].Name = name
	}
	var more []crawler.Field
	own := false
	for _, f := range w.Fields(it) {
		i := slices.Index(names, f.Name)
		own = own || i < 0 && !slices.Contains(opengraph.Namespaces, f.Name) || i >= 0 && !slices.Contains(ogSpaces, f.Name)
		if i < 0 {
			more = append(more, f)
			continue
		}
		if _, isList := f.Value.([]any); !isList && slices.Contains(ogLists, f.Name) {
			f.Value = []any{f.Value}
		}
		fields[i].Value = f.Value
	}
	if more != nil {
		fields[len(fields)-1].Value = more
	}
	if own || !x.Only {
		e.Record(fields...)
	}
	return nil
}

func readOpenGraph(p *crawler.Page, budget *item.Budget) (*item.Item, error) {
	doc, err := p.Document()
	if err != nil {
		return nil, err
	}
	root := doc.Nodes[0]
	return opengraph.Read(root, values.BaseURL(root, p.URL), budget)
}
