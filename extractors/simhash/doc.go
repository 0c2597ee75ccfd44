// Package simhash makes a print of 64 bits of a page's text. Texts that share
// nearly all of their runs of three words have prints that differ in few bits.
//
// The print is that of Moses Charikar, "Similarity Estimation Techniques from
// Rounding Algorithms" (STOC 2002), used as in Manku, Jain and Das Sarma,
// "Detecting Near-Duplicates for Web Crawling" (WWW 2007), who call two pages
// the same from a distance of 3 bits down.
//
// The text is what a reader sees: no scripts, styles or comments. Numbers and
// the names of months and days do not count, so that the pages of an empty
// calendar are one text. It promises memory that does not follow the page, time
// linear in it, the same print on every machine and in every version, and no
// panic whatever the page.
//
// It says nothing of short texts, where one word more changes many bits: ask
// for the number of words.
package simhash
