package report

import (
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/monitor"
)

func TestWhyNothing(t *testing.T) {
	for want, r := range map[string]*Report{
		"nothing could be fetched": {},
		"nothing could be fetched: 2 http_5xx, 1 disallowed, 1 dns, 1 more reason, such as https://a.example/: status 503": {
			Summary:  crawler.Summary{Disallowed: 1, Errors: map[crawler.Class]int64{"http_5xx": 2, "dns": 1, "timeout": 1}},
			Examples: map[crawler.Class][]monitor.Example{"http_5xx": {{URL: "https://a.example/", Detail: "http_5xx: status 503"}}},
		},
		"nothing could be fetched: 1 private_address, such as http://127.0.0.1/ (fetch.allow_private: true, if the private addresses are yours)": {
			Summary:  crawler.Summary{Errors: map[crawler.Class]int64{crawler.ClassPrivate: 1}},
			Examples: map[crawler.Class][]monitor.Example{crawler.ClassPrivate: {{URL: "http://127.0.0.1/"}}},
		},
	} {
		if got := r.WhyNothing(); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}
