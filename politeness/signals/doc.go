// Package signals reads what a site says about the use of its pages: the
// directives for robots on a page, and the usage signals by which a site
// allows or reserves search, mining and the training of models.
//
// # What it promises
//
// No reader here fails, panics or does any input or output. What cannot be
// read gets the reading that gives less access, with a note of what was wrong:
// a directive that is cut off restricts, a date that cannot be read has
// passed, a value that is neither yes nor no means no, a statement that cannot
// be taken apart denies every use. Sizes and counts are bounded; what lies
// beyond a bound counts as unreadable, not as unsaid. Time is linear in what
// is read. All results are values or immutable, and safe for concurrent use.
//
// # Directives
//
// Directives reads X-Robots-Tag and the meta elements named robots or after
// the crawler. The most restrictive of all that speak to the crawler wins.
//
// # Usage signals and their versions
//
//   - Content-Signal, in robots.txt and as a header: Cloudflare's Content
//     Signals Policy of 24 September 2025 (contentsignals.org), whose
//     categories draft-romm-aipref-contentsignals-00 defines.
//   - Content-Usage, in robots.txt and as a header: draft-ietf-aipref-attach-04
//     with the vocabulary of draft-ietf-aipref-vocab-05 and the labels of the
//     revisions around it, as an RFC 9651 dictionary.
//   - TDMRep, as header, meta element and /.well-known/tdmrep.json: TDM
//     Reservation Protocol, W3C Community Group Final Report of 10 May 2024.
//   - RSL, as License lines in robots.txt, Link headers and link elements:
//     Really Simple Licensing 1.0. The licence is named, not fetched.
//
// # Categories
//
// The vocabularies are brought to one set of names. A name none of them knows
// is kept as it was stated.
//
//	here      Content-Signal  Content-Usage                     others
//	search    search          search
//	ai-input  ai-input        ai-use, earlier ai-output
//	ai-train  ai-train        train-ai, earlier train-genai
//	tdm                                                         tdm-reservation
//	license                                                     RSL
//	all                       earlier bots, all                 what is unreadable
//
// A use is denied when any statement denies it or a wider use: all holds every
// use, and tdm holds ai-train, since the reservation of text and data mining
// covers it. A use is allowed only by a statement about that very use. So the
// sources are merged by what draft-ietf-aipref-vocab-05 calls combining: most
// restrictive first.
//
// # Where it is stricter than the documents it follows
//
// The AIPREF vocabulary and TDMRep take a value they do not know, or a field
// that cannot be parsed, as nothing said, the last of two values for a key as
// the one that counts, and TDMRep lets the page override the header and the
// header the file. Here all of these deny where any of them does.
package signals
