// Command amble is a polite web crawler: it runs crawl configs, checks and
// explains them, and shows itself on a built-in web.
//
// This package only wires: one file per verb, the adapters that join packages
// which do not know each other, and what is printed for people. Results go to
// stdout, progress and logs to stderr; the exit codes are in exit.go.
package main
