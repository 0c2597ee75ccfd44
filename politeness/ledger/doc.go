// Package ledger keeps the account of a crawl: every request that was sent and
// every one that was withheld, with the rule and the delay that applied, and
// audits it afterwards without a network.
//
// # What it promises
//
// Append writes entries to segment files in one folder, and they are never
// changed again. Every frame is checksummed, and the checksums are chained, so
// that a flipped octet and a frame that was removed or moved are found and named
// by file and offset (CorruptError). A last frame that is incomplete is what a
// crash leaves behind: Open cuts it off and says so, Read ends with ErrTorn. Close
// writes down where the ledger ends, so that what is cut off afterwards is found too.
// What the files hold is unpacked within a fixed bound of memory, whatever they
// hold. Files can be read by their owner only.
//
// The text of each robots.txt that was relied on stands in the ledger beside
// the entries, and so does what the operator promised (RunInfo). From these
// alone Audit derives every verdict, delay, debt and overlap again. It trusts
// an entry's times, and nothing that an entry concludes from them.
//
// Times are kept in microseconds, counted from RunInfo.Started by the monotonic
// clock where the times carry one: a wall clock that is set in the middle of a
// run changes no gap. Audit reports only what remains a violation when each
// instant is taken at the end of its microsecond that favours the crawl, and
// what a process may not have known of earlier ones counts for nothing: after a
// restart backoffs and rests begin to grow anew, while those that ran still do.
//
// Ledgers of earlier formats are read, and written on in the present one. What
// a process did not promise, or wrote down too little of, is not judged.
//
// # What it forgets
//
// Prune puts the beginning away, where an account can begin: with a process that relies
// on nothing that an earlier one has read (RunInfo.Anew). The rest says what went
// (Before), and audits by itself.
//
// # What it leaves to others
//
// Entries that were not appended when a process died are missing; what their
// absence may hide is bounded by how often the caller appends. One process
// appends to a folder at a time; who that is, the keeper of the folder decides.
// Checksums guard against accidents, not against a forger. Audit keeps a record
// per host in memory, and bounded memory beside.
package ledger
