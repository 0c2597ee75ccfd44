// Package frontiertest is the property suite that every crawler.Frontier must
// pass. It drives a frontier by random steps next to a plain model of what the
// contract promises, with the process killed and the power cut between any two
// writes, and ends each story by crawling what is left to the end.
//
// It promises that a frontier which passes keeps committed things, settles each
// request once, leases only what may leave and in order, keeps exact counts and
// wakes a waiting Lease. It says nothing about speed, and it does not know what
// is below the interface: a Harness opens, clocks and crashes it.
package frontiertest
