package cmd

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/amblecrawl/amble/fixtures/shelf"
)

// What an output's bucket asks for holds across a restart: it is left alone, and the run
// says so at once instead of waiting for longer than its patience.
func TestOutputsDebtsAreKept(t *testing.T) {
	t.Parallel()
	s := shelf.New("shelf")
	inner := s.Handler()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if r.Method == http.MethodPut && strings.HasSuffix(r.URL.Path, ".jsonl") {
			w.Header().Set("Retry-After", "900")
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	s.Put("in/1.txt", shelf.Bytes(noise(1, 100), shelved))
	dir := downloadsIn(t, server.URL, `
seeds: [{bucket: shelf, prefix: in/}]
downloads: {to: out, name: "{path}", min_free: 0B}
`)
	path := filepath.Join(dir, "crawl.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	output := fmt.Sprintf(`output: [{blob: {url: "s3://shelf/records/{type}.jsonl", endpoint: %q, access_key: id, secret_key: "${SHELF_SECRET}", patience: 8m}}]`, server.URL)
	text = bytes.Replace(text, []byte(`output: [{jsonl: "out/{type}.jsonl"}]`), []byte(output), 1)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"it asked to be left alone for 15m0s", "blob://shelf.output is to be left alone until "} {
		before := asked.Load()
		out, err := ambleIn(t, dir, shelfSecret, "run", "crawl.yaml")
		if err == nil || !strings.Contains(out, want) || !strings.Contains(out, "resume") {
			t.Errorf("run %d: %v\n%s", i, err, out)
		}
		if n := asked.Load() - before; i > 0 && n > 0 {
			t.Errorf("run %d: %d requests to a bucket that is to be left alone", i, n)
		}
	}
}
