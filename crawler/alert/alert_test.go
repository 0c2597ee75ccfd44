package alert

import (
	"bytes"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestWebhook(t *testing.T) {
	pauses[1], pauses[2] = time.Millisecond, time.Millisecond
	for _, c := range []struct {
		name    string
		answers []int
		asked   int64
		want    string // of the error
	}{
		{"taken", []int{204}, 1, ""},
		{"better the third time", []int{500, 429, 200}, 3, ""},
		{"never", []int{503, 503, 503, 200}, 3, "after 3 tries"},
		{"refused", []int{404, 200}, 1, "refused with status 404"},
		{"led elsewhere", []int{302, 200}, 1, "refused with status 302"},
	} {
		var asked atomic.Int64
		var got Message
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			_ = json.Unmarshal(body, &got)
			w.Header().Set("Location", "/elsewhere")
			w.WriteHeader(c.answers[asked.Add(1)-1])
		}))
		err := Deliver(t.Context(), Target{Webhook: web.URL + "/hooks/secretsecret", Timeout: time.Minute}, Message{ID: "a-1-failure", Kind: Failure, Crawl: "a"})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) || asked.Load() != c.asked {
			t.Errorf("%s: asked %d times: %v", c.name, asked.Load(), err)
		}
		if err != nil && strings.Contains(err.Error(), "secretsecret") {
			t.Errorf("%s: the address is in %v", c.name, err)
		}
		if got.ID != "a-1-failure" || got.Kind != Failure {
			t.Errorf("%s: %+v", c.name, got)
		}
		web.Close()
		if err := Deliver(t.Context(), Target{Webhook: web.URL + "/hooks/secretsecret", Timeout: time.Minute}, Message{}); err == nil || strings.Contains(err.Error(), "secretsecret") {
			t.Errorf("%s: nobody is there: %v", c.name, err)
		}
	}
}

func TestCommand(t *testing.T) {
	pauses[1], pauses[2] = time.Millisecond, time.Millisecond
	out := filepath.Join(t.TempDir(), "out")
	if err := Deliver(t.Context(), Target{Command: []string{"sh", "-c", "cat > " + out}, Timeout: time.Minute}, Message{Text: "$(id)"}); err != nil {
		t.Error(err)
	}
	if got, _ := os.ReadFile(out); !bytes.Contains(got, []byte(`"text":"$(id)"`)) {
		t.Errorf("%s", got)
	}
	for command, want := range map[string]string{"yes; exit 3": "deadline exceeded", "echo no room; exit 3": "exit status 3: no room"} {
		err := Deliver(t.Context(), Target{Command: []string{"sh", "-c", command}, Timeout: 300 * time.Millisecond}, Message{})
		if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 2*maxHeard {
			t.Errorf("%s: %v", command, err)
		}
	}
	if err := Deliver(t.Context(), Target{Command: []string{"there-is-no-such-program"}, Timeout: time.Second}, Message{}); err == nil || !strings.Contains(err.Error(), "it is not there") {
		t.Error(err)
	}
}

// A receiver that never answers holds nobody up, and messages do not pile up.
func TestSendReturnsAtOnce(t *testing.T) {
	var log bytes.Buffer
	s := NewSender(slog.New(slog.NewTextHandler(&log, nil)))
	hang := make(chan struct{})
	web := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-hang }))
	defer web.Close()
	defer close(hang)
	for range 10 * room {
		s.Send(Target{Webhook: web.URL, Timeout: time.Hour}, Message{})
	}
	if len(s.jobs) > room {
		t.Errorf("%d wait", len(s.jobs))
	}
	s.Close(10 * time.Millisecond)
	s.Close(time.Hour)
	s.Send(Target{}, Message{Crawl: "late"})
	if text := log.String(); !strings.Contains(text, "crawl=late") || strings.Count(text, "dropped") < 8*room {
		t.Errorf("the log: %.300s", text)
	}
}
