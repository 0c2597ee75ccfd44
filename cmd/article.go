//go:build !lean

package cmd

// The dates that go-trafilatura could read in two hundred languages are compiled at
// each start of the program, whether or not a crawl extracts articles: 0.1 s of CPU
// and 50 MB, half of which is garbage soon. A build with -tags lean goes without.
import _ "github.com/amblecrawl/amble/extractors/article"
