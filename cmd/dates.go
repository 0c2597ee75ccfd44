//go:build !lean

package cmd

// Dates in many languages take a library that adds a tenth of a second to each start,
// which the extractor article is linked with, too. A build with -tags lean goes without.
import _ "github.com/amblecrawl/amble/extractors/dates"
