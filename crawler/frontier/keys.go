package frontier

import (
	"encoding/binary"
	"math"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler/urls"
)

// Prefixes of the rows; doc.go tells what they hold.
const (
	metaRow  = 'm'
	valueRow = 'p'
	hostRow  = 'h'
	readyRow = 'r'
	stateRow = 'u'
	queueRow = 'q'
	dueRow   = 'd'
	chainRow = 'c'

	knownRow    = 'v'
	contentsRow = 'w'
)

const fpLen = len(urls.Key{})

// never is the instant after all others.
const never = int64(math.MaxInt64)

// orderKey sorts the requests of one host: priority, depth, discovery.
type orderKey [1 + 2 + 8 + fpLen]byte

// lastOrder is after every request and the zero orderKey before: sequence
// numbers start at one and never reach their last value.
var lastOrder = func() (k orderKey) {
	for i := range k {
		k[i] = 0xff
	}
	return k
}()

func makeOrder(prio uint8, depth uint16, seq uint64, fp urls.Key) (k orderKey) {
	k[0] = prio
	binary.BigEndian.PutUint16(k[1:], depth)
	binary.BigEndian.PutUint64(k[3:], seq)
	copy(k[11:], fp[:])
	return k
}

func (k *orderKey) priority() uint8 { return k[0] }
func (k *orderKey) depth() uint16   { return binary.BigEndian.Uint16(k[1:]) }
func (k *orderKey) fp() (fp urls.Key) {
	copy(fp[:], k[11:])
	return fp
}

func hashHost(name string) uint64 { return xxh3.HashString(name) }

func numbered(prefix byte, n uint64, room int) []byte {
	return binary.BigEndian.AppendUint64(append(make([]byte, 0, 9+room), prefix), n)
}

func metaKey(name string) []byte  { return append([]byte{metaRow}, name...) }
func valueKey(name string) []byte { return append([]byte{valueRow}, name...) }
func hostKey(id uint64) []byte    { return numbered(hostRow, id, 0) }

func stateKey(id uint64, fp urls.Key) []byte {
	return append(numbered(stateRow, id, fpLen), fp[:]...)
}

func queueKey(id uint64, o *orderKey) []byte {
	return append(numbered(queueRow, id, len(o)+1), o[:]...)
}

func readyKey(at int64, id uint64) []byte {
	return binary.BigEndian.AppendUint64(numbered(readyRow, uint64(at), 8), id)
}

func dueKey(at int64, id uint64, fp urls.Key) []byte {
	k := binary.BigEndian.AppendUint64(numbered(dueRow, uint64(at), 8+fpLen), id)
	return append(k, fp[:]...)
}

// readyPos is a place in the r rows.
type readyPos struct {
	at int64
	id uint64
}

func (p readyPos) before(q readyPos) bool {
	return p.at < q.at || p.at == q.at && p.id < q.id
}

// next is the first place after p.
func (p readyPos) next() readyPos {
	if p.id == math.MaxUint64 {
		return readyPos{at: p.at + 1}
	}
	return readyPos{at: p.at, id: p.id + 1}
}

func splitReadyKey(k []byte) (p readyPos, ok bool) {
	if len(k) != 17 {
		return p, false
	}
	return readyPos{int64(binary.BigEndian.Uint64(k[1:])), binary.BigEndian.Uint64(k[9:])}, true
}

func splitDueKey(k []byte) (at int64, id uint64, fp urls.Key, ok bool) {
	if len(k) != 17+fpLen {
		return 0, 0, fp, false
	}
	copy(fp[:], k[17:])
	return int64(binary.BigEndian.Uint64(k[1:])), binary.BigEndian.Uint64(k[9:]), fp, true
}

var lastInstant = time.Unix(0, math.MaxInt64-1)

// instant is t in Unix nanoseconds, clamped to what a key can hold: zero for
// the zero time and all before 1970.
func instant(t time.Time) int64 {
	switch {
	case t.IsZero() || t.Unix() < 0:
		return 0
	case t.After(lastInstant):
		return lastInstant.UnixNano()
	}
	return t.UnixNano()
}

// timeOf reverses instant.
func timeOf(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.Unix(0, at).UTC()
}
