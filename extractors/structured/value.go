package structured

import (
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/extractors/query"
)

// members are an object's, sorted by name; nil for anything else.
func members(v any) []crawler.Field {
	fields, _ := query.Native(v).([]crawler.Field)
	return fields
}

// literal shows a value in a report.
func literal(v any) string {
	if text, ok := query.Scalar(v); ok {
		return text
	}
	text, _ := query.Raw(v) // an empty text will do
	return string(text)
}
