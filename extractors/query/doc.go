// Package query asks JSON documents: JSONPath (RFC 9535) and jq.
//
// It promises bounds: documents are decoded to a depth of at most MaxDepth, an
// array can be read element by element, a query ends with its context and after
// a number of results; what a document will take of memory is told before it is read
// (SizeOf), and Reserve asks the page for it. Numbers keep all their digits (json.Number).
//
// It refuses jq's access to environment, files and further inputs, and JSONPaths
// with more than two "..".
package query
