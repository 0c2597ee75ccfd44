package frontier

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

var errCorrupt = errors.New("a row is not as it was written")

// reader takes values off the front of a row. After a short read it stays at
// the error, so that one check at the end suffices.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if n < 0 || n > len(r.b) {
		r.bad, r.b = true, nil
		return make([]byte, min(max(n, 0), 64))
	}
	out := r.b[:n]
	r.b = r.b[n:]
	return out
}

func (r *reader) byte() byte { return r.take(1)[0] }

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.bad, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) text() string {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return ""
	}
	return string(r.take(int(n)))
}

// bytes reads what appendText wrote; they are those of the row.
func (r *reader) bytes() []byte {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.bad, r.b = true, nil
		return nil
	}
	return r.take(int(n))
}

// number reads what is never below zero.
func (r *reader) number() int64 { return int64(min(r.uvarint(), math.MaxInt64)) }

func (r *reader) duration() time.Duration { return time.Duration(r.number()) }

// time reads what instant gave.
func (r *reader) time() time.Time { return timeOf(int64(min(r.uvarint(), lastTime))) }

func (r *reader) err() error {
	if r.bad {
		return errCorrupt
	}
	return nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// Flags of a request row.
const (
	wholeURL     = 1 << iota // the URL does not begin with the host's name
	hasReferrer              // a referrer's key follows
	hasRequested             // the head of a redirect chain follows
	hasThrough               // Request.Through follows
	hasCall                  // Request.Call follows
	hasCarry                 // Request.Carry follows
	hasTypes                 // Request.Types follow
	hasRow                   // Request.Row follows
)

// Flags beside the kind.
const (
	kindBits    = 1<<4 - 1
	hasModified = 1 << 4 // Request.Modified follows the flags' other parts
	isUnlinked  = 1 << 5
)

// attemptAt is the offset of the attempt in a request row, which a retry sets.
const attemptAt = 3

// encodeRequest writes what the order key and the host's name do not tell.
func encodeRequest(host string, r *crawler.Request) []byte {
	var flags byte
	rest, ok := strings.CutPrefix(r.URL.Fetch(), host)
	if !ok {
		rest, flags = r.URL.Fetch(), wholeURL
	}
	if r.Referrer != (urls.Key{}) {
		flags |= hasReferrer
	}
	if r.Requested != "" {
		flags |= hasRequested
	}
	if r.Through != 0 {
		flags |= hasThrough
	}
	if r.Call != nil {
		flags |= hasCall
	}
	if len(r.Carry) > 0 {
		flags |= hasCarry
	}
	if len(r.Types) > 0 {
		flags |= hasTypes
	}
	if r.Row != 0 {
		flags |= hasRow
	}
	b := make([]byte, 0, 5+fpLen+len(rest)+len(r.Requested)+4)
	kind := byte(r.Kind)
	if !r.Modified.IsZero() {
		kind |= hasModified
	}
	if r.Unlinked {
		kind |= isUnlinked
	}
	b = append(b, flags, kind, r.Hops, r.Attempt)
	if flags&hasThrough != 0 {
		b = append(b, r.Through)
	}
	if flags&hasReferrer != 0 {
		b = append(b, r.Referrer[:]...)
	}
	if flags&hasRequested != 0 {
		b = appendText(b, r.Requested)
	}
	if flags&hasCall != 0 {
		b = appendCall(b, r.Call)
	}
	if flags&hasCarry != 0 {
		b = appendFields(b, r.Carry, 0)
	}
	if flags&hasTypes != 0 {
		b = appendTexts(b, r.Types)
	}
	if flags&hasRow != 0 {
		b = binary.LittleEndian.AppendUint64(b, r.Row)
	}
	if kind&hasModified != 0 {
		b = binary.AppendUvarint(b, uint64(instant(r.Modified)))
	}
	return append(b, rest...)
}

func decodeRequest(host string, order *orderKey, row []byte) (crawler.Request, error) {
	r := reader{b: row}
	flags, kind := r.byte(), r.byte()
	q := crawler.Request{
		Key: order.fp(), Priority: order.priority(), Depth: order.depth(),
		Kind: crawler.Kind(kind & kindBits), Hops: r.byte(), Attempt: r.byte(), Unlinked: kind&isUnlinked != 0,
	}
	if flags&hasThrough != 0 {
		q.Through = r.byte()
	}
	if flags&hasReferrer != 0 {
		copy(q.Referrer[:], r.take(fpLen))
	}
	if flags&hasRequested != 0 {
		q.Requested = r.text()
	}
	if flags&hasCall != 0 {
		q.Call = r.call()
	}
	if flags&hasCarry != 0 {
		q.Carry = r.fields(0)
	}
	if flags&hasTypes != 0 {
		q.Types = r.texts()
	}
	if flags&hasRow != 0 {
		q.Row = binary.LittleEndian.Uint64(r.take(8))
	}
	if kind&hasModified != 0 {
		q.Modified = r.time()
	}
	if err := r.err(); err != nil {
		return q, fmt.Errorf("request of %s: %w", host, err)
	}
	raw := string(r.b)
	if flags&wholeURL == 0 {
		raw = host + raw
	}
	u, err := urls.Parse(raw)
	if err != nil {
		return q, fmt.Errorf("request of %s: %w: %w", host, errCorrupt, err)
	}
	q.URL = u
	return q, nil
}

// stands is the state of a u row.
type stands byte

const (
	standsQueued stands = iota + 1
	standsRetry
	standsSettled
)

func (s stands) String() string {
	switch s {
	case standsQueued:
		return "queued"
	case standsRetry:
		return "retry"
	}
	return "settled"
}

// verdict is a u row: where a URL stands and how its last attempt ended.
type verdict struct {
	stands  stands
	attempt uint8
	status  int
	class   crawler.Class
	detail  string
}

const maxDetail = 200

func encodeVerdict(v verdict) []byte {
	if v.stands == standsQueued {
		return []byte{byte(v.stands)}
	}
	v.detail = cutText(v.detail, maxDetail)
	b := make([]byte, 0, 8+len(v.class)+len(v.detail))
	b = append(b, byte(v.stands), v.attempt)
	b = binary.AppendUvarint(b, uint64(max(v.status, 0)))
	b = appendText(b, cutText(string(v.class), maxDetail))
	return append(b, v.detail...)
}

// cutText keeps at most n bytes of s, whole characters only.
func cutText(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func (v *verdict) export(s *crawler.Standing) {
	s.State, s.Class, s.Status = v.stands.String(), v.class, v.status
	s.Detail, s.Attempt = v.detail, int(v.attempt)
}

func decodeVerdict(row []byte) (verdict, error) {
	r := reader{b: row}
	v := verdict{stands: stands(r.byte())}
	if v.stands != standsQueued {
		v.attempt = r.byte()
		v.status = int(r.uvarint())
		v.class = crawler.Class(r.text())
		v.detail = string(r.b)
	}
	return v, r.err()
}

// hostState is a crawler.HostState in the frontier's units.
type hostState struct {
	notBefore   int64
	spacing     int64
	concurrency int
	opaque      []byte
}

func (f *Frontier) fromState(s crawler.HostState) hostState {
	return hostState{
		notBefore:   f.clock.inside(s.NotBefore),
		spacing:     max(int64(s.Spacing), 0),
		concurrency: max(s.Concurrency, 1),
		opaque:      append([]byte(nil), s.Opaque...),
	}
}

func (f *Frontier) export(s *hostState) crawler.HostState {
	return crawler.HostState{
		NotBefore:   f.clock.outside(s.notBefore),
		Spacing:     time.Duration(s.spacing),
		Concurrency: s.concurrency,
		Opaque:      append([]byte(nil), s.opaque...),
	}
}

// hostRecord is an h row.
type hostRecord struct {
	name    string
	state   hostState
	readyAt int64 // the time in the host's r row, 0 without one
}

func encodeHost(h *hostRecord) []byte {
	b := make([]byte, 0, 32+len(h.name)+len(h.state.opaque))
	b = binary.AppendUvarint(b, uint64(h.readyAt))
	b = binary.AppendUvarint(b, uint64(h.state.notBefore))
	b = binary.AppendUvarint(b, uint64(h.state.spacing))
	b = binary.AppendUvarint(b, uint64(h.state.concurrency))
	b = appendText(b, h.name)
	return append(b, h.state.opaque...)
}

func decodeHost(row []byte) (hostRecord, error) {
	r := reader{b: row}
	h := hostRecord{readyAt: int64(r.uvarint())}
	h.state.notBefore = int64(r.uvarint())
	h.state.spacing = int64(r.uvarint())
	h.state.concurrency = max(int(r.uvarint()), 1)
	h.name = r.text()
	h.state.opaque = append([]byte(nil), r.b...)
	return h, r.err()
}

// counts are the counters that every batch writes.
type counts struct {
	seen, settled, hosts int64
	duplicates           int64  // links to what was already seen
	seq                  uint64 // the last sequence number given
	commit               uint64 // the last commit's number
}

func (c *counts) encode() []byte {
	b := binary.AppendUvarint(nil, uint64(c.seen))
	b = binary.AppendUvarint(b, uint64(c.settled))
	b = binary.AppendUvarint(b, uint64(c.hosts))
	b = binary.AppendUvarint(b, uint64(c.duplicates))
	b = binary.AppendUvarint(b, c.seq)
	return binary.AppendUvarint(b, c.commit)
}

// decodeCounts reads the counts that a format had.
func decodeCounts(row []byte, format int) (counts, error) {
	r := reader{b: row}
	c := counts{seen: int64(r.uvarint()), settled: int64(r.uvarint()), hosts: int64(r.uvarint()), duplicates: int64(r.uvarint()), seq: r.uvarint()}
	if format > 1 {
		c.commit = r.uvarint()
	}
	return c, r.err()
}
