package cmd

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// What stands in configs for the address of a receiver that outlives the crawls which
// are killed, and what signs its batches.
const (
	killHook   = "http://receiver.invalid/"
	killSecret = "a-secret-of-crawls-that-are-killed"
)

// killReceiver takes batches and drops those whose ID it knows, for each crawl, by
// the folder in its path.
var killReceiver = sync.OnceValue(func() *hookReceiver {
	r := &hookReceiver{bodies: map[string]map[string][]byte{}, runs: map[string]string{}}
	r.server = httptest.NewServer(r)
	return r
})

type hookReceiver struct {
	server *httptest.Server
	mu     sync.Mutex
	bodies map[string]map[string][]byte // by folder and ID
	runs   map[string]string            // the last run, by folder
	again  int
}

func hookOf(dir string) string { return killReceiver().server.URL + dir }

func (h *hookReceiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the crawl was killed meanwhile
	}
	id := r.Header.Get("Webhook-Id")
	mac := hmac.New(sha256.New, []byte(killSecret))
	_, _ = mac.Write(append([]byte(id+"."+r.Header.Get("Webhook-Timestamp")+"."), body...))
	if r.Header.Get("Webhook-Signature") != "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)) {
		http.Error(w, "wrong signature", http.StatusUnauthorized)
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.bodies[r.URL.Path] == nil {
		h.bodies[r.URL.Path] = map[string][]byte{}
	}
	if before, known := h.bodies[r.URL.Path][id]; known {
		h.again++
		if !bytes.Equal(before, body) {
			http.Error(w, "other records under the same ID", http.StatusConflict)
			return
		}
	}
	h.bodies[r.URL.Path][id] = body
	if first, _, ok := bytes.Cut(body, []byte("\n")); ok {
		var of record
		if json.Unmarshal(first, &of) == nil {
			h.runs[r.URL.Path] = of.text("_run")
		}
	}
}

// readHook gives the records of a type that a receiver has taken of the last run, since
// a crawl that is killed when it has just finished begins another: "folder?type".
func readHook(t *testing.T, path string) (records []record) {
	t.Helper()
	dir, kind, _ := strings.Cut(path, "?")
	h := killReceiver()
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, body := range h.bodies[dir] {
		for _, r := range parseLines(t, body) {
			if r.text("_type") == kind && r.text("_run") == h.runs[dir] {
				records = append(records, r)
			}
		}
	}
	return records
}

// repeated is how many batches came again so far.
func (h *hookReceiver) repeated() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.again
}
