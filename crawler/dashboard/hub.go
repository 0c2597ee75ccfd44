package dashboard

import (
	"bytes"
	"context"
	"sync"
	"time"
)

// hub gives those who watch the same thing the same messages: one look at it each
// time, however many they are, and none while there is nobody.
type hub struct {
	mu      sync.Mutex
	topics  map[string]*topic
	viewers int
}

// topic is one thing that is watched.
type topic struct {
	viewers map[*viewer]struct{}
	last    []byte
	stop    context.CancelFunc
}

// viewer holds at most one message: who is slow misses those between.
type viewer struct{ next chan []byte }

func newHub() *hub { return &hub{topics: map[string]*topic{}} }

// join makes a viewer of a topic, whose messages look makes at every interval; a
// message that is as the last one is not sent again. It fails when there are too
// many viewers.
func (h *hub) join(name string, every time.Duration, look func() []byte) (v *viewer, leave func(), ok bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.viewers >= maxViewers {
		return nil, nil, false
	}
	t := h.topics[name]
	if t == nil {
		ctx, stop := context.WithCancel(context.Background())
		t = &topic{viewers: map[*viewer]struct{}{}, stop: stop}
		h.topics[name] = t
		go h.tell(ctx, t, every, look)
	}
	v = &viewer{next: make(chan []byte, 1)}
	if t.last != nil {
		v.next <- t.last
	}
	t.viewers[v] = struct{}{}
	h.viewers++
	return v, sync.OnceFunc(func() { h.leave(name, t, v) }), true
}

func (h *hub) leave(name string, t *topic, v *viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(t.viewers, v)
	h.viewers--
	if len(t.viewers) == 0 {
		t.stop()
		delete(h.topics, name)
	}
}

// tell looks and passes on what it sees until nobody is left.
func (h *hub) tell(ctx context.Context, t *topic, every time.Duration, look func() []byte) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		h.pass(t, look())
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

func (h *hub) pass(t *topic, message []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if bytes.Equal(message, t.last) {
		return
	}
	t.last = message
	for v := range t.viewers {
		select {
		case <-v.next: // it has not read the one before
		default:
		}
		v.next <- message // there is room: nobody else puts anything there
	}
}
