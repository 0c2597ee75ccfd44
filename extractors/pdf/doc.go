// Package pdf is the extractor "pdf": the text of PDF documents and what they say of
// themselves, a record for each document or for each of its pages.
//
// PDFium reads them, the library of Chrome, compiled to WebAssembly and run by wazero.
// What a document does to it stays in there: it reaches no file and no socket, a fault
// ends as an error of that one document, and each document has an instance of its own
// which is gone with it.
//
// The bounds: as much memory for a document as its page may reserve, at most MaxMemory
// and twice its own length; MaxText bytes of text, max_pages pages, the time that the page has; at most MaxAtOnce
// documents are read at a time, and others wait for their turn. The end of the time
// ends the work, wherever it is.
//
// PDFium is made ready by Open, which takes two or three seconds of CPU time and 280
// MiB of memory, once for the process, and gives them back; a crawl without the extractor pays nothing.
//
// It refuses encrypted documents, except those that open without a password, and it
// reads no text out of pictures: a scanned document has pages, and no text.
package pdf
