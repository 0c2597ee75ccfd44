// Package draft is amble init: it looks at a page and writes a config to start from.
//
// It promises that the config lints, whatever the page holds, and that each rule in it
// gave records on the pages that were looked at, or says that they were not. It fetches as
// a crawl would, a few pages at most, and replaces no file unless it is told to.
package draft
