// Package format writes numbers, durations, sizes and texts as a person reads them in
// a terminal. Its functions are pure. What programs read is not written by it.
package format
