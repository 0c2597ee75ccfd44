// Package outbox is what the sinks have in common whose destination takes nothing
// back: files that are complete or nothing, objects in a bucket, a receiver on the
// web. Records are kept in files of the run's own until they are committed, and are
// handed on in parts afterwards.
//
// # Exactly once
//
// What belongs to a part is decided by Flush and stands in the position: a part that
// is handed on has been committed, so that it is never taken back, and whatever
// happens to the process it is handed on again with the same records under the same
// name, until a later position says that it has been. A destination that tells parts
// by their names (a file that is replaced, an object that is overwritten, a receiver
// that knows the ID) has each record once; another has it once at least.
//
// # Bounds
//
// The files hold one open part for each stream, and those that Deliver has not come
// to. A part is closed by the Flush that finds it full, so that it may be larger than
// its bounds by what a batch of the engine adds. Memory does not grow with a part.
package outbox
