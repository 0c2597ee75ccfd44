package try

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"

	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/cmd/crawl"
	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink"
	"github.com/amblecrawl/amble/extractors/selectors"
	"github.com/amblecrawl/amble/extractors/survey"
)

// shownRecords is how many records of a rule are shown field by field.
const shownRecords = 3

// fieldView shows fields beside where they came from.
type fieldView struct {
	w     io.Writer
	width int
	// known are the values that fields had when they last had one, by rule and
	// field: by these a selector is found again that has been lost.
	known map[string]string
}

// of shows the records that the selectors of each rule read from a page.
func (v *fieldView) of(ctx context.Context, c *crawl.Crawl, page *crawler.Page) {
	for _, rule := range c.Config.Extract {
		x, ok := rule.Extractor.(*selectors.Extractor)
		if match, err := rule.Matches(); !ok || err != nil || match != nil && !match(page.URL) {
			continue
		}
		traces, err := x.Trace(ctx, page, shownRecords)
		if err != nil {
			fmt.Fprintf(v.w, "%s: %v\n", rule.Type, err)
			continue
		}
		if len(traces) == 0 {
			v.lostEach(x, rule.Type, page)
		}
		last, wide := -1, 0
		for _, t := range traces {
			wide = max(wide, min(16, len([]rune(t.Field))))
		}
		for _, t := range traces {
			if t.Record != last {
				last = t.Record
				fmt.Fprintf(v.w, "%s %d\n", rule.Type, t.Record+1)
			}
			v.field(rule.Type, &t, wide)
		}
	}
}

// field shows one field: its value, and the element that it was found in.
func (v *fieldView) field(kind string, t *selectors.Trace, wide int) {
	key := kind + "." + t.Field
	left := max(12, (v.width-wide-7)*2/5)
	right := max(12, v.width-wide-7-left)
	value := "–"
	if t.Value != nil {
		value = valueText(t.Value)
		v.known[key] = strings.Trim(value, `"`)
	}
	fmt.Fprintf(v.w, "  %s  %s  %s\n", padded(t.Field, wide), padded(value, left), cut(piece(t.Node), right))
	if t.Value == nil && !t.Found {
		if s := suggestion(t, v.known[key]); s != "" {
			fmt.Fprintf(v.w, "  %s  %s\n", strings.Repeat(" ", wide), s)
		}
	}
}

func (v *fieldView) lostEach(x *selectors.Extractor, kind string, page *crawler.Page) {
	root := crawl.Root(page)
	if x.Each == nil || x.Each.CSS == "" || root == nil {
		return
	}
	fmt.Fprintf(v.w, "%s: each finds nothing by %s", kind, x.Each.CSS)
	if near := survey.Nearest(root, x.Each.CSS); near != "" {
		fmt.Fprintf(v.w, "; did you mean %s?", near)
	}
	fmt.Fprintln(v.w)
}

// suggestion is what to do about a field whose selector finds nothing, "" when
// nothing is near.
func suggestion(t *selectors.Trace, before string) string {
	if t.CSS == "" || t.Within == nil || t.Node != nil {
		return ""
	}
	near, why := survey.Nearest(t.Within, t.CSS), ""
	if near == "" && before != "" {
		near, why = survey.ByText(t.Within, before), " has the value of before"
	}
	if near == "" {
		return ""
	}
	return fmt.Sprintf("nothing by %s; did you mean %s?%s", t.CSS, near, why)
}

// printMissing tells of the fields whose selectors find nothing in any of the
// records that are looked at, where something like it is there.
func printMissing(c *crawl.Crawl, ctx context.Context, w io.Writer, page *crawler.Page) {
	v := fieldView{w: w, known: map[string]string{}}
	for _, rule := range c.Config.Extract {
		x, ok := rule.Extractor.(*selectors.Extractor)
		if match, err := rule.Matches(); !ok || err != nil || match != nil && !match(page.URL) {
			continue
		}
		traces, err := x.Trace(ctx, page, shownRecords)
		if err != nil {
			continue // it has been told
		}
		if len(traces) == 0 {
			v.lostEach(x, rule.Type, page)
		}
		found, told := map[string]bool{}, map[string]bool{}
		for _, t := range traces {
			found[t.Field] = found[t.Field] || t.Found || t.Value != nil
		}
		for _, t := range traces {
			if s := suggestion(&t, ""); s != "" && !found[t.Field] && !told[t.Field] {
				told[t.Field] = true
				fmt.Fprintf(w, "%s.%s: %s\n", rule.Type, t.Field, s)
			}
		}
	}
}

// valueText is a value as the records have it.
func valueText(v any) string {
	var record map[string]json.RawMessage
	line := sink.AppendJSON(nil, &crawler.Record{Fields: []crawler.Field{{Name: "v", Value: v}}})
	if json.Unmarshal(line, &record) != nil {
		return ""
	}
	return string(record["v"])
}

// maxPiece bounds the HTML that is rendered to show an element.
const maxPiece = 400

// piece is the beginning of an element's HTML, on one line.
func piece(n *html.Node) string {
	if n == nil {
		return ""
	}
	var b bytes.Buffer
	_ = html.Render(&limited{&b, maxPiece}, n) // what is cut off is not shown
	return format.OneLine(b.String(), maxPiece)
}

// limited takes so many bytes and refuses more.
type limited struct {
	to   *bytes.Buffer
	left int
}

func (l *limited) Write(p []byte) (int, error) {
	n := min(len(p), l.left)
	l.to.Write(p[:n])
	if l.left -= n; n < len(p) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

// cut is text of at most n characters.
func cut(s string, n int) string {
	s = format.OneLine(s, maxPiece)
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

func padded(s string, n int) string {
	s = cut(s, n)
	return s + strings.Repeat(" ", max(0, n-len([]rune(s))))
}
