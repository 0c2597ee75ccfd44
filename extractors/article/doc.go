// Package article is the extractor "article": what a page tells in prose, without
// the navigation, advertisements and comments around it, as text and as Markdown,
// with its title, authors, dates, language, description, site and image.
//
// Two engines find the text. "fast" is go-readability; "thorough" is go-trafilatura
// without its fallbacks, and is compiled in with the build tag full alone. The default
// is "fast" in every build, so that records do not depend on the build. Everything beside the text is read here, from what the
// page declares (JSON-LD, meta elements, microdata, the heading), in one stated
// order: both libraries guess where nothing is declared, one of them by the clock
// and in an order that changes from run to run, and a wrong date is worse than none.
//
// What it promises:
//   - A page gives one record, or none where it has no article (see Article).
//   - The same page gives the same record in every run.
//   - The page's tree is not changed: the engines work on a copy, which costs an
//     eighth of parsing the page again.
//   - An engine that panics costs its own record, not the page.
//   - A page that could keep an engine busy for long is refused by its size, since
//     neither engine can be interrupted: see the bounds in weight.go.
//
// What it refuses: pages in several parts are not joined, and text that scripts
// would load is not there.
package article
