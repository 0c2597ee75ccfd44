// Package schedule says when runs are due: by cron expressions or intervals, in a
// time zone, and what becomes of a run that is due while another goes on or while
// nobody was there to start it.
//
// It promises that each occurrence is decided once: started, queued or skipped,
// and says which. Two occurrences of one schedule are never the same instant. A
// schedule that names hours keeps to the clock on the wall: an occurrence that
// falls into the hour which a change to summer time skips is due when that hour
// would have ended, and one in the hour which a change back doubles is due once, the
// first time. A schedule for every hour (or every so many) goes by elapsed time
// instead: it has none in the skipped hour and both in the doubled one. Vixie cron
// does the same.
//
// It refuses to start anything, to sleep and to ask what time it is: [Schedule.Step]
// is a function of a state, the time and whether a run goes on. Whoever calls it
// keeps the state.
package schedule
