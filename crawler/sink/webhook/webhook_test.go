package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink/sinktest"
)

// receiver takes batches, drops the IDs that it knows, and now and then loses its
// answer, or fails before it has taken anything. Each path is a receiver of its own.
type receiver struct {
	mu    sync.Mutex
	rows  map[string][]sinktest.Row
	taken map[string]string // body by ID
	asked int
	again int // batches that came again
	fault func(asked int) bool
}

func newReceiver(t *testing.T, fault func(asked int) bool) (*receiver, string) {
	r := &receiver{rows: map[string][]sinktest.Row{}, taken: map[string]string{}, fault: fault}
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	return r, server.URL
}

func (rc *receiver) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	rc.mu.Lock()
	defer rc.mu.Unlock()
	rc.asked++
	faulty := rc.fault != nil && rc.fault(rc.asked)
	if faulty && rc.asked%2 == 0 {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	id := r.URL.Path + " " + r.Header.Get("Webhook-Id")
	if before, known := rc.taken[id]; known {
		rc.again++
		if before != string(body) {
			http.Error(w, "other records under the same ID", http.StatusConflict)
			return
		}
	} else {
		rc.taken[id] = string(body)
		for line := range bytes.Lines(body) {
			var row struct {
				Type   string `json:"_type"`
				Key    string `json:"_key"`
				Text   string `json:"text"`
				Number int64  `json:"number"`
			}
			if err := json.Unmarshal(line, &row); err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			rc.rows[r.URL.Path] = append(rc.rows[r.URL.Path], sinktest.Row(row))
		}
	}
	if faulty {
		panic(http.ErrAbortHandler) // the answer is lost
	}
	w.WriteHeader(http.StatusNoContent)
}

// hasty is a clock on which every wait is over at once.
type hasty struct {
	mu  sync.Mutex
	now time.Time
}

func (h *hasty) Now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.now.IsZero() {
		h.now = time.Unix(1_700_000_000, 0)
	}
	return h.now
}

func (h *hasty) After(d time.Duration) <-chan time.Time {
	now := h.Now().Add(d)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.now = now
	done := make(chan time.Time, 1)
	done <- now
	return done
}

func newHook(url string) *Webhook {
	return &Webhook{URL: url, Format: "jsonl", Records: 3, Wait: time.Hour, Timeout: time.Minute, Patience: time.Minute, clock: &hasty{}}
}

func TestSuite(t *testing.T) {
	rc, url := newReceiver(t, func(asked int) bool { return asked%5 == 0 })
	sinktest.RunReceiver(t, sinktest.Subject{
		New: func(folder string) crawler.Sink { return newHook(url + folder) },
		Read: func(folder string) ([]sinktest.Row, error) {
			rc.mu.Lock()
			defer rc.mu.Unlock()
			return append([]sinktest.Row(nil), rc.rows[folder]...), nil
		},
		Abandon: func(_ interface{ Fatalf(string, ...any) }, sink crawler.Sink, _ string) { _ = sink.Close() },
	})
	if rc.again == 0 {
		t.Error("no batch came again: the test has not tested it")
	}
}

func runInfo(t *testing.T) crawler.RunInfo {
	return crawler.RunInfo{Crawl: "c", ID: "run", Started: time.Unix(0, 0), Folder: filepath.Join(t.TempDir(), "hook")}
}

func books(n int) []crawler.Record {
	records := make([]crawler.Record, n)
	for i := range records {
		records[i] = crawler.Record{Type: "book", Key: fmt.Sprint("k", i), Fields: []crawler.Field{{Name: "text", Value: "t"}}}
	}
	return records
}

// send commits records and returns what came of handing them on.
func send(t *testing.T, w *Webhook, n int) error {
	t.Helper()
	return sendOf(t, runInfo(t), w, n)
}

func sendOf(t *testing.T, run crawler.RunInfo, w *Webhook, n int) error {
	t.Helper()
	if err := w.Open(t.Context(), run, nil); err != nil {
		t.Fatal(err)
	}
	if err := w.Write(t.Context(), books(n)); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return errors.Join(w.Deliver(t.Context()), w.Close())
}

// The signature is that of the Standard Webhooks specification's own example.
func TestSignature(t *testing.T) {
	key, err := signingKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := sign(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if _, err := signingKey("whsec_not base64"); err == nil {
		t.Error("a broken secret is taken")
	}
}

func TestRequests(t *testing.T) {
	var heads []http.Header
	var bodies []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		heads, bodies = append(heads, r.Header), append(bodies, string(body))
	}))
	defer server.Close()
	w := newHook(server.URL)
	w.Format, w.Secret, w.Headers = "json", "plain text", map[string]string{"authorization": "Bearer x"}
	if err := send(t, w, 4); err != nil {
		t.Fatal(err)
	}
	if len(bodies) != 2 || !json.Valid([]byte(bodies[0])) || strings.Count(bodies[0], "_key") != 3 || strings.Count(bodies[1], "_key") != 1 {
		t.Fatalf("%q", bodies)
	}
	h := heads[1]
	if got := h.Get("Webhook-Id"); got != "run-hook-1-4-4" || got != h.Get("Idempotency-Key") || heads[0].Get("Webhook-Id") == got {
		t.Errorf("the ID is %q", got)
	}
	if got := h.Get("Webhook-Signature"); got != sign([]byte("plain text"), h.Get("Webhook-Id"), h.Get("Webhook-Timestamp"), []byte(bodies[1])) {
		t.Errorf("the signature is %q", got)
	}
	if h.Get("Authorization") != "Bearer x" || h.Get("Content-Type") != "application/json" {
		t.Errorf("%v", h)
	}
}

func TestAnswers(t *testing.T) {
	page := "<!DOCTYPE html><title>Welcome</title>"
	for _, c := range []struct {
		name  string
		reply func(asked int, w http.ResponseWriter)
		asked int
		want  string
	}{
		{"taken", func(int, http.ResponseWriter) {}, 1, ""},
		{"better the third time", func(n int, w http.ResponseWriter) { w.WriteHeader([]int{500, 429, 200}[n-1]) }, 3, ""},
		{"busy", func(n int, w http.ResponseWriter) {
			if w.Header().Set("Retry-After", "50"); n == 1 {
				w.WriteHeader(503)
			}
		}, 2, ""},
		{"busy for too long", func(_ int, w http.ResponseWriter) { w.Header().Set("Retry-After", "3600"); w.WriteHeader(429) }, 1, "status 429"},
		{"never", func(_ int, w http.ResponseWriter) { w.WriteHeader(502) }, 6, "tried in vain for 31s: it answered with status 502"},
		{"refused", func(_ int, w http.ResponseWriter) { http.Error(w, "wrong\nsignature", http.StatusUnauthorized) }, 1, `status 401: "wrong signature" (see that the secret`},
		{"too large", func(_ int, w http.ResponseWriter) { w.WriteHeader(413) }, 1, "lower records"},
		{"led elsewhere", func(_ int, w http.ResponseWriter) { w.Header().Set("Location", "/"); w.WriteHeader(307) }, 1, "status 307"},
		{"a page", func(_ int, w http.ResponseWriter) { _, _ = io.WriteString(w, page) }, 1, `status 200: "a page of HTML"`},
		{"endless", func(_ int, w http.ResponseWriter) { _, _ = w.Write(make([]byte, 10<<20)) }, 1, ""},
		{"cut off", func(n int, w http.ResponseWriter) {
			if n == 1 {
				panic(http.ErrAbortHandler)
			}
		}, 2, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var requests atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { c.reply(int(requests.Add(1)), w) }))
			defer server.Close()
			err := send(t, newHook(server.URL+"/hooks/secretsecret"), 3)
			asked := int(requests.Load())
			if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, crawler.ErrStop) || !strings.Contains(err.Error(), c.want)) || asked != c.asked {
				t.Errorf("asked %d times: %v", asked, err)
			}
			if err != nil && strings.Contains(err.Error(), "secretsecret") {
				t.Errorf("the address is in %v", err)
			}
		})
	}
}

// Who looks on is told why the run stands still, of waits that are worth a word, without
// the address.
func TestWaitsAreTold(t *testing.T) {
	for asked, want := range map[int]int{1: 0, 2: 0, 3: 1, 5: 3} { // pauses of 1, 2, 4, 8 and 16 seconds
		var tries atomic.Int64
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if int(tries.Add(1)) <= asked {
				w.WriteHeader(503)
			}
		}))
		var log bytes.Buffer
		run := runInfo(t)
		run.Log = slog.New(slog.NewTextHandler(&log, nil))
		if err := sendOf(t, run, newHook(server.URL+"/secretsecret"), 3); err != nil {
			t.Error(err)
		}
		server.Close()
		if got := strings.Count(log.String(), "the run waits for an output"); got != want || strings.Contains(log.String(), "secretsecret") {
			t.Errorf("%d failures are told %d times: %s", asked, got, &log)
		}
	}
}

// A receiver that never answers ends with its time, and so does one that is not there.
func TestNobodyAnswers(t *testing.T) {
	hang := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer server.Close()
	defer close(hang)
	w := newHook(server.URL + "/secretsecret")
	w.Timeout, w.Patience = 20*time.Millisecond, 0
	if err := send(t, w, 3); !errors.Is(err, crawler.ErrStop) || !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "secretsecret") {
		t.Error(err)
	}
	w = newHook("http://127.0.0.1:1/secretsecret")
	if err := send(t, w, 3); !errors.Is(err, crawler.ErrStop) || !strings.Contains(err.Error(), "refused") || strings.Contains(err.Error(), "secretsecret") {
		t.Error(err)
	}
}

// What waits is sent when it is old enough.
func TestWait(t *testing.T) {
	rc, url := newReceiver(t, nil)
	w := newHook(url)
	c := &hasty{}
	w.clock, w.Wait = c, 5*time.Second
	if err := w.Open(t.Context(), runInfo(t), nil); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{0, 0, 1} {
		if err := w.Write(t.Context(), books(1-min(i, 1))); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := w.Deliver(t.Context()); err != nil {
			t.Fatal(err)
		}
		if rc.asked != want {
			t.Errorf("after %d s: %d batches, want %d", 3*i, rc.asked, want)
		}
		c.After(3 * time.Second)
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct {
		hook Webhook
		want string
	}{
		{Webhook{URL: "https://hooks.example/x", Format: "json"}, ""},
		{Webhook{URL: "hooks.example", Format: "json"}, "not an http or https address"},
		{Webhook{URL: "https://me:pw@hooks.example/", Format: "json"}, "are not sent"},
		{Webhook{URL: "https://hooks.example/#a", Format: "json"}, "behind #"},
		{Webhook{URL: "https://hooks.example/", Format: "json", Secret: "whsec_%"}, "not base64"},
		{Webhook{URL: "https://hooks.example/", Format: "json", Headers: map[string]string{"a b": ""}}, "header field that can be sent"},
		{Webhook{URL: "https://hooks.example/", Format: "json", Headers: map[string]string{"webhook-id": ""}}, "itself"},
		{Webhook{URL: "https://hooks.example/", Format: "json", Headers: map[string]string{"a": "b\r\nc: d"}}, "header field that can be sent"},
		{Webhook{URL: "https://hooks.example/", Format: "xml"}, "no such format"},
	} {
		err := c.hook.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) || err != nil && strings.Contains(err.Error(), "pw@") {
			t.Errorf("%+v: %v", c.hook, err)
		}
	}
}

// FuzzRetryAfter reads what receivers say.
func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"120", "Fri, 31 Dec 2100 23:59:59 GMT", "-1", "99999999999999999999", ""} {
		f.Add(s)
	}
	now := time.Unix(1_700_000_000, 0)
	f.Fuzz(func(t *testing.T, s string) {
		if d := retryAfter(s, now); d < 0 {
			t.Errorf("%q: %v", s, d)
		}
	})
}

// Whatever a record holds, it is sent as JSON.
func TestAwkwardRecords(t *testing.T) {
	rc, url := newReceiver(t, func(int) bool { return false })
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		records := sinktest.Awkward().Draw(rt, "records")
		for i := range records { // the receiver reads these names
			records[i].Fields = slices.DeleteFunc(records[i].Fields, func(f crawler.Field) bool {
				return strings.EqualFold(f.Name, "text") || strings.EqualFold(f.Name, "number")
			})
		}
		w := newHook(fmt.Sprint(url, "/", n))
		run := runInfo(t)
		if err := w.Open(rt.Context(), run, nil); err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = w.Close() }()
		if err := w.Write(rt.Context(), records); err != nil {
			rt.Fatal(err)
		}
		w.Seal()
		if _, err := w.Flush(rt.Context()); err != nil {
			rt.Fatal(err)
		}
		if err := w.Deliver(rt.Context()); err != nil {
			rt.Fatal(err)
		}
		rc.mu.Lock()
		defer rc.mu.Unlock()
		if got := len(rc.rows[fmt.Sprint("/", n)]); got != len(records) {
			rt.Fatalf("%d of %d records arrived", got, len(records))
		}
	})
}
