// Package rows reads datasets row by row, and fills templates with what stands in
// a row.
//
// A Reader takes CSV with a header (comma, semicolon or tab) and JSON Lines. It
// holds one row at a time, of MaxRow bytes at most, so that memory does not follow
// the size of a file. A row that is not as it should be (broken encoding, too many
// columns, a quote without end) comes with the reason and its line, and the next
// row is read as if nothing had happened: nothing but a failure of the disk ends a
// file early.
//
// A Template is text with {{column}} in it. What a column holds is escaped for the
// place where it stands: in a URL, in a JSON document, in a form. A value can so
// never become more than a value: it adds no parameter, no path segment and no key.
// {{column|raw}} leaves that out where a column holds such a text, and
// {{column|json}} writes the value as JSON. There are no other filters, no
// conditions and no loops.
//
// The package touches no network and knows no crawl.
package rows
