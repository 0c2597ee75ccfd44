// Package cookies keeps the cookies of a crawl (RFC 6265) and sends them back.
//
// A Jar is a RoundTripper's companion: Wrap gives a transport that adds what the jar
// has for a URL and takes what its answer sets. Redirects are not followed below it,
// so that each answer's cookies are seen.
//
// It promises bounds: so many cookies of a site and in all, so many bytes of a
// cookie, of a request's field, and of the whole jar. What is used least recently
// goes first. Cookies for a public suffix, for another host than the one that sets
// them, or with a name whose prefix they do not live up to, are refused. A cookie
// that a plain connection sets replaces none of a secured one.
//
// With ScopeCrawl domains share cookies as in a browser; with ScopeHost each host is
// sent its own alone.
//
// A jar that has a file is written to it, readable by its owner alone, soon after it
// has changed and when it is closed, as a whole or not at all. What cannot be read
// back is left out, and said. Values are in no log and no error.
package cookies
