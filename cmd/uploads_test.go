package cmd

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/amblecrawl/amble/fixtures/shelf"
)

// atOnce counts requests that are under way. A request that is answered is not, since
// the next may come before its handler returns.
type atOnce struct {
	mu              sync.Mutex
	now, most, sent int
}

type answering struct {
	http.ResponseWriter
	over func()
}

func (a answering) WriteHeader(status int) { a.over(); a.ResponseWriter.WriteHeader(status) }

func (a answering) Write(p []byte) (int, error) { a.over(); return a.ResponseWriter.Write(p) }

func (c *atOnce) count(w http.ResponseWriter) answering {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now, c.sent = c.now+1, c.sent+1
	c.most = max(c.most, c.now)
	return answering{w, sync.OnceFunc(func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.now--
	})}
}

// What goes to a bucket is permitted, bounded and noted as what comes from one: each
// request of an upload stands in the ledger, also those of an object in parts and one
// that was put off.
func TestUploadsAreInTheLedger(t *testing.T) {
	t.Parallel()
	var c atOnce
	s := shelf.New("shelf")
	inner := s.Handler()
	refused := false
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		counted := c.count(w)
		c.mu.Lock()
		refuse := !refused && r.Method == http.MethodPut && r.URL.Path == "/shelf/out/7.txt"
		refused = refused || refuse
		c.mu.Unlock()
		if refuse {
			counted.Header().Set("Retry-After", "1")
			http.Error(counted, "slow down", http.StatusServiceUnavailable)
			return
		}
		inner.ServeHTTP(counted, r)
		counted.over() // where nothing was written
	}))
	t.Cleanup(server.Close)
	endpoint := server.URL
	for i := range 30 {
		s.Put(fmt.Sprintf("in/%d.txt", i), shelf.Bytes(noise(byte(i), 100), shelved))
	}
	s.Put("in/large", shelf.Zeros(70<<20, shelved))
	dir := downloadsIn(t, endpoint, `
seeds: [{bucket: shelf, prefix: in/}]
downloads: {to: out, name: "{path}", min_free: 0B, parts_from: 1GiB}
`)
	addConnection(t, dir, fmt.Sprintf(`  out: {url: "s3://shelf/out", endpoint: "%s", access_key: id, secret_key: "${SHELF_SECRET}", concurrency: 2}`, endpoint))
	out, err := ambleIn(t, dir, shelfSecret, "run", "crawl.yaml", "--set", "connections.shelf.concurrency=1")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for key, r := range manifestOf(t, dir) {
		if r["status"] != "fetched" {
			t.Errorf("%s: %v", key, r)
		}
	}
	if o, err := s.HeadObject("shelf", "out/large"); err != nil || o.Size != 70<<20 {
		t.Errorf("the large one: %v, %v", o, err)
	}
	// An upload in parts is begun and ended by requests of its own, and has 5 parts of
	// 16 MiB; the one that was refused was fetched twice.
	audit, err := ambleIn(t, dir, nil, "audit", ".amble/files")
	if err != nil {
		t.Fatalf("%v\n%s", err, audit)
	}
	const downloads, uploads = 1 + 31 + 1, 31 + 7
	if want := fmt.Sprintf("%d requests sent, 0 withheld, 2 hosts, 0 violations", c.sent); !strings.Contains(audit, want) || c.sent != downloads+uploads {
		t.Errorf("the bucket had %d requests, want %d:\n%s", c.sent, downloads+uploads, audit)
	}
	if c.most > 3 || !strings.Contains(audit, "2 of 2") {
		t.Errorf("%d were under way at once:\n%s", c.most, audit)
	}
	if want := fmt.Sprintf("%d sent", c.sent); !strings.Contains(out, want) {
		t.Errorf("the summary does not say %q:\n%s", want, out)
	}
}

// addConnection adds a connection to a crawl's config.
func addConnection(t *testing.T, dir, line string) {
	t.Helper()
	path := filepath.Join(dir, "crawl.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("connections:\n"), []byte("connections:\n"+line+"\n"), 1)
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
