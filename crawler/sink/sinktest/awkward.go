package sinktest

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

// Awkward draws records with values as servers and plugins give them by mistake or in
// bad faith: each is one that a sink has to write and, where it keeps records for
// later, to read back. No such record may end a run.
func Awkward() *rapid.Generator[[]crawler.Record] {
	deep := func(n int) json.RawMessage {
		return json.RawMessage(strings.Repeat(`[{"a":`, n) + "1" + strings.Repeat("}]", n))
	}
	nested := any(int64(1))
	for range 600 {
		nested = []any{nested}
	}
	text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"", "\x00", "a\xffb", "\u2028\u2029", "\ufeff", `\`, `"`, "\r\n", `\ud800`, "<b>&", "1e400", "null",
	}))
	raw := rapid.SampledFrom([]json.RawMessage{
		json.RawMessage("1e400"), json.RawMessage("-1e400"), json.RawMessage("1e-400"), json.RawMessage("1e200000"), json.RawMessage("1e-99999999999999999999"),
		json.RawMessage("18446744073709551615"), json.RawMessage("9223372036854775809"), json.RawMessage("-9223372036854775809"),
		json.RawMessage("12345678901234567000"), json.RawMessage("10000000000000000000"), json.RawMessage("1.10"), json.RawMessage("-0"), json.RawMessage("0e5"),
		json.RawMessage(strings.Repeat("9", 2_000)), json.RawMessage("0." + strings.Repeat("3", 2_000)),
		json.RawMessage(`"\u0000"`), json.RawMessage(`"\ud800"`), json.RawMessage(`["\ude00\ud83d\ude00","\\u0000"]`), json.RawMessage(`{"a":1,"a":[1e999999],"\u0000":""}`),
		json.RawMessage(" { \"a\" :\n1 } "), json.RawMessage("null"), json.RawMessage("true"), json.RawMessage("not JSON"), json.RawMessage("\"\xff\""), nil,
		deep(200), deep(600), deep(6_000), json.RawMessage("[" + strings.Repeat("1e308,", 100) + "1]"),
	})
	value := rapid.OneOf(
		rapid.Just[any](nil),
		rapid.Map(rapid.Bool(), func(v bool) any { return v }),
		rapid.Map(rapid.Int64(), func(v int64) any { return v }),
		rapid.Map(rapid.OneOf(rapid.Float64(), rapid.SampledFrom([]float64{
			math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 1e19, 1.2345678901234567e19, 1e21, 3, 5e-324, math.MaxFloat64,
		})), func(v float64) any { return v }),
		rapid.Map(text, func(v string) any { return v }),
		rapid.Map(raw, func(v json.RawMessage) any { return v }),
		rapid.Map(rapid.SliceOfN(raw, 0, 3), func(v []json.RawMessage) any {
			list := []any{nested}
			for _, item := range v {
				list = append(list, item, []crawler.Field{{Name: "a", Value: item}, {Name: "a", Value: "\x00"}})
			}
			return list
		}),
		rapid.Just[any](time.Unix(1, 1)), rapid.Just[any](struct{}{}), rapid.Just[any](7),
	)
	name := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{
		"a", "a", "b", "b", "c", "A", "", "\x00", "\xff", "\xfe", "_key", "_deleted", "_extra", "\u2028", `"`, "a b", strings.Repeat("x", 300), strings.Repeat("é", 40),
	}))
	return rapid.Custom(func(t *rapid.T) []crawler.Record {
		records := make([]crawler.Record, rapid.IntRange(1, 5).Draw(t, "records"))
		for i := range records {
			records[i] = crawler.Record{
				Type: "book", URL: "http://a/", Requested: "http://a/", Run: "r", Key: fmt.Sprint("k", i), FetchedAt: time.Unix(1_700_000_000, 0),
				Usage: text.Draw(t, "usage"),
			}
			for range rapid.IntRange(0, 4).Draw(t, "fields") {
				records[i].Fields = append(records[i].Fields, crawler.Field{Name: name.Draw(t, "name"), Value: value.Draw(t, "value")})
			}
		}
		return records
	})
}
