// Package survey looks at pages and says what records they offer: blocks that
// repeat, the fields of a detail page, tables, structured data, feeds, lists in
// JSON, the way to the next page; and which selector a person may have meant by
// one that finds nothing.
//
// What it proposes is a start for a person to go on from. It prefers what sites
// keep: ids, classes with a meaning, itemprop, labels of tables. It never counts
// children, and leaves alone classes that a build tool makes up (css-1x2y3z), that
// say how a thing looks (col-md-3, text-sm) or what state it is in (active).
//
// The work on one page is bounded; of a page that is dearer it says what it has
// seen until then. It changes nothing and fetches nothing.
package survey
