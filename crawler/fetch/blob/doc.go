// Package blob answers the blob:// requests of a crawl from buckets: the innermost
// link of the fetch chain for that scheme.
//
// A request is a page of a listing or an object, or a part of one by Range, held to a
// version by If-Range. What a service answers is passed on as HTTP has it: its status
// where the crawl knows to wait or to try again (429 and 5xx), and an error with the
// service's own code elsewhere. Each is one exchange with the service.
//
// It promises that a body which ends early is an error, and that an object is never
// given in place of another version of it.
package blob
