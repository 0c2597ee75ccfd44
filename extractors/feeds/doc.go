// Package feeds reads the lists of addresses that sites publish. So far that is
// the sitemap: XML sitemaps and index files of sitemaps.org, and plain text with
// one address a line, each of them gzipped or not.
//
// A file is read as a stream and gives what stands before its first fault,
// together with the fault. One file gives at most 50,000 links and is read for at
// most 50 MiB after decompression, the limits of the sitemap protocol.
//
// It refuses documents that are neither (a page of HTML in a sitemap's place) and
// custom XML entities.
package feeds
