// Package selectors is the declarative extractor: fields by CSS selector, XPath,
// JSONPath or jq, narrowed by attribute and regular expression, converted to a
// type. It is the plugin that a config's extract block means when it names none.
//
// What counts as found. A field looks at the elements that its css or xpath
// selects below the record's element, in document order, or at that element
// itself without either. Its value is that of the first one which has a value,
// or with all: true the list of all values. An element without the asked
// attribute, text that the regex does not match and an empty value are no
// value. A field without a value is null, which is no error, unless the field
// is required: then the record is dropped, with an error. A record in which no
// field found anything is not a record and is left out in silence, so that a
// rule may run on pages that do not hold its type.
//
// Alternatives (any) are tried in order; the first with a value counts. A field
// with fields is an object, or with each a list of them; an object in which no
// field found anything is null, and one that lacks a required field is left out.
// What a link carried here is a value, but by itself makes no record. A field
// whose condition (when) does not hold is null, and not missing though it is
// required.
//
// A rule whose selectors all look into JSON (jsonpath and jq without css or xpath)
// reads pages that are JSON, and leaves HTML pages unparsed. Any other reads HTML
// pages, and in them JSON that stands in elements or attributes.
//
// What counts as wrong. A value that is not of the field's type is an error with
// page, field and value; the field stays null and the record is kept, unless the
// field is required.
//
// Inside each, an absolute XPath such as //b starts at the record's element, as
// css does; parent and ancestor axes lead out of it.
//
// The types: string (text, white space folded, block elements and <br> separate
// words, scripts and styles left out), text (the same with its lines, see
// values.Lines), raw (text unchanged), html (inner HTML), markdown, integer and
// number (see values.ParseNumberIn), price (an object of amount and currency, see
// values.ParsePrice), boolean, date (see values.ParseDateIn), url (absolute; without attr an element's own href or src), json.
//
// What a page can cost is bounded: its nodes visited, the bytes of its values,
// its records and its reported errors. Whoever nests and repeats to make it dear
// gets an error for that page.
package selectors
