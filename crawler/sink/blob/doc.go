// Package blob writes records to objects of a bucket, in parts: the sink "blob".
//
// # Exactly once
//
// A part is written after its records are committed, from a file that holds all of
// them, and has the same records under the same key each time: see package outbox. So
// what a crash leaves in doubt is overwritten by itself, and a reader sees an object
// whole or not at all, as package bucket has it. A fresh run deletes the parts of an
// earlier one whose keys it would use, unless the keys hold {run}.
//
// # Failures
//
// A fresh run writes an empty object, and deletes it, so that a bucket that cannot be
// written to is found before the first fetch. Later, failures that may pass (of the
// network, statuses 408, 429 and 5xx) are tried again with pauses that double, until
// patience ends; others stop the run at once. Both are resumable.
package blob
