// Package cache keeps answers for as long as their servers say that they hold: a
// private cache by RFC 9111, on disk.
//
// A Cache stands before the fetchers of a run. An answer that is fresh is given again,
// without a request, as one that was stored (crawler.Response.Stored). One that is not
// is asked for again with its validators, and a 304 makes it fresh. A caller's own
// conditions are answered from what is fresh, and pass on to the server otherwise.
//
// It promises: freshness is what the answer states (max-age, or Expires and Date, less
// its age); nothing is taken for fresh by guessing. no-store is not stored, no-cache
// not given without asking, Vary compared field by field. What was asked for by
// somebody (credentials, cookies, a login) is stored where the answer says public, and
// no answer that sets cookies is while they are kept. A request that is not safe makes
// what is stored of its URL void. What is stored is bounded, the least recently used
// going first, checksummed, and readable by its owner alone; a damaged entry is none.
//
// It refuses: ranges, bodies that were cut, answers to what is not a GET, heuristic
// freshness (RFC 9111 section 4.2.2), and giving stale answers. robots.txt has a cache
// of its own, with its own rules.
package cache
