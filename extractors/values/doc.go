// Package values makes typed values of the text, markup and attributes of pages.
// The extractors share it, so that a price or a date means the same wherever it
// was found.
//
// What it promises: a value that is not of its type is an error that says why,
// never a guess; what may be read in two ways (3/4/2026) is an error too. Nothing
// here changes a tree or keeps one. All of it is safe for concurrent use.
//
// What it refuses: to fetch, to select, and to bound the work by itself; that is
// what a Step is for.
package values
