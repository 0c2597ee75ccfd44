package crawler

import "context"

// Reference is a link as a page has it: what it refers to, and what goes with the
// request that it makes.
type Reference struct {
	Ref      string // relative to the page's base
	NoFollow bool   // rel="nofollow" and its kin
	Call     *Call
	Carry    []Field
}

// LinkFinder finds what one link rule of a crawl leads to. Like an extractor its
// struct is its configuration, and it is used by several goroutines at once. It may
// be a Validator, and a TreeReader: one that needs the tree is not asked about pages
// that are not HTML.
type LinkFinder interface {
	// Simple gives a CSS selector and the attribute that holds the reference, where
	// the rule is no more than these. They are then looked for without Find.
	Simple() (css, attr string, ok bool)
	// Find calls found with each reference until found returns false. What is not as
	// asked goes to e; an error fails the rule on this page.
	Find(ctx context.Context, p *Page, e *Emitter, found func(Reference) bool) error
}
