package frontiertest

import (
	"encoding/json"
	"net/http"
	"strings"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

// drawGiven lets a request be more than a GET of its URL.
func drawGiven(t *rapid.T, r *crawler.Request) {
	if rapid.IntRange(0, 2).Draw(t, "given") > 0 {
		return
	}
	r.Call = &crawler.Call{
		Method: rapid.SampledFrom([]string{"", "POST", "PUT"}).Draw(t, "method"),
		Body:   rapid.SampledFrom([]string{"", "q=x", strings.Repeat("body\x00", 300)}).Draw(t, "body"),
		Repeat: rapid.Bool().Draw(t, "repeat"),
	}
	if rapid.Bool().Draw(t, "header") {
		r.Call.Header = http.Header{"Content-Type": {"application/json"}, "X-Two": {"a", "b"}}
	}
	r.Carry = everyValue
	r.Types = rapid.SampledFrom([][]string{nil, {"book"}, {"book", "review"}}).Draw(t, "types")
}

// everyValue has a value of each kind that a record may hold.
var everyValue = []crawler.Field{
	{Name: "nothing"},
	{Name: "text", Value: "ümlaut"},
	{Name: "", Value: true},
	{Name: "no", Value: false},
	{Name: "integer", Value: int64(-1 << 62)},
	{Name: "number", Value: 1.0},
	{Name: "literal", Value: json.RawMessage(`{"a":[1]}`)},
	{Name: "list", Value: []any{"a", int64(1), nil, []any{2.5}}},
	{Name: "object", Value: []crawler.Field{{Name: "inner", Value: []crawler.Field{{Name: "deep", Value: "x"}}}}},
}
