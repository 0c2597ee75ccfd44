// Package bucket opens places that hold objects by their keys: buckets of S3 and of
// what speaks its protocol, of Google Cloud Storage and of Azure, and folders.
//
// A Bucket performs one exchange for each call and never repeats one by itself: who
// calls it owns time and retries. Bodies are streamed. Credentials come from Options
// alone; no variable of the environment, file in a home folder or metadata service is
// asked for any. Redirects are not followed.
//
// It promises that a listing comes in the order of keys and in pages, each with what
// leads to the next; that what Open gives is of one version of the object, that of
// IfMatch where this is asked for; and that an object which Put wrote is there as a
// whole or not at all. A folder is never left, whatever a key says and whatever
// symbolic links are in it.
//
// Buckets of Google Cloud Storage and Azure are in builds with -tags full alone (see
// docs/adr/0015).
package bucket
