package frontier

import (
	"encoding/binary"
	"math/bits"
	"sync/atomic"

	"github.com/amblecrawl/amble/crawler/urls"
)

// seenFilter tells of nearly every URL that was never seen that it is new, so
// that it need not be looked up: most look-ups would find nothing, in every
// level of the store. What it does not tell is looked up. It holds the URLs that
// the store had when it was opened, once they have been read, and those since.
//
// All of it is for the one writer, save for the reading, which has a goroutine
// of its own.
type seenFilter struct {
	left   int // bytes that may still be taken
	layers []keyBloom
	// old are the URLs of the time of opening; nil until they have been read, and
	// for good where there is no room for them.
	old atomic.Pointer[keyBloom]

	stop chan struct{}
	done chan struct{} // closed when the reading has ended
}

const (
	// filterBits for each URL let one in a thousand pass that is new.
	filterBits = 16
	// worthwhile is the least that a filter needs to tell enough of them apart.
	worthwhile = 6
	// firstLayer is how many URLs the first layer has room for. Each further one
	// has four times as much, so that a large filter has few.
	firstLayer  = 128 << 10
	layerGrowth = 4
)

func newSeenFilter(size int) *seenFilter {
	s := &seenFilter{left: size, stop: make(chan struct{}), done: make(chan struct{})}
	close(s.done)
	return s
}

// open reads the URLs of a store that has n, in the background when they are more
// than a number. It ends by itself, or by close.
func (s *seenFilter) open(store *store, n, atOnce int64) error {
	room := bloomRoom(n, s.left/4*3) // the rest is for what is to come
	if n > 0 && room < bytesFor(n, worthwhile) {
		return nil // old stays nil
	}
	s.left -= room
	if n <= atOnce {
		return s.read(store, room)
	}
	s.done = make(chan struct{})
	go func() {
		defer close(s.done)
		_ = s.read(store, room) // which fails the store
	}()
	return nil
}

func (s *seenFilter) read(store *store, room int) error {
	old, n := newBloom(room), 0
	stopped := false
	err := store.scan([]byte{stateRow}, []byte{stateRow + 1}, func(k, _ []byte) (bool, error) {
		_, fp, ok := splitStateKey(k)
		if !ok {
			return false, errCorrupt
		}
		old.add(&fp)
		if n++; n%1024 == 0 {
			select {
			case <-s.stop:
				stopped = true
			default:
			}
		}
		return !stopped, nil
	})
	if err == nil && !stopped {
		s.old.Store(&old)
	}
	return err
}

// close ends the reading. What a failed store holds up is left behind.
func (s *seenFilter) close(store *store) {
	close(s.stop)
	select {
	case <-s.done:
	case <-store.failed:
	}
}

// isNew tells that a URL is surely not in the store.
func (s *seenFilter) isNew(fp *urls.Key) bool {
	old := s.old.Load()
	if old == nil || old.has(fp) {
		return false
	}
	for i := range s.layers {
		if s.layers[i].has(fp) {
			return false
		}
	}
	return true
}

// add takes in a URL that is in the store now. Where there is no more room for a
// layer the last one takes all, and lets ever more pass.
func (s *seenFilter) add(fp *urls.Key) {
	last := len(s.layers) - 1
	if last < 0 || s.layers[last].free == 0 && s.left >= bytesFor(firstLayer, filterBits) {
		n := int64(firstLayer)
		if last >= 0 {
			n = layerGrowth * s.layers[last].room()
		}
		room := bloomRoom(n, s.left)
		s.left -= room
		s.layers = append(s.layers, newBloom(room))
		last++
	}
	s.layers[last].add(fp)
}

// keyBloom is a Bloom filter in blocks of the size of a cache line; a key sets one
// bit in each word of its block.
type keyBloom struct {
	blocks []bloomBlock
	free   int64 // how many keys it has room for
}

type bloomBlock [8]uint64

const blockBytes = 64

func bytesFor(n int64, bitsEach int) int { return int(n * int64(bitsEach) / 8) }

// bloomRoom is the size for n keys that a bound leaves.
func bloomRoom(n int64, most int) int { return max(0, min(bytesFor(n, filterBits), most)) }

func newBloom(size int) keyBloom {
	b := keyBloom{blocks: make([]bloomBlock, max(1, size/blockBytes))}
	b.free = b.room()
	return b
}

func (b *keyBloom) room() int64 { return int64(len(b.blocks)) * blockBytes * 8 / filterBits }

// place finds a key's block, and gives the bits to choose in it.
func (b *keyBloom) place(fp *urls.Key) (block *bloomBlock, choice uint64) {
	i, _ := bits.Mul64(binary.LittleEndian.Uint64(fp[:]), uint64(len(b.blocks)))
	return &b.blocks[i], binary.LittleEndian.Uint64(fp[8:])
}

func (b *keyBloom) add(fp *urls.Key) {
	block, choice := b.place(fp)
	for i := range block {
		block[i] |= 1 << (choice & 63)
		choice >>= 6
	}
	if b.free > 0 {
		b.free--
	}
}

func (b *keyBloom) has(fp *urls.Key) bool {
	block, choice := b.place(fp)
	for i := range block {
		if block[i]&(1<<(choice&63)) == 0 {
			return false
		}
		choice >>= 6
	}
	return true
}
