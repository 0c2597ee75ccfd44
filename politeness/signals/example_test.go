package signals_test

import (
	"fmt"
	"net/http"

	"github.com/amblecrawl/amble/politeness/signals"
)

func Example() {
	policy, err := signals.ParsePolicy(map[string]string{"ai-train": "respect"})
	if err != nil {
		fmt.Println(err)
		return
	}
	robots := signals.ParseRobotsTxt([]byte("User-agent: *\nContent-Signal: search=yes, ai-train=no\n"), "bookbot")
	header := http.Header{"Content-Usage": {"train-ai=y"}}

	usage := signals.Merge(robots.For("/catalogue/1.html"), signals.FromHeader(header))
	fmt.Println(usage)
	fmt.Println(policy.Decide(usage).Reason)
	// Output:
	// search=yes (Content-Signal, robots.txt line 2); ai-train=no (Content-Signal, robots.txt line 2); ai-train=yes (Content-Usage, header)
	// usage policy ai-train: respect: ai-train=no (Content-Signal, robots.txt line 2)
}
