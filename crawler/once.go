package crawler

import (
	"context"
	"encoding/hex"
	"fmt"
)

// A request whose method is not safe is sent at most once, also when the process
// is killed: that it is about to be sent is noted in the frontier first, and
// taken back with its outcome. A lease that finds the note of an earlier process
// does not know what became of the request, and is not sent.

// keySent, followed by the key of a request, is where that is noted.
const keySent = "sent/"

// note is the name of the note about a request, "" where it may be repeated.
func (l *Lease) note() string {
	if l.Call.Repeatable() {
		return ""
	}
	return keySent + hex.EncodeToString(l.Key[:])
}

// uncertain reports whether an earlier process may have sent the request.
func (w *worker) uncertain(l *Lease) (bool, error) {
	name := l.note()
	if name == "" {
		return false, nil
	}
	noted, err := w.engine.Frontier.Get(name)
	if err != nil {
		return false, fmt.Errorf("looking up whether a request was sent: %w", err)
	}
	return noted != nil, nil
}

// announce notes that the request is about to be sent, or that it was not.
func (w *worker) announce(ctx context.Context, l *Lease, about bool) error {
	name := l.note()
	if name == "" {
		return nil
	}
	var value []byte
	if about {
		value = []byte{1}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), commitTimeout)
	defer cancel()
	if _, err := w.engine.Frontier.Commit(ctx, &Batch{Put: map[string][]byte{name: value}}); err != nil {
		return fmt.Errorf("noting that a request is sent: %w", err)
	}
	return nil
}

// mayRepeat reports whether a request that failed may be sent again.
func mayRepeat(l *Lease, err error) bool { return l.Call.Repeatable() || requestsSent(err) == 0 }

// unrepeated says why a request is not sent again.
func unrepeated(l *Lease, detail string) string {
	return detail + ", not tried again: " + l.Method() + " may have had its effect"
}

// given makes a request of what a link brings along.
func (l *Link) given(r *Request) {
	r.Call, r.Carry, r.Types = l.Call, l.Carry, l.Types
	if r.Call.Plain() {
		r.Call = nil
	}
	r.Row = l.Row
	if r.Kind == KindFile {
		r.Key, r.Row = FileKey(r.Key), 0 // rows have records of their own
	}
	r.Key = KeyOf(KeyOf(r.Key, r.Call.Digest()), r.Row)
}

// heldSize is the memory of what a request holds beyond its URL.
func (r *Request) heldSize() int64 {
	n := fieldsSize(r.Carry)
	if r.Call != nil {
		n += int64(len(r.Call.Body)) + requestOverhead
		for name, values := range r.Call.Header {
			n += int64(len(name)) + fieldOverhead
			for _, v := range values {
				n += int64(len(v))
			}
		}
	}
	return n
}
