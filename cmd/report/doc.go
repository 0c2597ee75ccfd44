// Package report is what a run has come to: the account that a person reads at its end,
// the summary that programs read, what has drifted, and the exit code.
//
// It promises to be bounded, however large the run was: each list ends after a few lines
// and says how many more there are. It reads no state and fetches nothing; who has run
// the crawl fills it in.
package report
