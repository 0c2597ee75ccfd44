package frontier

import (
	"encoding/binary"
	"slices"

	"github.com/amblecrawl/amble/crawler/urls"
)

// seenCache remembers fingerprints known to be in the store, so that most
// links to known pages need no lookup. It is a fixed table of small buckets
// that forgets the oldest of a bucket; what it forgot is looked up again. It is
// used by the one writer only.
type seenCache struct {
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
	return slices.Contains(c.bucket(&fp)[:], fp)
}

func (c *seenCache) add(fp urls.Key) {
	b := c.bucket(&fp)
	copy(b[1:], b[:seenWays-1])
	b[0] = fp
}
