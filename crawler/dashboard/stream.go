package dashboard

import (
	"encoding/json"
	"net/http"
	"time"
)

// Times of a stream of events.
const (
	lookEach   = time.Second // at a run
	lookAll    = 2 * time.Second
	stillThere = 15 * time.Second // without a message
	readAllIn  = 10 * time.Second // a message, else the viewer is dropped
	streamFor  = 30 * time.Minute // then the viewer comes again by itself
)

// stream sends a topic as server-sent events (WHATWG HTML, section 9.2).
func (s *Server) stream(w http.ResponseWriter, r *http.Request, name string, every time.Duration, look func() any) {
	v, leave, ok := s.hub.join(name, every, func() []byte {
		data, _ := json.Marshal(look()) // our own types
		return data
	})
	if !ok {
		w.Header().Set("Retry-After", "30")
		s.fail(w, r, http.StatusServiceUnavailable, "too many watch already")
		return
	}
	defer leave()
	to := http.NewResponseController(w)
	if err := to.SetReadDeadline(time.Time{}); err != nil { // that of the request would end the stream
		s.fail(w, r, http.StatusInternalServerError, "the connection cannot be streamed to")
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("X-Accel-Buffering", "no") // for proxies in between
	send := func(text string) bool {
		if to.SetWriteDeadline(time.Now().Add(readAllIn)) != nil {
			return false
		}
		_, err := w.Write([]byte(text))
		return err == nil && to.Flush() == nil
	}
	if !send("retry: 2000\n\n") {
		return
	}
	over, still := time.NewTimer(streamFor), time.NewTicker(stillThere)
	defer over.Stop()
	defer still.Stop()
	for going := true; going; {
		select {
		case <-r.Context().Done():
			return
		case <-over.C:
			return
		case message := <-v.next:
			going = send("data: " + string(message) + "\n\n") // JSON has no line breaks
			still.Reset(stillThere)
		case <-still.C:
			going = send(": still there\n\n")
		}
	}
}
