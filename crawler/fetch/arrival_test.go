package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

// bodyOf is a body whose parts can be told from each other.
func bodyOf(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>16 ^ i>>8 ^ i)
	}
	return b
}

// Whatever finds room and what does not, a body is the same in the end, and
// leaves nothing behind.
func TestBodiesArriveWhole(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		r := newRoom(Options{Memory: rapid.Int64Range(1, 1<<20).Draw(t, "memory"), Workers: rapid.IntRange(1, 64).Draw(t, "workers"), TempDir: dir})
		before := r.left.Load()
		body := bodyOf(rapid.IntRange(0, 1<<20).Draw(t, "size"))
		length := rapid.SampledFrom([]int64{-1, 0, int64(len(body)), 1 << 40}).Draw(t, "length")
		var from io.Reader = bytes.NewReader(body)
		if rapid.Bool().Draw(t, "in pieces") {
			from = iotest.DataErrReader(iotest.HalfReader(from))
		}
		a, err := r.receive(from, length, crawler.ElementsOf(""))
		if err != nil {
			t.Fatal(err)
		}
		if a.size != int64(len(body)) || a.marks != int64(bytes.Count(body, []byte("<"))) {
			t.Fatalf("size %d and %d marks of %d bytes", a.size, a.marks, len(body))
		}
		if got, err := a.whole(); err != nil || !bytes.Equal(got, body) {
			t.Fatalf("%d bytes came back as %d, %v", len(body), len(got), err)
		}
		if left := r.left.Load(); left != before {
			t.Fatalf("%d bytes of room are left, want %d", left, before)
		}
	})
	if files, _ := os.ReadDir(dir); len(files) > 0 {
		t.Errorf("files were left: %v", files)
	}
}

// A body that does not go on keeps what it has, and no other one waits for it.
func TestSlowBodiesKeepNobodyWaiting(t *testing.T) {
	r := newRoom(Options{Memory: 1 << 20, Workers: 4, TempDir: t.TempDir()})
	before := r.left.Load()
	slow, more := io.Pipe()
	ended := make(chan error)
	go func() {
		_, err := r.receive(slow, -1, crawler.ElementsOf(""))
		ended <- err
	}()
	if _, err := more.Write(bodyOf(4 << 20)); err != nil { // all the room, and a file
		t.Fatal(err)
	}
	if left := r.left.Load(); left >= blockSize {
		t.Fatalf("%d bytes are left", left)
	}
	body := bodyOf(3 << 20)
	a, err := r.receive(bytes.NewReader(body), -1, crawler.ElementsOf(""))
	if err != nil {
		t.Fatal(err)
	}
	if len(a.blocks) > 0 || a.file == nil || len(a.first) != r.own {
		t.Errorf("%d blocks of memory were found", len(a.blocks))
	}
	if got, err := a.whole(); err != nil || !bytes.Equal(got, body) {
		t.Errorf("%d bytes came back, %v", len(got), err)
	}
	cut := errors.New("cut")
	more.CloseWithError(cut)
	if err := <-ended; !errors.Is(err, cut) {
		t.Errorf("the slow one ended in %v", err)
	}
	if left := r.left.Load(); left != before {
		t.Errorf("%d bytes of room are left, want %d", left, before)
	}
}

// Nothing of an exchange is in memory as a whole before it was admitted, and the
// host has been answered by then.
func TestAdmission(t *testing.T) {
	body := "<p>" + strings.Repeat("x", 1<<20)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }))
	defer server.Close()
	refused := errors.New("no room")
	for _, want := range []error{nil, refused} {
		c := newClient(t, func(o *Options) { o.Memory, o.Workers, o.TempDir = 1<<17, 1, t.TempDir() })
		asked := 0
		resp, err := c.Fetcher().Fetch(context.Background(), parse(t, server.URL+"/"), crawler.FetchOptions{
			Admit: func(_ context.Context, a crawler.Arrived) error {
				if asked++; a.Size != int64(len(body)) || a.Elements != 1 {
					t.Errorf("asked for %+v", a)
				}
				return want
			},
		})
		if asked != 1 || want == nil && (err != nil || string(resp.Body) != body) {
			t.Errorf("asked %d times: %v", asked, err)
		}
		if want != nil && err == nil {
			t.Error("a body was had that was not admitted")
		}
	}
}

// Where a body cannot be put aside, the run is to stop: it is not the page's fault.
func TestNowhereToPutABody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(bodyOf(1 << 20)) }))
	defer server.Close()
	gone := filepath.Join(t.TempDir(), "gone")
	c := newClient(t, func(o *Options) { o.Memory, o.Workers, o.TempDir = 1<<17, 1, gone })
	_, err := c.Fetcher().Fetch(context.Background(), parse(t, server.URL+"/"), crawler.FetchOptions{})
	if !errors.Is(err, crawler.ErrStop) || !strings.Contains(err.Error(), gone) {
		t.Errorf("it ended in %v", err)
	}
}
