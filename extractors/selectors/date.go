package selectors

import (
	"context"
	"strings"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/markup"
	"github.com/amblecrawl/amble/extractors/values"
)

// Dates in words take long to read, and pages repeat them: "3 days ago" stands in
// every row.
type readDate struct {
	value any
	err   error
}

// maxReadDates bounds the dates that are remembered on a page.
const maxReadDates = 1000

// date reads a date once however often the page has it.
func (r *reading) date(f *field, text string) (any, error) {
	in := r.setting(f)
	key := in.Locale.Language + " " + in.Locale.Region + " " + text
	if known, ok := r.dates[key]; ok {
		return known.value, known.err
	}
	if r.work.ctx.Err() != nil {
		return nil, context.Cause(r.work.ctx)
	}
	v, err := f.as.ConvertIn(text, in)
	if len(r.dates) < maxReadDates {
		if r.dates == nil {
			r.dates = map[string]readDate{}
		}
		r.dates[key] = readDate{v, err}
	}
	return v, err
}

// pageLanguage is the locale that a page states: the lang of its html element (HTML
// section 3.2.6.2), or its header. It is read off the page's start, as there may be
// no tree.
func pageLanguage(p *crawler.Page) values.Locale {
	tag, _, _ := strings.Cut(p.Response.Header.Get("Content-Language"), ",")
	if p.IsHTML() {
		z := markup.Scan(p.Response.Body)
		for kind := z.Next(); kind != markup.End; kind = z.Next() {
			if kind != markup.StartTag {
				continue
			}
			if lang, ok := z.Attr("lang"); ok && string(z.Name()) == "html" {
				tag = lang
			}
			break
		}
	}
	l, _ := values.ParseLocale(tag)
	return l
}
