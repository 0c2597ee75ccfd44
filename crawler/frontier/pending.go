package frontier

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"iter"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Pending is a request without a final outcome.
type Pending struct {
	crawler.Request
	Name string // of the host
	// NotBefore is the time of the next attempt, zero for what is queued.
	NotBefore time.Time
	// Class, Status and Detail are those of the attempt before, if there was one.
	Class  crawler.Class
	Status int
	Detail string
}

// Pending yields what is queued, host by host and in its order, and then what
// waits for another attempt. Memory does not grow with their number. A row that
// cannot be used is an error, after which the others follow where the store
// can still be read.
func (r *Reader) Pending(ctx context.Context) iter.Seq2[Pending, error] {
	return func(yield func(Pending, error) bool) {
		var host hostRecord
		hostID, known := uint64(0), false
		each := func(id uint64, order *orderKey, row []byte, at int64) (bool, error) {
			if err := ctx.Err(); err != nil {
				return false, err
			}
			if !known || id != hostID {
				rec, err := r.store.host(id)
				if err != nil {
					return false, err
				}
				if rec == nil {
					return yield(Pending{}, fmt.Errorf("%w: the host %016x of a request is not known", ErrDamaged, id)), nil
				}
				host, hostID, known = *rec, id, true
			}
			p, err := r.pending(id, host.name, order, row, at)
			if err != nil {
				return yield(Pending{}, err), nil
			}
			return yield(p, nil), nil
		}
		more := true
		err := r.store.scan([]byte{queueRow}, []byte{queueRow + 1}, func(k, v []byte) (_ bool, err error) {
			id, order, ok := splitQueueKey(k)
			if !ok {
				return false, errCorrupt
			}
			more, err = each(id, &order, v, 0)
			return more, err
		})
		if err == nil && more {
			err = r.store.scan([]byte{dueRow}, []byte{dueRow + 1}, func(k, v []byte) (_ bool, err error) {
				at, id, fp, ok := splitDueKey(k)
				if !ok {
					return false, errCorrupt
				}
				order, row, err := splitDueRow(fp, v)
				if err != nil {
					return false, err
				}
				more, err = each(id, &order, row, at)
				return more, err
			})
		}
		if err != nil {
			yield(Pending{}, err)
		}
	}
}

func (r *Reader) pending(id uint64, host string, order *orderKey, row []byte, at int64) (Pending, error) {
	q, err := decodeRequest(host, order, row)
	p := Pending{Request: q, Name: host, NotBefore: timeOf(at)}
	if err != nil || q.Attempt == 0 {
		return p, err
	}
	state, err := r.store.get(stateKey(id, q.Key))
	if err != nil || state == nil {
		return p, err
	}
	v, err := decodeVerdict(state)
	p.Class, p.Status, p.Detail = v.class, v.status, v.detail
	return p, err
}

// Census counts the URLs of a state by where they stand.
type Census struct {
	Seen     int64                   `json:"seen"`
	Queued   int64                   `json:"queued"` // retries whose time has come included
	Retry    int64                   `json:"retry"`
	Settled  int64                   `json:"settled"`
	Outcomes map[crawler.Class]int64 `json:"outcomes"` // of the settled
	Hosts    int64                   `json:"hosts"`
	// Busy hosts have requests queued, Largest those with the most.
	Busy    int64       `json:"hosts_with_queue"`
	Largest []HostCount `json:"largest_queues"`
}

// HostCount is a host and how many requests it has queued.
type HostCount struct {
	Host   string `json:"host"`
	Queued int64  `json:"queued"`
}

const maxLargest = 10

// Census reads all states of URLs, in memory that does not grow with them.
func (r *Reader) Census(ctx context.Context) (Census, error) {
	c := Census{Seen: r.counts.seen, Hosts: r.counts.hosts, Outcomes: map[crawler.Class]int64{}}
	err := r.store.scan([]byte{stateRow}, []byte{stateRow + 1}, func(_, v []byte) (bool, error) {
		state, err := decodeVerdict(v)
		switch state.stands {
		case standsSettled:
			c.Settled++
			c.Outcomes[state.class]++
		case standsRetry:
			c.Retry++
		default:
			c.Queued++
		}
		return err == nil, cmp.Or(err, ctx.Err())
	})
	if err != nil {
		return c, err
	}
	return c, r.queues(ctx, &c)
}

// queues counts the q rows of each host.
func (r *Reader) queues(ctx context.Context, c *Census) error {
	var largest []idCount
	var now idCount
	done := func() {
		if now.n == 0 {
			return
		}
		c.Busy++
		largest = keepLargest(largest, now)
	}
	err := r.store.scan([]byte{queueRow}, []byte{queueRow + 1}, func(k, _ []byte) (bool, error) {
		id, _, ok := splitQueueKey(k)
		if !ok {
			return false, errCorrupt
		}
		if id != now.id {
			done()
			now = idCount{id: id}
		}
		now.n++
		return true, ctx.Err()
	})
	if err != nil {
		return err
	}
	done()
	for _, l := range largest {
		rec, err := r.store.host(l.id)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("%016x", l.id)
		if rec != nil {
			name = rec.name
		}
		c.Largest = append(c.Largest, HostCount{name, l.n})
	}
	return nil
}

type idCount struct {
	id uint64
	n  int64
}

// keepLargest puts one more into a short list in falling order.
func keepLargest(list []idCount, one idCount) []idCount {
	at := len(list)
	for at > 0 && list[at-1].n < one.n {
		at--
	}
	if at == maxLargest {
		return list
	}
	list = append(list, idCount{})
	copy(list[at+1:], list[at:])
	list[at] = one
	return list[:min(len(list), maxLargest)]
}

func splitQueueKey(k []byte) (id uint64, order orderKey, ok bool) {
	if len(k) != 9+len(order) {
		return 0, order, false
	}
	copy(order[:], k[9:])
	return binary.BigEndian.Uint64(k[1:]), order, true
}

func splitStateKey(k []byte) (id uint64, fp urls.Key, ok bool) {
	if len(k) != 9+fpLen {
		return 0, fp, false
	}
	copy(fp[:], k[9:])
	return binary.BigEndian.Uint64(k[1:]), fp, true
}

// splitDueRow gives the q row that a d row was made of.
func splitDueRow(fp urls.Key, v []byte) (order orderKey, row []byte, err error) {
	n := len(order) - fpLen
	if len(v) < n {
		return order, nil, errCorrupt
	}
	copy(order[:n], v)
	copy(order[n:], fp[:])
	return order, v[n:], nil
}
