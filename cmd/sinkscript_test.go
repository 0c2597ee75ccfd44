package cmd

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/rogpeppe/go-internal/testscript"
)

// scriptReceiver serves a receiver of webhooks at the address $NAME. It notes each batch
// that it takes in FILE, and answers as FILE.mood says where that is there: a status, slow,
// or html; "503 2" is so for two batches.
func scriptReceiver(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, len(args) == 2, "receiver NAME FILE")
	r := &scriptedReceiver{path: ts.MkAbs(args[1]), taken: map[string]bool{}}
	s := httptest.NewServer(r)
	ts.Defer(s.Close)
	ts.Setenv(args[0], s.URL)
}

type scriptedReceiver struct {
	path string

	mu    sync.Mutex
	taken map[string]bool
	times int // that it was in its mood
}

func (s *scriptedReceiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	mood, _ := os.ReadFile(s.path + ".mood") // none: a good one
	what, most, bounded := strings.Cut(strings.TrimSpace(string(mood)), " ")
	if n, err := strconv.Atoi(most); bounded && err == nil && s.times >= n {
		what = ""
	}
	s.times++
	switch what {
	case "slow":
		time.Sleep(100 * time.Millisecond)
	case "html":
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<html><body>It works!</body></html>")
		return
	case "":
	default:
		status, _ := strconv.Atoi(what)
		http.Error(w, "no", status)
		return
	}
	id := r.Header.Get("Webhook-Id")
	again := s.taken[id]
	s.taken[id] = true
	f, err := os.OpenFile(s.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "%s again=%t records=%d signed=%t\n", r.Header.Get("Content-Type"), again, bytes.Count(body, []byte("\n")), r.Header.Get("Webhook-Signature") != "")
}

// scriptBucket serves a bucket "shelf" of S3 at the address $NAME. What is put into it
// stands in FILE; while FILE.mood is there it answers to writing with the code in it, as
// S3 does: "403 AccessDenied", or "403 AccessDenied 2" once two objects are there.
func scriptBucket(ts *testscript.TestScript, neg bool, args []string) {
	wantArgs(ts, neg, len(args) == 2, "bucket NAME FILE")
	backend := s3mem.New()
	ts.Check(backend.CreateBucket("shelf"))
	next, path := gofakes3.New(backend).Server(), ts.MkAbs(args[1])
	var mu sync.Mutex
	put := 0
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		mood, err := os.ReadFile(path + ".mood")
		words := append(strings.Fields(string(mood)), "", "", "")
		after, _ := strconv.Atoi(words[2])
		if code := words[1]; err == nil && put >= after && r.Method != http.MethodGet && r.Method != http.MethodHead {
			n, _ := strconv.Atoi(words[0])
			w.Header().Set("Content-Type", "application/xml")
			w.WriteHeader(n)
			fmt.Fprintf(w, "<?xml version=\"1.0\"?><Error><Code>%s</Code><Message>no</Message></Error>", code)
			return
		}
		if r.Method == http.MethodPut && r.ContentLength > 0 {
			put++
			if f, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err == nil {
				fmt.Fprintf(f, "PUT %s\n", r.URL.Path)
				_ = f.Close()
			}
		}
		next.ServeHTTP(w, r)
	}))
	ts.Defer(s.Close)
	ts.Setenv(args[0], s.URL)
}
