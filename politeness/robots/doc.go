// Package robots reads robots.txt files and answers whether a URL may be
// fetched, which line says so, and how long the site asks to be left alone
// between two requests.
//
// # What it promises
//
// Parse never fails and never panics: whatever a server sent becomes a File.
// It reads at most MaxSize bytes, and lines up to a fixed length. A Check takes
// bounded time whatever the file and the URL hold: the work spent on wildcards
// is counted, and where the count runs out an unread Disallow is taken to match
// and an unread Allow not to (see Rules.Check). All types are safe for
// concurrent use once built.
//
// # How it decides
//
// The package reads the lines itself, picks and merges the groups of one
// product token, and normalises rules and URL alike. An index over the literal
// parts of the rules finds the rule that ranks first (most octets, Allow before
// Disallow) among those that match, without trying each. Where that rule is an
// Allow, the matcher of github.com/temoto/robotstxt is asked about it too, and
// the URL is allowed only if both match: access takes two readings. temoto is
// given one normalised rule at a time since on its own it anchors no wildcard,
// gives ties to the first rule, ranks by the length of an escaped expression
// and gives up on a whole file for one bad line.
//
// # Two modes
//
// RFC, the default, follows RFC 9309: percent-encoded unreserved octets are
// decoded on both sides, octets that no URL may hold are encoded on both sides,
// "%2A" and "%24" stand for a literal "*" and "$", and /robots.txt itself is
// always allowed. What the RFC leaves open takes the reading that gives less
// access. Google answers exactly as Google's published parser does, quirks
// included, to compare with other tools.
//
// # What it leaves to others
//
// It fetches nothing and knows no status codes: what a missing or unreachable
// file means is decided by package politeness.
package robots
