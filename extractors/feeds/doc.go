// Package feeds reads the lists that sites publish: sitemaps and their indexes
// (sitemaps.org, XML or one address a line, gzipped or not) and feeds (RSS 0.9 to
// 2.0, Atom, JSON Feed).
//
// Sitemap turns a sitemap into links, for the seeds of a crawl; Each passes them
// on one by one and holds none. The extractors "sitemap" and "feed" make a record
// of every entry; a page that is neither gives them nothing, without an error.
//
// A sitemap is read as a stream and gives what stands before its first fault,
// together with the fault. One file gives at most 50,000 links and is read for at
// most 50 MiB after decompression, the limits of the sitemap protocol. A feed is
// read by gofeed; of one that is not well-formed each entry is read by itself,
// and those that cannot be are counted. Relative addresses are relative to
// xml:base, then to the page.
//
// It refuses custom XML entities.
package feeds
