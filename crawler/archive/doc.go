// Package archive keeps the exchanges of a crawl, so that it can be run again without
// a network.
//
// A Writer stands before the fetchers of a run and keeps what each exchange gave: the
// answer as extractors see it, or the error. A Reader stands in place of the fetchers
// and gives the same again. robots.txt, sitemaps and other schemes are exchanges like
// others. What is kept of an exchange is the last of those with its method, URL and
// body.
//
// It promises: nothing that says who asked is kept, neither header fields of requests
// nor cookies of answers, and values that Options.Seal hides are hidden in URLs, in
// fields and in bodies. Frames are checksummed, and a file is read through before anything
// of it is given; a last one that is incomplete is what a crash leaves behind, and is cut
// off; a damaged one is told with its place, and costs no other.
// A Reader opens no connection. Bodies stay on disk until they are asked for.
//
// What is appended is not synced: a power cut may cost the last exchanges.
package archive
