package crawler

import "github.com/amblecrawl/amble/crawler/urls"

// What a page takes from its extraction to its commit (tree, records, links) is
// estimated by its body and held against one bound, so that pages that grow
// large in memory wait for each other rather than add up.
const (
	// growth is how much larger than its body a page gets; a tree of many small
	// elements is the worst that is met.
	growth = 8
	// leastWeight is that of a small page.
	leastWeight = 64 << 10
	// batchesInMemory is the bound in batches: one that is being written, and
	// those that gather meanwhile.
	batchesInMemory = 16
)

// roomForPages is the bound, in bytes.
func (e *Engine) roomForPages() int64 {
	return max(batchesInMemory*e.set.BatchBytes, 4*leastWeight)
}

// weigh decides what the page with this answer holds. A larger one than half of
// the room is taken for that half, so that it can be had at all.
func (e *Engine) weigh(resp *Response) int64 {
	return min(max(growth*int64(len(resp.Body)), leastWeight), e.roomForPages()/2)
}

// release gives back what a page holds.
func (e *Engine) release(f *finished) {
	if f.left != (urls.Key{}) {
		e.elsewhere.remove(f.left)
	}
	if f.weight > 0 {
		e.memory.Release(f.weight)
		f.weight = 0
	}
}
