// Package frontier keeps a crawl's queue, seen-set and host states in an
// embedded Pebble store: one folder, one process at a time.
//
// It promises:
//
//   - A committed batch is durable and whole. After any crash the state is that
//     of the last committed batch, perhaps of one whose Commit had not yet
//     returned; leases that were out are back in the queue.
//   - A URL whose outcome is committed as done never leaves again, and a URL
//     found by a committed batch leaves at least once.
//   - A host's requests leave by priority, then depth (breadth first), then
//     order of discovery. Ready hosts take turns.
//   - Memory follows [Options], not the size of the crawl: hosts beyond the
//     working set stay on disk and are brought in as their time comes. Hosts
//     that must wait make room for hosts that need not.
//   - A failing disk is an error that wraps crawler.ErrStop, never the end of
//     the process.
//
// It refuses a folder in use (crawler.ErrLocked, which names the process), the
// state of another crawl or of a newer version (crawler.ErrForeignState), and a
// folder that is damaged ([ErrDamaged]) or holds something else ([ErrNotState]). The state of an
// older version is brought up to this one when it is opened.
//
// # Damage
//
// A changed octet, a file that was cut, lost or replaced is an error when it is
// come across, or leaves the state as it was after an earlier commit; never a
// mixture. [Check] looks at everything; [Salvage] reads what can be read.
//
// # Files
//
//	STATE      whose state it is, and the format of its rows
//	CLOSED     the last commit, while no process has the state open
//	LOCK, PID  the system's lock, and who holds it
//	store/     Pebble's files
//
// Its clock never goes back. A system's clock that was set back, within a
// process or between two, neither lengthens nor shortens what hosts and retries
// wait: a state that was written by a clock a day ahead does not wait for a day.
// One that was set forward between two processes counts as time passed.
//
// # New URLs
//
// Most links lead to what is known, and a cache of fingerprints knows most of
// these. Of the rest nearly all are new, which a filter in memory tells without a
// look-up; what it cannot tell is looked up. So the cost of a link does not
// follow the number of levels of the store. After re-opening the filter reads the
// u rows in the background, and everything is looked up until it has.
//
// It computes no politeness: a host's times come from its HostState. After
// re-opening, NotBefore is what was last persisted; waiting out the restart is
// for the owner of time above.
//
// # Rows
//
// Integers are big-endian so that keys sort by value; host8 is a 64-bit hash of
// the host's name, fp the request's key.
//
//	m|counts               counters, written with every batch
//	m|clock                the latest time that was seen, likewise
//	c|n mod 16384          number and time of commit n
//	p|name                 values that batches put
//	h|host8                name, state, and the time of its r row
//	r|time|host8           present while q rows exist for the host
//	u|host8|fp             queued, retry or settled; the last outcome's reason
//	q|host8|prio|depth|seq|fp   a request, kept until its outcome is committed
//	d|due|host8|fp         a request waiting for another attempt
//	v|fp                   a page known from earlier runs
//	w|fp                   what it gave: links and records, packed
//
// A lease writes nothing: it is a mark in memory on a q row. The time in an r
// row is never later than the host's NotBefore says when the host is on disk;
// for a host in memory it is only a marker. Two names with one hash are told
// apart by the stored name, the second taking the next free number; rows of
// hosts are never deleted, so that the search for a name stays sound.
package frontier
