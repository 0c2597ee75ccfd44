// Package serve is amble serve: a daemon that runs the crawls of some configs on their
// schedules, keeps what became of each run, sends alerts, shows a dashboard, and gives way
// to a newer binary.
//
// It promises that the crawls of one daemon share the time of the hosts they ask, and
// remember over a restart who asked to be left alone; and that a config which has become
// wrong leaves its last good version at work. Which run goes on when is package daemon's,
// what is kept of runs package history's, and the pages are package dashboard's: here they
// are joined to executions.
package serve
