// Package urls parses, resolves, normalises and selects URLs.
//
// It promises three things.
//
// Parsing and resolving follow the WHATWG URL Standard (https://url.spec.whatwg.org/),
// so that a link leads where a browser would take it. Ordinary ASCII http(s)
// addresses and references take a path of our own that never parses the base
// again; everything unusual goes to a complete engine. Both give the same
// answer for every input the short path accepts.
//
// A URL has two forms that must not be mixed up. [URL.Fetch] is what the server
// sees and changes nothing the standard does not change. [Canon.Dedup] is the
// form two addresses share when they name the same page; it is idempotent and
// exists to be hashed into a [Key], never to be requested.
//
// A third form is for counting and for people: the pattern that [Canon.Generalise]
// gives, which the pages of one kind share. [URL.Repetition] finds paths that go
// in circles. Both tell what a URL looks like, and decide nothing.
//
// A [Scope] says of any URL whether it belongs to the crawl, and names the rule
// that decided. Globs and regular expressions take time linear in the URL.
//
// It refuses URLs over [MaxLen] bytes and, so that no link keeps a processor
// busy, hosts over 1024 bytes, credentials over 256 and schemes over 64; and
// hosts whose numbers have a sign. ASCII hosts are not checked for valid
// Punycode: the name server has the last word. It does no I/O, keeps no state
// and resolves no names. Everything is safe for concurrent use, and no input
// causes a panic.
package urls
