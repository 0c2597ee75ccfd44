// Package runs is amble runs: what became of the runs of a daemon, from its history, and
// the daemon asked, through its API, to stop or start one. It writes nothing itself.
package runs
