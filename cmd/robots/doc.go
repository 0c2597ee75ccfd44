// Package robots is amble robots: what a robots.txt allows, a saved one or those of live
// hosts.
//
// It fetches no page, and reaches a private address only where the command line names it,
// wherever a name or a redirect leads.
package robots
