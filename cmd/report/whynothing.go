package report

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
)

// mostCauses is how many classes a reason names, which is one line of a table or a message.
const mostCauses = 3

// WhyNothing is the reason of a run that fetched nothing: its commonest outcomes, an
// example of the first, and what could mend it.
func (r *Report) WhyNothing() string {
	counts := maps.Clone(r.Summary.Errors)
	if r.Summary.Disallowed > 0 {
		if counts == nil {
			counts = map[crawler.Class]int64{}
		}
		counts[crawler.ClassDisallowed] = r.Summary.Disallowed
	}
	const nothing = "nothing could be fetched"
	if len(counts) == 0 {
		return nothing
	}
	classes := slices.SortedFunc(maps.Keys(counts), func(a, b crawler.Class) int {
		if counts[a] != counts[b] {
			return int(max(min(counts[b]-counts[a], 1), -1))
		}
		return strings.Compare(string(a), string(b))
	})
	var told []string
	for i, class := range classes {
		if i == mostCauses {
			told = append(told, format.Plural(int64(len(classes)-i), "more reason"))
			break
		}
		told = append(told, fmt.Sprintf("%s %s", format.Count(counts[class]), class))
	}
	text := nothing + ": " + strings.Join(told, ", ")
	if known := r.Examples[classes[0]]; len(known) > 0 && known[0].URL != "" {
		text += ", such as " + strings.TrimSuffix(known[0].URL+": "+format.Clip(strings.TrimPrefix(known[0].Detail, string(classes[0])+": "), format.MaxDetail), ": ")
	}
	if counts[crawler.ClassPrivate] > 0 {
		text += " (fetch.allow_private: true, if the private addresses are yours)"
	}
	return text
}
