// Package rdfa reads the RDFa of pages: RDFa Lite 1.1
// (https://www.w3.org/TR/rdfa-lite/), and the rest of RDFa Core as HTML has it
// (https://www.w3.org/TR/rdfa-core/, section 7.5, and
// https://www.w3.org/TR/html-rdfa/), for the pages that use about, rel, rev,
// content, datatype and inlist too.
//
// What is said of one subject, anywhere on a page, is one item. It keeps no
// languages and datatypes; text is as a reader sees it, with white space folded.
// It expands no vocabulary and fetches nothing. Terms without a vocabulary are
// left out, and so are the link types that HTML itself defines.
package rdfa
