// Package markup reads HTML without building its tree.
//
// A [Scanner] gives the tokens of a page that lies in memory. They are those of
// golang.org/x/net/html's Tokenizer, at about a tenth of its cost: text is
// skipped by the search for the next "<", nothing is copied, and attributes are
// decoded when they are asked for. Most pages are read for their links alone, so
// that this is where much of a crawl's time goes. Of a tag's attributes the first
// 4,096 are read; [Scanner.Cut] tells of more.
//
// [Sparse] gives a tree that holds only the elements that some simple selectors
// may match, each with all that is below it, exactly as the whole tree would
// hold them. It reports that it can not where that takes a parser: implied
// elements that would matter, misnested formatting, foster parenting, templates.
//
// [Tree] makes the whole tree, where nothing has to be moved, and leaves the page
// to the library's parser elsewhere.
//
// What it promises is held by fuzzing against golang.org/x/net/html. It refuses
// to guess.
package markup
