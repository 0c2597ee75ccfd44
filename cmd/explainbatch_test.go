package cmd

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// A further page of the answer to rows, in a batch or alone, is found by its URL, as the
// report bids to.
func TestExplainFurtherPagesOfRows(t *testing.T) {
	t.Parallel()
	data := "id\n"
	for i := 60; i < 70; i++ {
		data += fmt.Sprintln(i)
	}
	for _, c := range []struct{ keys, ids, want string }{
		{"key: id, batch: {size: 5, field: town}", "60,61,62,63,64", "asked for by the answer to towns.csv:2 and the 4 rows behind it: settled as http_5xx with status 501 at attempt 1"},
		{"key: id", "63", "asked for by the answer to towns.csv:5: settled as fetched with status 200"},
	} {
		api := newTowns(t)
		dir := api.crawlRows(t, `
seeds: [{rows: towns.csv, url: "http://API/people?ids={{id}}", `+c.keys+`}]
extract: {town: {plugin: json, each: "$.people[*]", fields: {town: $.town, person: $.name}, next: $.next}}
`, map[string]string{"towns.csv": data})
		lived(t, dir, api, 0)
		path := filepath.Join(dir, "crawl.yaml")
		if got := explained(t, path, api.URL+"/people?ids="+c.ids+"&from=2"); !strings.Contains(got, c.want) {
			t.Errorf("%s\nwant %q in\n%s", c.keys, c.want, got)
		}
		if got := explained(t, path, api.URL+"/people?ids="+c.ids+"&from=90"); !strings.Contains(got, "frontier not found yet by this run") {
			t.Errorf("%s\na page that nobody asked for:\n%s", c.keys, got)
		}
	}
}
