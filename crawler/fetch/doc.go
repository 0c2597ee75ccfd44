// Package fetch performs single HTTP exchanges for the engine.
//
// A [Client] holds what all workers share: one transport with its connections
// and one cache of addresses. Each worker takes a [Fetcher] from it, which
// drives one colly collector, fenced so that colly performs the request and
// decides nothing else. Below colly stands a chain of RoundTrippers, one
// concern and one file each, from the outside in:
//
//	conceal  hides the response's header from colly
//	hold     keeps header and body for us; where memory is short, in a file
//	decode   removes gzip, deflate, br and zstd; bounds the body after decoding
//	wire     counts and bounds the bytes received, ends a body that stalls
//	guard    injected: refuses what politeness did not grant
//	single   one request on the wire for one RoundTrip, as the URL spells it
//	network  net/http's transport: HTTP/1.1 and HTTP/2, pooled connections
//
// It promises that an exchange ends: in a whole response, or in an error that
// says by its class what happened and whether another attempt is worthwhile.
// Time, header bytes, body bytes before and after decoding, connections,
// cached names and decoder windows are all bounded. Text arrives as UTF-8
// whatever the server claims.
//
// It refuses to follow redirects (they are reported), keep cookies, retry,
// read proxies or settings from the environment, or hand out half a page
// without being asked to.
package fetch
