package query

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

func extract(t *testing.T, answer string) (crawler.Result, error) {
	t.Helper()
	u, err := urls.Parse("sql://w/q")
	if err != nil {
		t.Fatal(err)
	}
	p := crawler.NewPage(&crawler.Request{URL: u}, &crawler.Response{Body: []byte(answer)})
	var r crawler.Result
	err = Rows{}.Extract(t.Context(), p, crawler.NewEmitter("q", p, &r))
	return r, err
}

func TestRowsBecomeRecords(t *testing.T) {
	r, err := extract(t, `{"columns":["a","b"]}
[1,"x"]
[1.0,null]
[true,{"k":[1, 2]}]
[18446744073709551615,-2e3]
{"rows":4,"next":"sql://w/q?_after=1"}
`)
	if err != nil {
		t.Fatal(err)
	}
	want := [][]any{
		{int64(1), "x"}, {1.0, nil}, {true, json.RawMessage(`{"k":[1, 2]}`)}, {json.RawMessage("18446744073709551615"), -2000.0},
	}
	for i, rec := range r.Records {
		got := []any{rec.Fields[0].Value, rec.Fields[1].Value}
		if !reflect.DeepEqual(got, want[i]) || rec.Fields[1].Name != "b" {
			t.Errorf("row %d is %#v", i, rec.Fields)
		}
	}
	if len(r.Records) != len(want) || len(r.Links) != 1 || r.Links[0].URL.String() != "sql://w/q?_after=1" {
		t.Errorf("%d records, links %v", len(r.Records), r.Links)
	}
}

func TestRowsBecomeCalls(t *testing.T) {
	r, err := extract(t, "{\"columns\":[\"a\"],\"calls\":true}\n\"sql://v/p?a=1\"\n\"sql://v/p?a=2\"\n{\"rows\":2}\n")
	if err != nil || len(r.Records) != 0 || len(r.Links) != 2 || r.Links[1].URL.String() != "sql://v/p?a=2" {
		t.Errorf("%v, %v", r, err)
	}
}

// Half an answer, and what is none, give an error.
func TestAnswersThatAreNone(t *testing.T) {
	for _, answer := range []string{
		"", "x", "{}", "{\"columns\":[\"a\"]}\n", "{\"columns\":[\"a\"]}\n[1]\n", "{\"columns\":[\"a\"]}\n[1,2]\n{\"rows\":1}\n",
		"{\"columns\":[\"a\"]}\n[1\n", "{\"columns\":[\"a\"]}\n{\"rows\":0,\"next\":\":\"}\n", "{\"calls\":true}\n[1]\n{}\n", "{\"calls\":true}\n\"\"\n{}\n",
	} {
		if r, err := extract(t, answer); err == nil {
			t.Errorf("%q gives %v", answer, r)
		}
	}
}
