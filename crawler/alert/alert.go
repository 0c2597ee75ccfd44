package alert

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"time"
)

// Kind is what an alert is about.
type Kind string

// The kinds of alerts.
const (
	Failure   Kind = "failure"
	Drift     Kind = "drift"
	NoRecords Kind = "no_records"
	TooSlow   Kind = "too_slow"
	Debt      Kind = "politeness_debt"
	Test      Kind = "test"
)

// Message is what is sent, as JSON or by a template.
type Message struct {
	ID      string    `json:"id"` // the same when it is sent again
	Kind    Kind      `json:"kind"`
	Crawl   string    `json:"crawl"`
	Number  int64     `json:"number,omitempty"` // of the run, in the history
	Text    string    `json:"text"`             // for people, one line
	At      time.Time `json:"at"`
	Pages   int64     `json:"pages"`
	Records int64     `json:"records"`
}

// Target is where messages go: to a Webhook, or to a Command.
type Target struct {
	Webhook string
	Command []string      // a program and its arguments; the message is its standard input
	Timeout time.Duration // of one try
	// Template makes what is sent of a message; nil is the message as JSON.
	Template *Template
	// Type is the media type of what a webhook is sent; empty is that of JSON.
	Type string
}

// String names the target without its keys.
func (t *Target) String() string {
	if len(t.Command) > 0 {
		return "the command " + t.Command[0]
	}
	host := "?"
	if u, err := url.Parse(t.Webhook); err == nil {
		host = u.Host
	}
	return "the webhook at " + host
}

func (t *Target) body(m *Message) ([]byte, error) {
	if t.Template == nil {
		return json.Marshal(m)
	}
	body, err := t.Template.body(m)
	if err != nil {
		return nil, fmt.Errorf("the template: %w", err)
	}
	return body, nil
}

// Bounds of a Sender.
const (
	room     = 64 // messages that wait
	senders  = 2
	tries    = 3
	maxHeard = 512 // bytes of what a command says, for the log
)

// pauses are before the second try and the third.
var pauses = [tries]time.Duration{0, time.Second, 5 * time.Second}

// errFinal marks a refusal that another try does not change.
var errFinal = errors.New("refused")

type job struct {
	to Target
	m  Message
}

// Sender sends messages in the background. Its methods are safe for concurrent use.
type Sender struct {
	log   *slog.Logger
	jobs  chan job
	stop  context.CancelFunc
	ended sync.WaitGroup
	once  sync.Once

	mu     sync.RWMutex
	closed bool
}

// NewSender makes a sender; Close ends it.
func NewSender(log *slog.Logger) *Sender {
	ctx, stop := context.WithCancel(context.Background())
	s := &Sender{log: log, jobs: make(chan job, room), stop: stop}
	for range senders {
		s.ended.Go(func() {
			for j := range s.jobs {
				if err := Deliver(ctx, j.to, j.m); err != nil {
					s.log.Error("an alert could not be sent", "crawl", j.m.Crawl, "kind", j.m.Kind, "error", err)
				}
			}
		})
	}
	return s
}

// Send puts a message in the queue and returns at once.
func (s *Sender) Send(to Target, m Message) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if !s.closed {
		select {
		case s.jobs <- job{to, m}:
			return
		default:
		}
	}
	s.log.Error("an alert was dropped: too many wait", "crawl", m.Crawl, "kind", m.Kind)
}

// Close sends what waits, for as long as within says, and ends.
func (s *Sender) Close(within time.Duration) {
	s.once.Do(func() {
		s.mu.Lock()
		s.closed = true
		close(s.jobs)
		s.mu.Unlock()
		late := time.AfterFunc(within, s.stop)
		s.ended.Wait()
		late.Stop()
		s.stop()
	})
}

// Deliver sends a message, and again when that may help.
func Deliver(ctx context.Context, to Target, m Message) (err error) {
	body, err := to.body(&m)
	if err != nil {
		return err
	}
	for try := range tries {
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(pauses[try]):
		}
		if err = once(ctx, to, body); err == nil || errors.Is(err, errFinal) {
			return err
		}
	}
	return fmt.Errorf("after %d tries: %w", tries, err)
}

// Try sends a message once.
func Try(ctx context.Context, to Target, m Message) error {
	body, err := to.body(&m)
	if err != nil {
		return err
	}
	return once(ctx, to, body)
}

func once(ctx context.Context, to Target, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, to.Timeout)
	defer cancel()
	if len(to.Command) > 0 {
		return start(ctx, to.Command, body)
	}
	return post(ctx, &to, body)
}

// client follows no redirects: a message goes where the config says.
var client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func post(ctx context.Context, to *Target, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.Webhook, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("the webhook: %w: not an address", errFinal)
	}
	r.Header.Set("Content-Type", cmp.Or(to.Type, "application/json"))
	r.Header.Set("User-Agent", "amble")
	answer, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("the webhook at %s: %w", r.URL.Host, unwrapped(err))
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 4<<10) // so that the connection can be used again
	switch code := answer.StatusCode; {
	case code >= 200 && code < 300:
		return nil
	case code == http.StatusTooManyRequests || code == http.StatusRequestTimeout || code >= 500:
		return fmt.Errorf("the webhook at %s: status %d", r.URL.Host, code)
	default:
		return fmt.Errorf("the webhook at %s: %w with status %d", r.URL.Host, errFinal, code)
	}
}

// unwrapped is an error of a client without the URL that it begins with.
func unwrapped(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

func start(ctx context.Context, command []string, body []byte) error {
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Stdin = bytes.NewReader(body)
	var said heard
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.WaitDelay = 2 * time.Second // for what it has started and left behind
	err := cmd.Run()
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return fmt.Errorf("the command %s: %w", command[0], ctx.Err())
	case errors.Is(err, exec.ErrNotFound):
		return fmt.Errorf("the command %s: %w: it is not there", command[0], errFinal)
	}
	return fmt.Errorf("the command %s: %w: %s", command[0], err, strings.ToValidUTF8(strings.TrimSpace(string(said)), "?"))
}

// heard keeps the beginning of what a command says.
type heard []byte

func (h *heard) Write(p []byte) (int, error) {
	*h = append(*h, p[:min(len(p), maxHeard-len(*h))]...)
	return len(p), nil
}
