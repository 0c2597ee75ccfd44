package values

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/html"

	"github.com/amblecrawl/amble/crawler/urls"
)

// FuzzConvert makes every type of value from a text: a value of its own kind, or
// an error.
func FuzzConvert(f *testing.F) {
	for _, s := range []string{
		"1.234,56 €", "-1e308", "yes", "2026-03-01T10:00:00+25:00", "//h/x y", "http://u:p@h/", "{\"a\": [1, 2]}", "\x00\xff", "1/2/3", "٣٤", "∞", "javascript:x", "  ", "[[[[[[",
	} {
		f.Add(s)
	}
	base, err := urls.Parse("https://books.example/a/b?c#d")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, as := range Types {
			tidy := as.Tidy(text)
			if len(tidy) > 3*len(text) {
				t.Errorf("%s: %q is tidied to %q", as, text, tidy)
			}
			if tidy == "" {
				continue
			}
			value, err := as.Convert(tidy, base)
			if err != nil {
				if value != nil {
					t.Errorf("%s of %q: %v with %v", as, text, value, err)
				}
				continue
			}
			ok := false
			switch as {
			case AsInteger:
				_, ok = value.(int64)
			case AsNumber:
				_, ok = value.(float64)
			case AsBoolean:
				_, ok = value.(bool)
			case AsJSON:
				raw, isRaw := value.(json.RawMessage)
				ok = isRaw && json.Valid(raw)
			case AsPrice:
				p, isPrice := value.(Price)
				ok = isPrice && !math.IsNaN(p.Amount) && utf8.ValidString(p.Currency)
			case AsURL:
				s, isText := value.(string)
				_, err := urls.Parse(s)
				ok = isText && err == nil
			default:
				_, ok = value.(string)
			}
			if !ok {
				t.Errorf("%s of %q is %T %v", as, text, value, value)
			}
		}
	})
}

// FuzzMarkup makes text, HTML and Markdown from a page.
func FuzzMarkup(f *testing.F) {
	for _, s := range []string{
		"<p>a<b>c</b></p>", "<table><tr><td>1<td>2", "<pre>\n x\n</pre>", "<a href='//h/x y'>[x](y)</a>", "<ol start=-9><li>a<ol><li>b", "<svg><title>x", "<template><p>x", "<img src=x alt='](y)'>",
		"<code>```</code>", "<h1><h2><h3>", "<br><hr>*_#>", "<del><ins><sub>", "\x00\xff<\x01>",
	} {
		f.Add([]byte(s))
	}
	base, err := urls.Parse("https://books.example/a/b")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, page []byte) {
		if len(page) > 4<<10 {
			return
		}
		root, err := html.Parse(strings.NewReader(strings.ToValidUTF8(string(page), "\ufffd")))
		if err != nil {
			return
		}
		text, err := Text(root, nil)
		if err != nil || strings.Join(strings.Fields(text), " ") != text {
			t.Errorf("the text of %q is %q (%v)", page, text, err)
		}
		lines, err := Lines(root, nil)
		if err != nil || strings.Contains(lines, "\n\n\n") {
			t.Errorf("the lines of %q are %q (%v)", page, lines, err)
		}
		if _, err := RawText(root, nil); err != nil {
			t.Error(err)
		}
		if _, err := InnerHTML(root); err != nil {
			t.Error(err)
		}
		markdown, err := Markdown(root, base, nil)
		if err == nil && !utf8.ValidString(markdown) {
			t.Errorf("the Markdown of %q is %q", page, markdown)
		}
	})
}
