package webhook

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink/outbox"
)

const (
	maxAnswer = 64 << 10 // bytes read of an answer
	maxHeard  = 200      // bytes of it that an error shows
)

// newClient follows no redirects: records go where the config says.
func newClient() *http.Client {
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxResponseHeaderBytes = maxAnswer
	transport.MaxConnsPerHost = 1
	return &http.Client{
		Transport:     transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// signingKey is the key in a secret: base64 behind whsec_, as Standard Webhooks has
// it, or the text itself. An empty secret has none.
func signingKey(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, "whsec_")
	if !ok {
		if secret == "" {
			return nil, nil
		}
		return []byte(secret), nil
	}
	key, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil || len(key) == 0 {
		return nil, errors.New("what stands behind whsec_ is not base64")
	}
	return key, nil
}

// sign is the value of webhook-signature for a request.
func sign(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// refusal is an answer that did not take a batch.
type refusal struct {
	status int
	said   string
	again  bool          // another try may help
	after  time.Duration // that the receiver asked to be left alone
}

func (r *refusal) Error() string {
	text := "it answered with status " + strconv.Itoa(r.status)
	if r.said != "" {
		text += ": " + strconv.Quote(r.said)
	}
	return text
}

// post sends a batch until it is taken, refused, or patience ends.
func (w *Webhook) post(ctx context.Context, id string, body []byte) error {
	retry := outbox.Retry{Clock: w.clock, Patience: w.Patience, Place: w.place, Log: w.run.Log, Passing: func(err error) (bool, time.Duration) {
		if r, ok := errors.AsType[*refusal](err); ok {
			return r.again, r.after
		}
		return true, 0
	}}
	err := retry.Persist(ctx, func() error { return w.once(ctx, id, body) })
	if err == nil {
		return nil
	}
	if r, ok := errors.AsType[*refusal](err); ok && !r.again {
		return w.stop(err, cure(r.status))
	}
	return w.stop(err, "run again to resume when it answers, or raise patience")
}

func (w *Webhook) stop(err error, cure string) error {
	return fmt.Errorf("%w: %s: %w (%s)", crawler.ErrStop, w.place, err, cure)
}

func cure(status int) string {
	switch {
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return "see that the secret and the headers are those it knows, then run again to resume"
	case status == http.StatusRequestEntityTooLarge:
		return "lower records, then run again to resume"
	case status/100 == 2:
		return "see that the address is that of a receiver, which answers with 204, then run again to resume"
	case status/100 == 3:
		return "write the address that it leads to into the config, then run again to resume"
	}
	return "mend the receiver or its address, then run again to resume"
}

// once sends a batch.
func (w *Webhook) once(ctx context.Context, id string, body []byte) error {
	ctx, cancel := context.WithTimeout(ctx, w.Timeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.URL, bytes.NewReader(body))
	if err != nil {
		return &refusal{} // Validate has seen the address
	}
	for name, value := range w.Headers {
		r.Header.Set(name, value)
	}
	w.head(r.Header, id, body)
	answer, err := w.client.Do(r)
	if err != nil {
		return unwrapped(err)
	}
	defer func() { _ = answer.Body.Close() }()
	said, err := io.ReadAll(io.LimitReader(answer.Body, maxAnswer)) // whole, so that the connection can be used again
	if answer.StatusCode/100 == 2 && !isPage(said) {
		return err // an answer that breaks off may be that of a receiver that died
	}
	return &refusal{
		status: answer.StatusCode, said: excerpt(said), again: passing(answer.StatusCode),
		after: retryAfter(answer.Header.Get("Retry-After"), w.clock.Now()),
	}
}

func (w *Webhook) head(h http.Header, id string, body []byte) {
	if h.Get("User-Agent") == "" {
		h.Set("User-Agent", "amble")
	}
	h.Set("Content-Type", "application/x-ndjson")
	if w.Format == "json" {
		h.Set("Content-Type", "application/json")
	}
	timestamp := strconv.FormatInt(w.clock.Now().Unix(), 10)
	h.Set("Idempotency-Key", id)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", timestamp)
	if w.key != nil {
		h.Set("Webhook-Signature", sign(w.key, id, timestamp, body))
	}
}

// passing reports a status that another try may change.
func passing(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return true
	}
	return status >= 500
}

// retryAfter reads the header field (RFC 9110 section 10.2.3).
func retryAfter(value string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// excerpt is the beginning of a text that explains a refusal.
func excerpt(said []byte) string {
	if isPage(said) {
		return "a page of HTML"
	}
	return strings.Join(strings.Fields(strings.ToValidUTF8(string(said[:min(len(said), maxHeard)]), "")), " ")
}

// isPage reports HTML for people, such as that of a front page or a login: whoever
// answers with it has not taken any records.
func isPage(said []byte) bool {
	start := strings.ToLower(string(bytes.TrimSpace(said[:min(len(said), maxHeard)])))
	return strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
}

// unwrapped is an error of a client without the URL that it begins with.
func unwrapped(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}
