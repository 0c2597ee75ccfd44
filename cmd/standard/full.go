//go:build full

package standard

// The library for dates in 200 languages fills its tables before main, which takes a
// tenth of a second at each start. What most crawls meet is read without it; a build
// with -tags full has the rest.
import _ "github.com/amblecrawl/amble/extractors/dates"
