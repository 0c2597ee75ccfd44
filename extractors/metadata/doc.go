// Package metadata has the extractors for what pages say to machines.
//
// One for each format: "jsonld", "microdata", "rdfa", "opengraph" (with Twitter
// cards) and "microformats2". They give the things a page describes as records
// of one form: "@type" and "@id" where there are any, then the properties by
// their names, those of schema.org without its address. A property with one
// value is that value, with several a list; a thing within a thing is nested.
//
// And three that merge them: "product", "article-meta" and "event" take each
// field from the first format, in an order that can be configured, that has it,
// and say in the field "origin" which one it was.
//
// The parsers stand in packages below this one. Each bounds what one page can
// cost: nodes visited, text kept, depth, records.
package metadata
