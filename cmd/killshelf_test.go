package cmd

import (
	"bytes"
	"io"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"github.com/klauspost/compress/gzip"

	"github.com/amblecrawl/amble/crawler/bucket"
)

// What stands in configs for a bucket, and the server it is on, which outlive the
// crawls that are killed.
const (
	killShelf    = "s3://shelf/of/this/crawl/"
	killEndpoint = "http://buckets.invalid/"
)

// killBuckets is the address of a server that speaks S3.
var killBuckets = sync.OnceValue(func() string {
	backend := s3mem.New()
	if err := backend.CreateBucket("shelf"); err != nil {
		panic(err) // of a test, which cannot go on
	}
	return httptest.NewServer(gofakes3.New(backend).Server()).URL
})

// shelfOf is a crawl's part of the bucket, by the crawl's folder.
func shelfOf(dir string) string { return "s3://shelf" + dir + "/" }

// readShelf gives the records of a type that a crawl has put into the bucket:
// "folder?type".
func readShelf(t *testing.T, path string) (records []record) {
	t.Helper()
	dir, kind, _ := strings.Cut(path, "?")
	b, err := bucket.Open(t.Context(), bucket.Options{URL: shelfOf(dir), Endpoint: killBuckets(), AccessKey: "id", SecretKey: "secret"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	page, err := b.List(t.Context(), bucket.ListOptions{Prefix: kind + "-"})
	if err != nil || page.Next != "" || len(page.Objects) < 2 {
		t.Fatalf("%d parts of %s, %v; want several, on one page", len(page.Objects), kind, err)
	}
	for _, a := range page.Objects {
		o, err := b.Open(t.Context(), a.Key, bucket.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		packed, err := io.ReadAll(o.Body)
		if err != nil {
			t.Fatal(err)
		}
		_ = o.Body.Close()
		z, err := gzip.NewReader(bytes.NewReader(packed))
		if err != nil {
			t.Fatalf("%s: %v", a.Key, err)
		}
		data, err := io.ReadAll(z)
		if err != nil {
			t.Fatalf("%s: %v", a.Key, err)
		}
		records = append(records, parseLines(t, data)...)
	}
	return records
}
