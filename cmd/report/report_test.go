package report

import (
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// A list that is cut says so.
func TestPartsThatAreNotListed(t *testing.T) {
	for more, want := range map[int64]string{0: "", 1: "and 1 part between them", 40: "and 40 parts between them"} {
		var out strings.Builder
		r := Report{Config: "x.yaml", Summary: crawler.Summary{Status: crawler.StatusFinished, Outputs: []string{"s3://b/1", "s3://b/2", "s3://b/43"}, Unlisted: more}}
		r.Print(&out)
		if got := out.String(); !strings.Contains(got, want) || strings.Contains(got, "between them") != (want != "") {
			t.Errorf("%d more:\n%s", more, got)
		}
	}
}
