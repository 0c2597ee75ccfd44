// Package extractors turns pages into records and links.
//
// It has two readers. Authors of plugins import it for the words they need
// (Extractor, Page, Emitter, Field, Link) and for Register; they need nothing
// else of this module. The engine takes a Pipeline, which runs a crawl's rules
// over one page after the other.
//
// What the pipeline promises:
//   - A page is parsed at most once, and not at all when no rule that matches it
//     asks for the tree. Links are then read off the tokens, and are the same
//     links that the tree would give. So are fields that are found by a name, a
//     class, an id or an attribute.
//   - Links are those that a browser without scripting could follow: inside
//     <noscript>, not inside <template>, resolved against the first <base href>,
//     http and https only, without fragments, each once a page.
//   - A plugin that returns an error costs its own records of that page; a plugin
//     that panics costs the page. Neither touches another page.
//   - Records and links of one page are bounded in number, and a cut is reported.
//   - A page's records get the same keys in every run.
//
// What it refuses: trees of pages that are not HTML, and HTML nested deeper than
// the 512 elements that golang.org/x/net/html accepts (its links are still read).
package extractors
