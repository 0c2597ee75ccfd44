package crawler

import (
	"context"

	"golang.org/x/sync/semaphore"

	"github.com/amblecrawl/amble/crawler/urls"
)

// What a page takes from when it was received to its commit (tree, records,
// links) is estimated by its body and held against one bound, so that pages that
// grow large in memory wait for each other rather than add up. Until then its
// body is the fetcher's to bound.
const (
	// growth is how much larger than its body a page gets, beside its elements.
	growth = 4
	// markWeight is what a page takes for each "<": a node and the text behind it.
	markWeight = 2*nodeBytes + textBytes
	// leastWeight is that of a small page.
	leastWeight = 64 << 10
	// batchesInMemory is the bound in batches: one that is being written, and
	// those that gather meanwhile.
	batchesInMemory = 16
	// reserve is the part of the room that is for small pages alone, and small is
	// how many of them it takes at least. Pages wait in line, and a hostile one that
	// takes all of the room for seconds would keep them waiting too.
	reserve = 8
	small   = 8
)

// roomForPages is the bound, in bytes.
func (e *Engine) roomForPages() int64 {
	if e.set.Memory > 0 {
		return max(e.set.Memory, leastWeight)
	}
	return max(batchesInMemory*e.set.BatchBytes, 4*leastWeight)
}

// reserved is what small pages need not share.
func (e *Engine) reserved() int64 { return e.roomForPages() / reserve }

// weigh decides what a page with this body holds, which takes own for its reader
// beside. A larger one than the room has it for itself.
func (e *Engine) weigh(a Arrived, own int64) int64 {
	return min(max(growth*a.Size+markWeight*a.Elements+own, leastWeight), e.roomForPages()-e.reserved())
}

// admitFile waits for the memory of a file about a host.
func (w *worker) admitFile(ctx context.Context, a Arrived) error {
	return w.hold(ctx, w.engine.weigh(a, 0))
}

// admit waits for the memory of the page in hand.
func (w *worker) admit(l *Lease) func(context.Context, Arrived) error {
	return func(ctx context.Context, a Arrived) error {
		a.Size = max(a.Size, w.visit.size())
		own := int64(0)
		if f := w.engine.Weigh; f != nil && l.Kind == KindPage {
			own = f(NewPage(&l.Request, &Response{MediaType: a.MediaType}), a.Size)
		}
		return w.hold(ctx, w.engine.weigh(a, own))
	}
}

// hold waits for memory.
func (w *worker) hold(ctx context.Context, weight int64) error {
	w.small = weight <= w.engine.reserved()/small && !w.engine.memory.TryAcquire(weight)
	if w.small {
		if err := w.await(ctx, w.engine.reserve, weight); err != nil {
			return err
		}
	} else if weight > w.engine.reserved()/small {
		if err := w.await(ctx, w.engine.memory, weight); err != nil {
			return err
		}
	}
	w.weight = weight
	return nil
}

// await waits for room, and tells of it where there is none at once.
func (w *worker) await(ctx context.Context, room *semaphore.Weighted, weight int64) error {
	if room.TryAcquire(weight) {
		return nil
	}
	if tell := w.engine.Observer.Short; tell != nil {
		tell(true)
		defer tell(false)
	}
	return room.Acquire(ctx, weight)
}

// admitUnasked holds a page to the bound whose fetcher did not ask.
func (w *worker) admitUnasked(ctx context.Context, l *Lease, resp *Response) error {
	if w.weight > 0 {
		return nil
	}
	elements := int64(ElementsOf(resp.MediaType)(resp.Body))
	return w.admit(l)(ctx, Arrived{MediaType: resp.MediaType, Size: int64(len(resp.Body)), Elements: elements})
}

// fit gives a page its allowance, and looks at one whose tree may grow beyond its
// weight. One that would not fit is not to be made. Pages that outgrow their weight
// wait for room, or are read one at a time; done is to be called when this one was.
func (w *worker) fit(ctx context.Context, page *Page) (done func()) {
	e, body := w.engine, page.Response.Body
	a := &allowance{engine: e, weight: w.weight}
	page.memory = a
	if !page.IsHTML() || !mayGrow(body, max(e.roomForPages()/16, leastWeight)) {
		return a.end
	}
	size := treeSize(body)
	if most := a.most(); size > most {
		page.noTree = errTree(size, most)
		return a.end
	}
	_ = a.take(ctx, size) // or the run is over
	return a.end
}

// release gives back what a page holds.
func (e *Engine) release(f *finished) {
	if f.left != (urls.Key{}) {
		e.elsewhere.remove(f.left)
	}
	if f.weight > 0 {
		if f.small {
			e.reserve.Release(f.weight)
		} else {
			e.memory.Release(f.weight)
		}
		f.weight = 0
	}
}
