// Package history keeps what became of scheduled runs: when each was due, why it
// began, how it ended, its summary, up to when a schedule has been decided, and which
// hosts have asked to be left alone until when. It is an SQLite file that one process
// writes and others may read meanwhile.
//
// It promises that what a method has written is on the disk when it returns, and
// that a file which is no history is never written to: [Open] says so by
// [ErrCorrupt], and [OpenAnew] moves it out of the way under another name.
//
// It refuses to know what a summary or a detail holds: that is JSON to it.
package history
