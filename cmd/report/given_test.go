package report

import (
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/monitor"
)

// What is to be run next is about this run, and can be pasted into a shell; no secret
// is in it.
func TestNextRepeatsTheFlags(t *testing.T) {
	failed := crawler.Summary{Status: crawler.StatusFailed, Errors: map[crawler.Class]int64{crawler.ClassTimeout: 1}}
	examples := map[crawler.Class][]monitor.Example{crawler.ClassTimeout: {{URL: "https://a.example/?a=1&b=2"}}}
	for name, c := range map[string]struct {
		given Given
		want  []string
	}{
		"nothing": {Given{}, []string{"amble run 'my crawl.yaml'    goes on", "amble explain 'my crawl.yaml' 'https://a.example/?a=1&b=2'    says"}},
		"flags": {Given{State: "s", Set: []string{"fetch.retries=0", `output={jsonl: "it's"}`}, Record: "a.archive", Summary: "sum.json", Accept: true},
			[]string{"--state s --record a.archive --summary sum.json --accept-drift --set fetch.retries=0 --set 'output={jsonl: \"it'\\''s\"}'    goes on",
				"b=2' --state s --set fetch.retries=0"}},
		"a replay": {Given{Replay: "a.archive"}, []string{"amble run 'my crawl.yaml' --replay a.archive    replays it again", "b=2' --state .amble/x-replay    says"}},
		"a secret": {Given{Set: []string{"login.password=hunter2", `fetch.auth={a: {bearer: hunter2}}`, "fetch.auth.a.bearer=${TOKEN}"}},
			[]string{"--set login.password=... --set fetch.auth=... --set 'fetch.auth.a.bearer=${TOKEN}'    goes on"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out strings.Builder
			r := Report{Config: "my crawl.yaml", Folder: ".amble/x-replay", Given: c.given, Summary: failed, Examples: examples}
			r.Print(&out)
			for _, want := range c.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %s in\n%s", want, out.String())
				}
			}
			if strings.Contains(out.String(), "hunter2") {
				t.Errorf("a secret:\n%s", out.String())
			}
		})
	}
}
