package frontier

import (
	"encoding/binary"
	"slices"
	"sync"

	"github.com/amblecrawl/amble/crawler/urls"
)

// seenCache remembers fingerprints known to be in the store, so that most
// links to known pages need no lookup. It is a fixed table of small buckets
// that forgets the oldest of a bucket; what it forgot is looked up again. The one
// writer fills it; others may ask.
type seenCache struct {
	mu      sync.RWMutex
	buckets [][seenWays]urls.Key
	mask    uint64
}

const seenWays = 4

func newSeenCache(size int) *seenCache {
	n := 1
	for n*2*seenWays*fpLen <= size {
		n *= 2
	}
	return &seenCache{buckets: make([][seenWays]urls.Key, n), mask: uint64(n - 1)}
}

func (c *seenCache) bucket(fp *urls.Key) *[seenWays]urls.Key {
	return &c.buckets[binary.LittleEndian.Uint64(fp[:])&c.mask]
}

func (c *seenCache) has(fp urls.Key) bool {
	if fp == (urls.Key{}) {
		return false // stands for an empty place
	}
	c.mu.RLock()
	defer c.mu.RUnlock()
	return slices.Contains(c.bucket(&fp)[:], fp)
}

// hasAll tells which of some fingerprints, one behind the other, are there.
func (c *seenCache) hasAll(keys []byte) []bool {
	has := make([]bool, len(keys)/fpLen)
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i := range has {
		fp := urls.Key(keys[i*fpLen:])
		has[i] = fp != (urls.Key{}) && slices.Contains(c.bucket(&fp)[:], fp)
	}
	return has
}

func (c *seenCache) add(fp urls.Key) {
	c.mu.Lock()
	defer c.mu.Unlock()
	b := c.bucket(&fp)
	copy(b[1:], b[:seenWays-1])
	b[0] = fp
}
