// Package login logs a crawl in, and in again when a session has ended.
//
// A login is a sequence of steps. Each is found on the page before it, as links and
// forms are: a form is filled in with the fields that the page hides in it, an address
// or a body takes values of the page. What the last answer says may be taken as well,
// and sent along with requests in header fields; cookies are the transport's to keep.
//
// It promises: steps are sent by whoever gives Options.Send, one at a time, so that
// they are as polite, guarded and accounted for as pages; what is sent with a login
// never goes to another origin by a redirect. One login is under way at a time, and
// meanwhile the hosts that it is for are left alone. What fails for a while is tried
// again a few times; a login that is refused is not, as accounts are locked for less.
// An answer that shows that nobody is logged in leads to one login, whoever sees it
// first, and to the page being asked for again, alone and before others. It is never
// taken for the page; one that shows this whoever asks is found out, and asked for no
// more. Logins that help no page become rare, those that no good answer follows end the
// run, and there is a bound to those of a process.
//
// No password, token or cookie is in an error or a log. The package keeps nothing on
// disk.
package login
