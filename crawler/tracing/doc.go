// Package tracing tells an OpenTelemetry collector what a crawl does with its time, by
// OTLP over HTTP: a span for each run, and for some of its requests a trace of their own
// with what they waited for, the connection, the answer, the extraction and the commit.
//
// It promises that a crawl never waits for it: spans are sent in the background, and
// dropped where they come faster than they are taken. At most [PerSecond] requests a
// second are traced, so that the collector is not flooded, and it is bounded what is
// kept of those under way. A nil *Tracer and a nil *Run do nothing.
//
// It refuses to decide what of a URL may be told: that is asked of the caller.
package tracing
