// Package plan computes how long a crawl takes at least, from what is known
// before it: how many requests each host is to get, and which delay is owed
// between two of them.
//
// What it gives is a lower bound that rests on delays and crawl windows alone.
// Answers are taken to come at once, so that concurrency changes nothing where
// a delay is owed: it is kept between any two requests of a host.
//
// It fetches nothing, keeps no state and does not know the clock. Times beyond
// Horizon are not told apart. Nothing in it is unbounded: its cost follows the
// number of hosts, and the days within the Horizon where there is a window.
package plan
