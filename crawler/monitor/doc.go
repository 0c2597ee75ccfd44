// Package monitor turns an engine's observer calls into figures that people
// and programs read while a crawl runs: a snapshot of counts and rates, a few
// examples of each kind of failure, the records that came last, and, for the crawls
// of a daemon together, counters for Prometheus.
//
// It promises bounded memory whatever the size of the crawl, and that every
// call returns at once. It decides nothing and writes nothing.
package monitor
