// Package dashboard serves a daemon over HTTP: pages for people, a JSON API that the
// pages use themselves, metrics, and whether the daemon is well.
//
// It promises that nobody slows the crawls down: every call has a deadline and a
// bound, those who watch a run share one look at it a second, and one who does not
// read is dropped. What sites, records and configs say reaches the pages as text and
// never as markup. A page of another site, or a name that leads to this address by
// rebinding, can neither read nor change anything; beyond loopback nobody can
// without the token.
//
// It refuses to keep anything: it shows what the daemon, its history and the
// monitors know. It reads the history by a connection of its own.
package dashboard
