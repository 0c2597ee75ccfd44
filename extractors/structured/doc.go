// Package structured is the extractor "json": records from JSON by JSONPath
// (RFC 9535) and jq, be it a document of its own, lines of documents, or an island
// in a page's scripts; with links to the next page of an API.
//
// What counts as found is as for selectors: a field's value is the first result
// of its query that is not null, or all of them with all: true; without one it is
// its default, or null; a record without a required field is dropped, with an
// error; a record in which nothing was found is left out. Values keep the type
// that the document gives them, and integers all their digits, unless "as" asks
// for another type.
//
// A JSONPath in each that only leads to a list ($.data.items[*]) is read element
// by element, so that a long list is never held as a whole.
//
// It refuses documents nested deeper than query.MaxDepth, and JavaScript that is
// not JSON.
package structured
