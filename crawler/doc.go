// Package crawler holds the nouns of a crawl, the contracts between its parts,
// and the engine that runs one.
//
// The engine works in five steps. The frontier leases a request; politeness
// says go, skip, wait, or fetch robots.txt first; a fetcher performs one
// exchange; a pipeline of extractors turns the page into records and links;
// and a committer writes what many pages gave, sinks first, then outcomes,
// found links, host states, counts and the sinks' positions in one atomic
// frontier write.
//
// It promises that a run's records are each written exactly once however often
// its process dies, that every leased request ends in one outcome with its
// reason or returns to the queue, that a failing page, plugin or host costs
// only itself, and that memory is bounded by Settings and not by the crawl.
//
// It refuses to know how things are done: storage, time owed, HTTP, selectors
// and file formats are the business of the packages below it and beside it,
// joined by the interfaces Frontier, Politeness, Fetcher, Pipeline and Sink.
package crawler
