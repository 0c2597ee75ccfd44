// Package jsonld reads the JSON-LD of pages: the script elements of type
// application/ld+json, found by tokens, without a tree.
//
// It takes JSON-LD as pages use it (https://www.w3.org/TR/json-ld11/), not as a
// processor expands it. Of contexts it knows schema.org's and what stands in the
// page itself: @vocab, @base, prefixes, terms and their aliases of keywords. It
// fetches none; names that only a context elsewhere explains stay as they are.
// Objects with one @id are one thing, in all blocks of a page, unless their types
// differ; a reference by @id becomes the thing itself.
//
// What it mends: comments, marks of comments and CDATA around a block, commas
// before a closing bracket, raw control characters and needless backslashes in
// strings, HTML entities in strings and in place of quotes, a semicolon at the
// end, several values in one block. What is broken beyond that costs the block.
package jsonld
