package fixtures

import (
	"bytes"
	"net/http"
	"strings"
	"time"
)

// slowAnswers are those that take their time, some of them all of it.
// ?every= shortens a wait ("10ms"), for tests that have none to spare.
func slowAnswers() []exhibit {
	return []exhibit{
		{"/slow", []string{"/slow"}, "waits five seconds before it answers", slow},
		{"/drip", []string{"/drip"}, "sends a byte a second", drip},
		{"/endless", []string{"/endless"}, "sends a page that never ends", endless},
		{"/stall/body", []string{"/stall/body"}, "sends half a page, and then nothing", stallBody},
		{"/stall", []string{"/stall"}, "accepts the request and never answers", stall},
	}
}

// wait is the time between steps: that in ?every=, or otherwise d.
func wait(r *http.Request, d time.Duration) time.Duration {
	if every, err := time.ParseDuration(r.URL.Query().Get("every")); err == nil && every > 0 {
		return every
	}
	return d
}

func slow(w http.ResponseWriter, r *http.Request) {
	if pause(r.Context(), wait(r, 5*time.Second)) != nil {
		panic(http.ErrAbortHandler)
	}
	sendHTML(w, http.StatusOK, page("Slow", "<p>Thank you for waiting.</p>\n"))
}

func drip(w http.ResponseWriter, r *http.Request) {
	body := page("Drip", strings.Repeat("<p>drop</p>\n", 20))
	h := w.Header()
	h.Set("Content-Type", mediaTypes[".html"])
	flush := http.NewResponseController(w)
	for i := range body {
		if _, err := w.Write(body[i : i+1]); err != nil || flush.Flush() != nil {
			return
		}
		if pause(r.Context(), wait(r, time.Second)) != nil {
			panic(http.ErrAbortHandler)
		}
	}
}

func endless(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", mediaTypes[".html"])
	_, _ = w.Write([]byte("<!doctype html>\n<title>Endless</title>\n<h1>Endless</h1>\n"))
	chunk := bytes.Repeat([]byte("<p>and so on, and so forth</p>\n"), 128)
	for r.Context().Err() == nil {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
	panic(http.ErrAbortHandler) // so that it is never mistaken for a whole page
}

func stallBody(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", mediaTypes[".html"])
	w.Header().Set("Content-Length", "100000")
	_, _ = w.Write([]byte("<!doctype html>\n<title>Half a page</title>\n<h1>Half a page</h1>\n"))
	_ = http.NewResponseController(w).Flush()
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}

func stall(_ http.ResponseWriter, r *http.Request) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}
