// Package microformats reads microformats2 by its parsing algorithm
// (https://microformats.org/wiki/microformats2-parsing): properties p-, u-, dt-
// and e-, items in items, implied name, photo and url, and the value class
// pattern with dates in pieces. The older formats (vcard, hentry, hfeed, vevent,
// hproduct, hrecipe, hreview, hresume, adr, geo and others) are read as their
// successors (https://microformats.org/wiki/microformats2-parsing#backward_compatibility).
//
// It leaves out classes that only give sizes in the common style sheets (h-full,
// h-screen, p-px and the like), which look like microformats, and the table of rel
// values. Text is as a reader sees it, with white space folded.
package microformats
