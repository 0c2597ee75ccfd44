package webhook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/sink/outbox"
)

func init() {
	crawler.Sinks.Register("webhook", func() crawler.Sink {
		return &Webhook{Format: "jsonl", Records: 500, Wait: 5 * time.Second, Timeout: 30 * time.Second, Patience: 5 * time.Minute}
	})
}

// maxBody bounds the records of one request, as they are estimated; one record may be
// larger.
const maxBody = 4 << 20

// Webhook posts records in batches. It is not safe for concurrent use, as
// [crawler.Sink] says.
type Webhook struct {
	URL      string            `yaml:"url,scalar" required:"true" doc:"The http or https address that batches are posted to. Give one that holds a key as ${NAME}."`
	Secret   string            `yaml:"secret" doc:"What batches are signed with, such as ${WEBHOOK_SECRET}: whsec_ and base64, or any text. Without it they are not signed."`
	Format   string            `yaml:"format" default:"jsonl" enum:"jsonl,json" doc:"JSON lines, or one array."`
	Headers  map[string]string `yaml:"headers" doc:"Further header fields, such as Authorization: Bearer ${TOKEN}."`
	Records  int               `yaml:"records" default:"500" min:"1" max:"100000" doc:"How many records a batch has at most. It has 4 MiB at most in any case, unless one record is larger."`
	Wait     time.Duration     `yaml:"wait" default:"5s" doc:"How old the first record of a batch that is not full gets before the next commit sends it."`
	Timeout  time.Duration     `yaml:"timeout" default:"30s" min:"1s" max:"5m" doc:"For one try."`
	Patience time.Duration     `yaml:"patience" default:"5m" max:"8m" doc:"How long one batch is tried before the run stops, resumably."`

	box    *outbox.Outbox
	run    crawler.RunInfo
	key    []byte
	place  string
	client *http.Client
	clock  outbox.Clock // nil: the system's
}

// own are the header fields that the sink writes itself.
var own = []string{"Content-Type", "Content-Length", "Host", "Transfer-Encoding", "Connection", "Idempotency-Key", "Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"}

// Validate reports what is wrong with the settings, as *crawler.ConfigError.
func (w *Webhook) Validate() error {
	bad := func(key, msg, hint string) error {
		return &crawler.ConfigError{Path: []string{key}, Msg: msg, Hint: hint}
	}
	var wrong []error
	u, err := url.Parse(w.URL)
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		wrong = append(wrong, bad("url", "this is not an http or https address", "such as https://hooks.example/amble"))
	case u.User != nil:
		wrong = append(wrong, bad("url", "a name and password in the address are not sent", "write headers: {Authorization: Basic ${CREDENTIALS}}"))
	case u.Fragment != "":
		wrong = append(wrong, bad("url", "what stands behind # is not sent", "leave it out"))
	}
	if _, err := signingKey(w.Secret); err != nil {
		wrong = append(wrong, bad("secret", err.Error(), "copy it whole, or use one without whsec_"))
	}
	for name, value := range w.Headers {
		at := []string{"headers", name}
		switch canonical := http.CanonicalHeaderKey(name); {
		case (&crawler.Call{Header: http.Header{name: {value}}}).Check() != nil:
			wrong = append(wrong, &crawler.ConfigError{Path: at, Msg: "this is not a header field that can be sent"})
		case slices.Contains(own, canonical):
			wrong = append(wrong, &crawler.ConfigError{Path: at, Msg: "amble writes this header field itself", Hint: "leave it out"})
		}
	}
	if w.Format != "jsonl" && w.Format != "json" {
		wrong = append(wrong, bad("format", "there is no such format", "there are jsonl and json"))
	}
	return errors.Join(wrong...)
}

// Secrets are the keys whose values belong into the environment.
func (*Webhook) Secrets() []string { return []string{"secret"} }

// Open brings the outbox to the position, and posts again what may not have been taken.
func (w *Webhook) Open(ctx context.Context, run crawler.RunInfo, position []byte) error {
	if w.box.IsOpen() {
		return errors.New("the sink is open already")
	}
	u, err := url.Parse(w.URL)
	if err != nil {
		return fmt.Errorf("%w: the address of the webhook cannot be read", crawler.ErrStop) // err has all of it
	}
	if w.key, err = signingKey(w.Secret); err != nil {
		return fmt.Errorf("%w: the secret of the webhook: %w", crawler.ErrStop, err)
	}
	w.run, w.place = run, "webhook at "+u.Host
	w.client = newClient()
	if w.clock == nil {
		w.clock = crawler.SystemClock{}
	}
	box, err := outbox.Open(ctx, outbox.Options{
		Format: "webhook", Records: int64(w.Records), Bytes: maxBody, Age: max(w.Wait, 1),
		Deliver: w.deliver, Now: w.clock.Now,
	}, run, position)
	if err == nil {
		w.box = box
	}
	return err
}

// deliver posts the records of a part. The ID of a request says which of them it
// has, so that no other records come under it, even if the config has changed.
func (w *Webhook) deliver(ctx context.Context, p *outbox.Part) error {
	b := batch{json: w.Format == "json"}
	sent := 0
	post := func() error {
		id := fmt.Sprintf("%s-%s-%d-%d-%d", w.run.ID, filepath.Base(w.run.Folder), p.Serial, sent+1, sent+b.records)
		sent += b.records
		err := w.post(ctx, id, b.bytes())
		b.reset()
		return err
	}
	err := p.EachLine(ctx, func(line []byte) error {
		if b.records > 0 && (b.records >= w.Records || len(b.body)+len(line) > maxBody) {
			if err := post(); err != nil {
				return err
			}
		}
		b.add(line)
		return nil
	})
	if err == nil && b.records > 0 {
		err = post()
	}
	return err
}

// batch is the body of a request.
type batch struct {
	json    bool // one array
	body    []byte
	records int
}

func (b *batch) add(line []byte) {
	if b.json {
		sep := byte(',')
		if b.records == 0 {
			sep = '['
		}
		b.body = append(b.body, sep)
	}
	b.body = append(b.body, line...)
	if !b.json {
		b.body = append(b.body, '\n')
	}
	b.records++
}

func (b *batch) bytes() []byte {
	if b.json {
		b.body = append(b.body, ']')
	}
	return b.body
}

func (b *batch) reset() { b.body, b.records = b.body[:0], 0 }

// Write keeps records until they are committed and their batch is full.
func (w *Webhook) Write(ctx context.Context, records []crawler.Record) error {
	return w.box.Write(ctx, records)
}

// Flush makes the records durable here and returns the position.
func (w *Webhook) Flush(ctx context.Context) ([]byte, error) { return w.box.Flush(ctx) }

// Deliver posts the batches that are due.
func (w *Webhook) Deliver(ctx context.Context) error { return w.box.Deliver(ctx) }

// Seal makes every batch due.
func (w *Webhook) Seal() { w.box.Seal() }

// CheckPosition reports a position that is not this sink's.
func (w *Webhook) CheckPosition(position []byte) error {
	return outbox.CheckPosition("webhook", position)
}

// Places names the receiver, without what may be secret of its address.
func (w *Webhook) Places() []string { return []string{strings.TrimSpace(w.place)} }

// Close gives connections and files back. Records that were not flushed are dropped.
func (w *Webhook) Close() error {
	if w.client != nil {
		w.client.CloseIdleConnections()
	}
	return w.box.Close()
}
