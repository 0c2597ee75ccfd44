// Package politeness owns time: it decides for each host whether a request may
// start now, and when the next one may. It can be used alone, with any HTTP
// client.
//
// A Gate answers Decide with one of four actions: go, skip (with the reason),
// wait until an instant, or fetch robots.txt first. To go and to fetch come with
// a Grant, the permission for exactly one request to exactly one URL, which is
// used up by Grant.Done or given back by Grant.Cancel. Gate.Guard is a
// transport that refuses every request without a grant, so that no code path
// can be impolite by mistake, and that marks the instants at which requests
// start and responses end.
//
// # What it promises
//
// A host is an origin: scheme, host and port. Per host,
//
//   - no request starts while Policy.Concurrency requests are in flight;
//   - no request starts earlier than the owed delay after the last start and
//     after the last end of a response, robots.txt, redirects and repeats
//     included. The owed delay is the longest of the policy's, that of the
//     adaptive throttle and robots.txt's Crawl-delay, each up to a cap;
//   - Retry-After, and a quota of which nothing is left (RateLimit, X-RateLimit),
//     put the host off, up to a cap; 429 and 503 without it put it
//     off for growing times;
//   - nothing starts outside of the crawl window, if there is one;
//   - a host that keeps failing is set aside and probed by one request at a time
//     after growing pauses, and its URLs are skipped when that lasts for hours;
//   - no page is granted that robots.txt disallows, or while robots.txt is not
//     known. It is fetched once, before the first page, as RFC 9309 section 2.3
//     says: redirects are followed up to five hops, each hop within the delay of
//     the host it leads to; 4xx except 429 allows; what is not answered, or with
//     429 or 5xx, disallows for now and is asked again at growing intervals, and
//     after a bounded number of times the URLs are skipped. A good copy serves
//     as long as its answer says, 24 hours at most, and is asked for again, by
//     its validators, a little before that.
//
// A file of each host beside robots.txt, in which it says more (SiteFile), is
// read in the same way where the policy names one.
//
// Hosts of one group, by address or registrable domain, share a second budget
// of delay and concurrency, and what a server says about our rate holds for all
// of them.
//
// All that is owed outlives the process where HostState is kept and given back
// by Options.Debts, Options.Recall and Options.RecallFile. What is kept can only lengthen a wait, by
// no more than the policy's own bounds, and what is damaged is ignored.
//
// What is malformed takes the reading that gives less access.
//
// A clock that jumps back neither lengthens nor shortens what is owed. Memory is
// bounded by Options.MaxHosts and Options.MaxRules: hosts that owe nothing are
// forgotten, those used longest ago first. All methods are safe for concurrent use.
//
// # What it leaves to others
//
// It sends nothing, keeps no goroutine and sleeps in one place only: the guard
// waits out the rest of a delay where another response of the same host ended
// between a grant and its use, or where net/http is about to repeat a request
// by itself.
package politeness
