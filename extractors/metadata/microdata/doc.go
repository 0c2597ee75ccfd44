// Package microdata reads the microdata of pages by the algorithm of the HTML
// standard (https://html.spec.whatwg.org/multipage/microdata.html): itemref in
// tree order, a value by its element, items that refer to each other in circles.
//
// It goes beyond the standard where pages and schema.org's own examples do: the
// attribute content counts on every element that has no value of its own, an item
// that is a property of nothing stands by itself, and text is as a reader sees it,
// with white space folded.
package microdata
