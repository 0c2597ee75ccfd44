// Package webhook posts records to a receiver on the web, in signed batches: the sink
// "webhook".
//
// # Exactly once
//
// A batch is posted after its records are committed, and is made of the same records
// under the same ID each time: see package outbox. A receiver that knows the IDs it has
// taken, and drops what comes again, has each record once; another has it once at
// least. Batches are posted one after the other, in the order of the commits.
//
// # Requests
//
// The headers are those of the Standard Webhooks specification (version 1.0.0):
// webhook-id, the same when a batch is posted again; webhook-timestamp, in seconds; and,
// where there is a secret, webhook-signature, "v1," and the HMAC-SHA256 of
// "id.timestamp.body" in base64. Idempotency-Key repeats the ID. The body is JSON lines
// or one JSON array.
//
// A 2xx status takes the batch. 408, 425, 429, 5xx and failures of the network are tried
// again, with pauses that double and not before Retry-After is over, until patience ends.
// Any other status, redirects included, refuses it. Both stop the run, resumably.
//
// # Refusals
//
// The address comes from the config and may be a private one; no redirect is followed
// to another. What holds keys (path and query of the address, headers, the secret) is in
// no error. At most 64 KiB of an answer are read.
package webhook
