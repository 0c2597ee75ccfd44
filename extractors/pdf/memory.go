package pdf

import (
	"context"

	"github.com/tetratelabs/wazero/experimental"

	"github.com/amblecrawl/amble/crawler"
)

// base is what an instance of PDFium takes for itself, before it has read a document
// and, for most, afterwards.
const base = 18 << 20

// Weigh is what reading a PDF takes: an instance and the document in it.
func (x *PDF) Weigh(mediaType string, size int64) int64 {
	if !isPDFType(mediaType) {
		return 0
	}
	return base + size
}

// allocator gives one instance its memory, as far as the page may have it.
type allocator struct {
	ctx     context.Context
	page    *crawler.Page
	done    func() // gives back what is reserved for it
	refused error  // why there was no more
}

// newAllocator asks for what an instance begins with, which must not fail later.
func newAllocator(ctx context.Context, p *crawler.Page) (*allocator, error) {
	done, err := p.Reserve(ctx, base)
	if err != nil {
		return nil, err
	}
	return &allocator{ctx: ctx, page: p, done: done}, nil
}

func (a *allocator) end() { a.done() }

// Allocate is called once for an instance.
func (a *allocator) Allocate(_, max uint64) experimental.LinearMemory {
	return &memory{allocator: a, max: max}
}

// memory is that of one instance. It grows by copying, in steps of a half; meanwhile
// the old and the new are held both.
type memory struct {
	*allocator
	max   uint64
	bytes []byte
}

// Reallocate returns nil where there is no room, which is to PDFium what the end of
// memory is to any program.
func (m *memory) Reallocate(size uint64) []byte {
	have := uint64(cap(m.bytes))
	if size <= have {
		m.bytes = m.bytes[:size]
		return m.bytes
	}
	grown := size
	if have > 0 || size > base {
		grown = max(size, min(have*3/2, m.max))
		done, err := m.page.Reserve(m.ctx, int64(grown))
		if err != nil {
			m.refused = err
			return nil
		}
		before := m.done
		m.done = done
		defer before()
	}
	bytes := make([]byte, size, grown)
	copy(bytes, m.bytes)
	m.bytes = bytes
	return bytes
}

// Free is called when the instance is gone.
func (m *memory) Free() { m.bytes = nil }
