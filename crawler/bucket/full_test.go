//go:build full

package bucket

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"gocloud.dev/blob/memblob"
)

// The bucket of the Go CDK keeps the promises of a bucket.
func TestThroughTheCDK(t *testing.T) {
	b := &other{bucket: memblob.OpenBucket(nil), http: http.DefaultClient, versionOf: func(func(any) bool) string { return `"1"` }}
	defer b.Close()
	put(t, b, "a/b", "hello, world")
	put(t, b, "a/c", "x")
	got, object, err := read(b, "a/b", ReadOptions{Offset: 7, Length: 3, IfMatch: `"1"`})
	if err != nil || got != "wor" || object.Size != 12 || object.Length != 3 {
		t.Errorf("%q %+v %v", got, object, err)
	}
	if _, _, err := read(b, "a/b", ReadOptions{IfMatch: `"2"`}); !errors.Is(err, ErrChanged) {
		t.Errorf("%v", err)
	}
	if _, _, err := read(b, "a", ReadOptions{}); !errors.Is(err, ErrNotFound) {
		t.Errorf("%v", err)
	}
	page, err := b.List(t.Context(), ListOptions{Prefix: "a/", Limit: 1})
	if err != nil || len(page.Objects) != 1 || page.Objects[0].Key != "a/b" {
		t.Fatalf("%+v %v", page, err)
	}
	if page, err = b.List(t.Context(), ListOptions{Prefix: "a/", Limit: 1, After: page.Next}); err != nil || len(page.Objects) != 1 || page.Objects[0].Key != "a/c" {
		t.Errorf("%+v %v", page, err)
	}
	if err := b.Put(t.Context(), "broken", io.NewSectionReader(brokenReader{}, 0, 10), WriteOptions{}); err == nil {
		t.Error("no error")
	}
	if _, err := b.Stat(t.Context(), "broken"); !errors.Is(err, ErrNotFound) {
		t.Errorf("what failed is there: %v", err)
	}
}

// What goes over the wire is one request a call, to the service that was named.
func TestOtherServices(t *testing.T) {
	answers := map[string]struct{ list, object string }{
		GCS: {`{"kind":"storage#objects","items":[{"name":"k","size":"5","generation":"42","updated":"2026-01-31T12:00:00Z","bucket":"shelf"}]}`, ""},
		Azure: {`<?xml version="1.0"?><EnumerationResults><Blobs><Blob><Name>k</Name><Properties><Content-Length>5</Content-Length><Etag>0x42</Etag>` +
			`<Last-Modified>Sat, 31 Jan 2026 12:00:00 GMT</Last-Modified></Properties></Blob></Blobs><NextMarker/></EnumerationResults>`, ""},
	}
	for scheme, answer := range answers {
		t.Run(scheme, func(t *testing.T) {
			status, asked := 200, 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked++
				switch {
				case status != 200:
					w.WriteHeader(status)
				case strings.HasSuffix(r.URL.Path, "/k"):
					w.Header().Set("ETag", `"0x42"`)
					w.Header().Set("X-Goog-Generation", "42")
					w.Header().Set("Last-Modified", "Sat, 31 Jan 2026 12:00:00 GMT")
					io.WriteString(w, "hello")
				default:
					w.Header().Set("Content-Type", map[string]string{GCS: "application/json", Azure: "application/xml"}[scheme])
					io.WriteString(w, answer.list)
				}
			}))
			defer s.Close()
			o := Options{URL: scheme + "://shelf", Endpoint: s.URL, Anonymous: true}
			if scheme == Azure {
				o.AccessKey = "account"
			}
			b, err := Open(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			page, err := b.List(t.Context(), ListOptions{})
			if err != nil || len(page.Objects) != 1 || page.Objects[0].Size != 5 || page.Objects[0].ETag == "" {
				t.Fatalf("%+v %v", page, err)
			}
			got, object, err := read(b, "k", ReadOptions{IfMatch: page.Objects[0].ETag})
			if err != nil || got != "hello" || object.ETag != page.Objects[0].ETag {
				t.Errorf("%q %+v %v", got, object, err)
			}
			for code, want := range map[int]error{403: ErrDenied, 404: ErrNotFound, 503: nil} {
				status, asked = code, 0
				_, err := b.Open(context.Background(), "k", ReadOptions{})
				var e *Error
				if !errors.As(err, &e) || e.Status != code || want != nil && !errors.Is(err, want) || asked != 1 {
					t.Errorf("status %d, asked %d times: %v", code, asked, err)
				}
			}
		})
	}
	for _, o := range []Options{{URL: "gs://x"}, {URL: "gs://x", Credentials: "hunter2"}, {URL: "azblob://x", AccessKey: "a", SecretKey: "hunter2"}, {URL: "azblob://x"}} {
		if _, err := Open(t.Context(), o); !errors.Is(err, ErrOptions) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%+v: %v", o, err)
		}
	}
}
