// Package daemon runs crawls on their schedules, many in one process.
//
// It promises that every occurrence of a schedule is accounted for in the history,
// as a run or as skipped with the reason, whatever becomes of the process; that at
// most one run of a crawl and at most Options.AtOnce of all go on at a time, those
// due first first; that a run which the end of a daemon cut off goes on when the
// next one starts; and that a crawl which fails or panics costs no other one its
// time.
//
// It refuses to know what a crawl is: it is told by [Crawl.Run]. Time is injected.
package daemon
