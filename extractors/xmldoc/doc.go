// Package xmldoc is the extractor "xml": records from XML documents, one for each
// element that a path of names leads to, with fields by XPath 1.0 within it.
//
// The document is read as a stream: what is held of it is one record's element and
// the names of those around it, so that memory does not grow with its length.
//
// What counts as found is as for selectors: a field's value is the first result of
// its XPath that is not empty, or all of them with all: true; without one it is null;
// a record without a required field is dropped, with an error; a record in which
// nothing was found is left out.
//
// Names are as the document writes them, prefix and all (dc:title); a default
// namespace has no prefix, and gets none. Documents are read with patience: an end
// tag that fits nothing is passed over, and one that is missing is put in. A document
// that breaks off keeps the records that it gave, with an error.
//
// It refuses document type definitions: they are passed over, and an entity that is
// neither XML's nor HTML's stays as it is written, so that none can grow. Elements
// nest up to MaxDepth, and a record's element has at most MaxNodes nodes and MaxText
// bytes of text.
package xmldoc
