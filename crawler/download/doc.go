// Package download keeps files: the bodies that requests of crawler.KindFile bring.
//
// A body goes from the connection to a temporary file in the destination, is hashed on
// its way and never in memory as a whole. A large one is fetched in parts, each a
// request of its own that the frontier leases, politeness grants and the ledger notes.
// How far each part has come stands beside the temporary file, with the version of
// the object, so that a later process goes on where one was killed (Range with
// If-Range, RFC 9110 section 13.1.5); another version is fetched from its beginning.
//
// It promises that a file in its place is whole: of the size and the checksums that
// its server stated (Content-MD5, Repr-Digest, x-amz-checksum-*, an ETag of S3 that is
// an MD5) and that a file of sums has for it. It is there, durably, before the request
// is committed as fetched, under a name that does not leave the folder, whatever its
// URL says and whatever symbolic links are there. No two URLs of a run share a name.
// Each has one record, with the reason where there is no file.
//
// It refuses to trust half a file after a restart of the machine, but for the parts
// of it that were synced; and a small one that waits for its commit, which it otherwise
// takes as it is where its notes say that it is whole.
package download
