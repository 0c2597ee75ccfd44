// Package polite joins politeness, which knows nothing of crawls, to the engine, which
// knows nothing of robots.txt: the gate that a config asks for, the engine's questions to
// it, what sites say of the use of their pages, and the ledger that accounts for all of it.
//
// It promises that the gate and the ledger go by the same exceptions, so that an audit
// holds a run to what it was told; that a host's tdmrep.json which is there and cannot be
// read reserves everything; and that what a state does not give back of a host counts as
// unknown, which only makes the crawl more careful. It sends nothing but look-ups of
// addresses, where hosts are grouped by these.
package polite
