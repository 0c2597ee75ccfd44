package blob

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	parquetgo "github.com/parquet-go/parquet-go"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
	"github.com/amblecrawl/amble/crawler/sink/sinktest"
)

// hasty is a clock on which every wait is over at once.
type hasty struct{ now time.Time }

func (h *hasty) Now() time.Time { return h.now }

func (h *hasty) After(d time.Duration) <-chan time.Time {
	h.now = h.now.Add(d)
	done := make(chan time.Time, 1)
	done <- h.now
	return done
}

// faulty answers as S3 on a real socket, but for the requests that a test spoils.
type faulty struct {
	http.Handler
	asked int
	spoil func(asked int, w http.ResponseWriter, r *http.Request) bool
}

func (f *faulty) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.asked++
	if f.spoil != nil && f.spoil(f.asked, w, r) {
		return
	}
	f.Handler.ServeHTTP(w, r)
}

func serve(t *testing.T) (*faulty, string) {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("shelf"); err != nil {
		t.Fatal(err)
	}
	f := &faulty{Handler: gofakes3.New(backend).Server()}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return f, s.URL
}

func newBlob(url, endpoint string) *Blob {
	b := &Blob{URL: url, Records: 3, Timeout: time.Minute, Patience: time.Minute, clock: &hasty{time.Unix(1_700_000_000, 0)}}
	if endpoint != "" {
		b.Endpoint, b.AccessKey, b.SecretKey = endpoint, "id", "secret"
	}
	return b
}

// objects reads all of a bucket.
func objects(t *testing.T, b *Blob) map[string][]byte {
	t.Helper()
	target, err := targetOf(b.URL)
	if err != nil {
		t.Fatal(err)
	}
	opened, err := bucket.Open(t.Context(), b.options(target))
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	page, err := opened.List(t.Context(), bucket.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]byte{}
	for _, a := range page.Objects {
		o, err := opened.Open(t.Context(), a.Key, bucket.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if found[a.Key], err = io.ReadAll(o.Body); err != nil {
			t.Fatal(err)
		}
		_ = o.Body.Close()
	}
	return found
}

func decode(t *testing.T, key string, data []byte) []sinktest.Row {
	t.Helper()
	var r io.Reader = bytes.NewReader(data)
	var err error
	switch filepath.Ext(key) {
	case ".gz":
		r, err = gzip.NewReader(r)
	case ".zst":
		r, err = zstd.NewReader(r)
	case ".parquet":
		var rows []sinktest.Row
		found, err := parquetgo.Read[any](bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range found {
			m := row.(map[string]any)
			rows = append(rows, sinktest.Row{Type: m["_type"].(string), Key: m["_key"].(string), Text: m["text"].(string), Number: m["number"].(int64)})
		}
		return rows
	}
	if err != nil {
		t.Fatal(err)
	}
	var rows []sinktest.Row
	for dec := json.NewDecoder(r); ; {
		var row struct {
			Type   string `json:"_type"`
			Key    string `json:"_key"`
			Text   string `json:"text"`
			Number int64  `json:"number"`
		}
		if err := dec.Decode(&row); errors.Is(err, io.EOF) {
			return rows
		} else if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
		rows = append(rows, sinktest.Row(row))
	}
}

// Each case of the suite has a bucket of its own; requests fail now and then, some
// after they were done.
func TestSuite(t *testing.T) {
	for _, c := range []struct{ name, key string }{{"s3", "{type}.jsonl.zst"}, {"s3 parquet", "in/{type}/{part}.parquet"}, {"folder", "all.jsonl.gz"}} {
		t.Run(c.name, func(t *testing.T) {
			endpoints := map[string]string{}
			newFor := func(folder string) *Blob {
				if c.name == "folder" {
					return newBlob("file://"+filepath.Join(folder, "shelf", c.key), "")
				}
				if endpoints[folder] == "" {
					f, url := serve(t)
					f.spoil = func(asked int, w http.ResponseWriter, r *http.Request) bool {
						if r.Method == http.MethodGet || asked%7 > 1 {
							return false
						}
						if asked%2 == 0 {
							f.Handler.ServeHTTP(httptest.NewRecorder(), r)
						}
						w.WriteHeader(http.StatusServiceUnavailable)
						return true
					}
					endpoints[folder] = url
				}
				return newBlob("s3://shelf/"+c.key, endpoints[folder])
			}
			sinktest.RunReceiver(t, sinktest.Subject{
				Replaces: true,
				New:      func(folder string) crawler.Sink { return newFor(folder) },
				Read: func(folder string) (rows []sinktest.Row, err error) {
					for key, data := range objects(t, newFor(folder)) {
						rows = append(rows, decode(t, key, data)...)
					}
					return rows, nil
				},
				Abandon: func(_ interface{ Fatalf(string, ...any) }, sink crawler.Sink, _ string) { _ = sink.Close() },
			})
		})
	}
}

// Every request is made by who guards them, and an error of his ends the try.
func TestGuard(t *testing.T) {
	f, address := serve(t)
	b := newBlob("s3://shelf/in/{type}.jsonl", address)
	if b.Service() != "shelf" || newBlob("file:///srv/{type}.jsonl", "").Service() != "" {
		t.Errorf("it asks %q", b.Service())
	}
	var asked []string
	b.Guard(func(ctx context.Context, key string, x bucket.Exchange, do func(context.Context) error) error {
		before := f.asked
		err := do(ctx)
		if asked = append(asked, x.Method+" "+key); f.asked != before+1 {
			t.Errorf("%s was %d requests", asked[len(asked)-1], f.asked-before)
		}
		return err
	})
	if err := send(t, b, 3); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"PUT in/book-00001.jsonl.probe", "DELETE in/book-00001.jsonl.probe", "GET in/book-", "GET in/page-", "PUT in/book-00001.jsonl",
	}
	if !slices.Equal(asked, want) || f.asked != len(want) {
		t.Errorf("%d requests, of which %q were guarded, want %q", f.asked, asked, want)
	}
	no := errors.New("not now")
	b = newBlob("s3://shelf/in/{type}.jsonl", address)
	b.Guard(func(context.Context, string, bucket.Exchange, func(context.Context) error) error { return no })
	if err := send(t, b, 3); !errors.Is(err, no) || !errors.Is(err, crawler.ErrStop) {
		t.Error(err)
	}
}

func runInfo(t *testing.T) crawler.RunInfo {
	return crawler.RunInfo{Crawl: "c", ID: "r1", Started: time.Unix(0, 0), Folder: t.TempDir(), Types: []crawler.RecordType{{Name: "book"}, {Name: "page"}}}
}

func send(t *testing.T, b *Blob, n int) error {
	t.Helper()
	if err := b.Open(t.Context(), runInfo(t), nil); err != nil {
		return err
	}
	for i := range n {
		r := crawler.Record{Type: "book", Key: fmt.Sprint(i), Fields: []crawler.Field{{Name: "text", Value: "t"}}}
		if err := b.Write(t.Context(), []crawler.Record{r}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := b.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	return errors.Join(b.Deliver(t.Context()), b.Close())
}

// A fresh run deletes what it would have been an addition to, and nothing else.
func TestFreshRunDeletesParts(t *testing.T) {
	_, endpoint := serve(t)
	first := newBlob("s3://shelf/x/{type}.jsonl", endpoint)
	if err := send(t, first, 3); err != nil {
		t.Fatal(err)
	}
	other := newBlob("s3://shelf/x/{run}-{type}.jsonl", endpoint)
	if err := send(t, other, 3); err != nil {
		t.Fatal(err)
	}
	if err := send(t, newBlob("s3://shelf/x/{type}.jsonl", endpoint), 0); err != nil {
		t.Fatal(err)
	}
	var left []string
	for key := range objects(t, first) {
		left = append(left, key)
	}
	if !slices.Equal(left, []string{"x/r1-book-00001.jsonl"}) {
		t.Errorf("left are %v", left)
	}
	if got := other.Places(); !slices.Equal(got, []string{"s3://shelf/x/r1-book-00001.jsonl"}) {
		t.Errorf("places: %v", got)
	}
}

func TestFailures(t *testing.T) {
	answer := func(status int, code string) func(int, http.ResponseWriter, *http.Request) bool {
		return func(_ int, w http.ResponseWriter, _ *http.Request) bool {
			w.WriteHeader(status)
			fmt.Fprintf(w, "<Error><Code>%s</Code></Error>", code)
			return true
		}
	}
	for _, c := range []struct {
		name  string
		url   string
		spoil func(int, http.ResponseWriter, *http.Request) bool
		want  string
	}{
		{"no bucket", "s3://nothing/{type}.jsonl", nil, "cannot write to s3://nothing: "},
		{"no permission", "s3://shelf/{type}.jsonl", answer(403, "AccessDenied"), "(allow the key to write there"},
		{"elsewhere", "s3://shelf/{type}.jsonl", answer(301, "PermanentRedirect"), "(give its region or endpoint)"},
		{"never", "s3://shelf/{type}.jsonl", answer(503, "SlowDown"), "tried in vain for "},
		{"no right to list", "s3://shelf/{type}.jsonl", func(n int, w http.ResponseWriter, r *http.Request) bool {
			return r.Method == http.MethodGet && answer(403, "AccessDenied")(n, w, r)
		}, "cannot look for the parts of an earlier run in s3://shelf"},
		{"which a run of its own does not need", "s3://shelf/{run}/{type}.jsonl", func(n int, w http.ResponseWriter, r *http.Request) bool {
			return r.Method != http.MethodPut && answer(403, "AccessDenied")(n, w, r)
		}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, endpoint := serve(t)
			f.spoil = c.spoil
			err := send(t, newBlob(c.url, endpoint), 3)
			if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, crawler.ErrStop) || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("%v, want %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("the key is in %v", err)
			}
		})
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := send(t, newBlob("file://"+file+"/{type}.jsonl", ""), 3); !errors.Is(err, crawler.ErrStop) {
		t.Errorf("a file in place of the folder: %v", err)
	}
}

func TestValidate(t *testing.T) {
	for _, c := range []struct{ url, want string }{
		{"s3://b/{type}.jsonl", ""}, {"s3://b/x/{type}/{part}.parquet", ""}, {"file:///srv/{date}/x.jsonl.gz", ""},
		{"s3://b", "names no object"}, {"s3://b/x/", "names no object"}, {"s3://b/x.csv", "one of .jsonl, .jsonl.gz"},
		{"s3://b/{typ}.jsonl", "a brace"}, {"s3://b/a//b.jsonl", "empty parts"}, {"s3://b/../b.jsonl", "empty parts"},
		{"file:x/b.jsonl", "from the root"}, {"out/x.jsonl", "want s3://bucket"}, {"s3://b/x.jsonl?a=b", "nothing else"}, {"gs://b/x.jsonl", "-tags full"},
		{"s3://b/{part}/x.jsonl", "does not hold {part} once"},
	} {
		b := newBlob(c.url, "http://127.0.0.1:1")
		err := b.Validate()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.url, err, c.want)
		}
	}
	if err := (&Blob{URL: "s3://b/x.jsonl"}).Validate(); err == nil || !strings.Contains(err.Error(), "access_key and secret_key are wanted") {
		t.Error(err)
	}
}

// Whatever a record holds, its object is written.
func TestAwkwardRecords(t *testing.T) {
	n := 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		ending := rapid.SampledFrom(endings).Draw(rt, "ending")
		records := sinktest.Awkward().Draw(rt, "records")
		folder := filepath.Join(t.TempDir(), fmt.Sprint(n))
		b := newBlob("file://"+filepath.ToSlash(folder)+"/x"+ending, "")
		run := crawler.RunInfo{Crawl: "c", ID: "r", Started: time.Unix(0, 0), Folder: filepath.Join(t.TempDir(), "outbox")}
		if err := b.Open(rt.Context(), run, nil); err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = b.Close() }()
		if err := b.Write(rt.Context(), records); err != nil {
			rt.Fatal(err)
		}
		b.Seal()
		if _, err := b.Flush(rt.Context()); err != nil {
			rt.Fatal(err)
		}
		if err := b.Deliver(rt.Context()); err != nil {
			rt.Fatal(err)
		}
		if places := b.Places(); len(places) != 1 {
			rt.Fatalf("written are %q", places)
		}
	})
}
