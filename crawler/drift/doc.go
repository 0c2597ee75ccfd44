// Package drift keeps a profile of what the records of a crawl are like (how often
// a field has a value, of what type and shape, how many records a page gives) and
// says when a run's profile has fallen from that of the last good run.
//
// It promises that a profile is the same however its pages are put together: the
// profiles of parts, merged in any order, are the profile of the whole. So it can
// be kept batch by batch, and a run that was killed and resumed has the figures of
// an undisturbed one. A profile is bounded in memory whatever the pages say: 256
// fields that the config does not name for each record type, a fixed number of
// types, lengths and patterns for each field, and an example for each of these.
// Fields beyond the bound are left out, the same ones in every order.
//
// [Compare] is the rule of the alarm, as one function of two profiles. It refuses
// to judge by few records, and by a fall that chance explains.
package drift
