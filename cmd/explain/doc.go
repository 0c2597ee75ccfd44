// Package explain is amble explain: what a crawl would do with a URL, and why. It fetches
// robots.txt and tdmrep.json at most, where the state has no copy of them, and changes
// nothing.
package explain
