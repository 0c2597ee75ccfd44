package bucket

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
	"pgregory.net/rapid"
)

// serve answers as S3 on a real socket, with one bucket.
func serve(t *testing.T) string {
	t.Helper()
	backend := s3mem.New()
	if err := backend.CreateBucket("shelf"); err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(gofakes3.New(backend).Server())
	t.Cleanup(s.Close)
	return s.URL
}

func open(t *testing.T, o Options) Bucket {
	t.Helper()
	if strings.HasPrefix(o.URL, "s3:") && !o.Anonymous {
		o.AccessKey, o.SecretKey = "id", "secret"
	}
	b, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b
}

// kinds are the buckets that all promises are tried on.
func kinds(t *testing.T) map[string]Bucket {
	inner := filepath.Join(t.TempDir(), "in", "ner")
	if err := os.MkdirAll(inner, 0o755); err != nil {
		t.Fatal(err)
	}
	return map[string]Bucket{
		"s3":     open(t, Options{URL: "s3://shelf", Endpoint: serve(t)}),
		"prefix": open(t, Options{URL: "s3://shelf/some/where", Endpoint: serve(t), Anonymous: true}),
		"folder": open(t, Options{URL: "file://" + inner}),
	}
}

func put(t *testing.T, b Bucket, key, content string) {
	t.Helper()
	body := io.NewSectionReader(strings.NewReader(content), 0, int64(len(content)))
	if err := b.Put(t.Context(), key, body, WriteOptions{ContentType: "text/x-test"}); err != nil {
		t.Fatal(err)
	}
}

func read(b Bucket, key string, o ReadOptions) (string, *Object, error) {
	object, err := b.Open(context.Background(), key, o)
	if err != nil {
		return "", nil, err
	}
	defer object.Body.Close()
	data, err := io.ReadAll(object.Body)
	return string(data), object, err
}

func TestObjects(t *testing.T) {
	for name, b := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			put(t, b, "a/b c.txt", "first")
			put(t, b, "a/b c.txt", "hello, world")
			got, whole, err := read(b, "a/b c.txt", ReadOptions{})
			if err != nil || got != "hello, world" || whole.Size != 12 || whole.ETag == "" || whole.Modified.IsZero() {
				t.Errorf("%q %+v %v", got, whole, err)
			}
			got, part, err := read(b, "a/b c.txt", ReadOptions{Offset: 7, Length: 3, IfMatch: whole.ETag})
			if err != nil || got != "wor" || part.Size != 12 || part.Offset != 7 || part.Length != 3 {
				t.Errorf("a part: %q %+v %v", got, part, err)
			}
			if got, _, err = read(b, "a/b c.txt", ReadOptions{Offset: 7}); err != nil || got != "world" {
				t.Errorf("the rest: %q %v", got, err)
			}
			a, err := b.Stat(t.Context(), "a/b c.txt")
			if err != nil || a.Size != 12 || a.ETag != whole.ETag || a.Key != "a/b c.txt" {
				t.Errorf("%+v %v", a, err)
			}
			for key, want := range map[string]error{"a/b c.txt": ErrChanged, "nothing": ErrNotFound, "a": ErrNotFound} {
				if _, _, err := read(b, key, ReadOptions{IfMatch: `"other"`}); !errors.Is(err, want) {
					t.Errorf("%s: %v, not %v", key, err, want)
				}
			}
			if _, _, err := read(b, "a/b c.txt", ReadOptions{Offset: 12}); !errors.Is(err, ErrRange) {
				t.Errorf("behind the end: %v", err)
			}
			if _, err := b.Stat(t.Context(), "nothing"); !errors.Is(err, ErrNotFound) {
				t.Errorf("stat: %v", err)
			}
			for range 2 {
				if err := b.Delete(t.Context(), "a/b c.txt"); err != nil {
					t.Error(err)
				}
			}
			if _, _, err := read(b, "a/b c.txt", ReadOptions{}); !errors.Is(err, ErrNotFound) {
				t.Errorf("when it is gone: %v", err)
			}
		})
	}
}

func TestPrefixesAreNoPartOfKeys(t *testing.T) {
	endpoint := serve(t)
	outer, inner := open(t, Options{URL: "s3://shelf", Endpoint: endpoint}), open(t, Options{URL: "s3://shelf/deep/down/", Endpoint: endpoint})
	put(t, inner, "x", "1")
	put(t, outer, "deep/downstairs", "2")
	if got, _, err := read(outer, "deep/down/x", ReadOptions{}); got != "1" || err != nil {
		t.Errorf("%q %v", got, err)
	}
	page, err := inner.List(t.Context(), ListOptions{})
	if err != nil || len(page.Objects) != 1 || page.Objects[0].Key != "x" {
		t.Errorf("%+v %v", page, err)
	}
}

// A listing has each key once and in order, however large its pages are.
func TestListing(t *testing.T) {
	for name, b := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			var keys []string
			for i := range 7 {
				for _, form := range []string{"a%d", "a/%d", "a-b/c/%d", "a/b/%d/x", "z%d"} {
					keys = append(keys, fmt.Sprintf(form, i))
				}
			}
			for _, key := range keys {
				put(t, b, key, key)
			}
			slices.Sort(keys)
			rapid.Check(t, func(rt *rapid.T) {
				prefix := rapid.SampledFrom([]string{"", "a", "a/", "a/b", "a/b/", "a-", "z", "zz", "a/b/3/x", "../", "/"}).Draw(rt, "prefix")
				limit := rapid.IntRange(1, 40).Draw(rt, "limit")
				var got []string
				for after := ""; ; {
					page, err := b.List(context.Background(), ListOptions{Prefix: prefix, After: after, Limit: limit})
					if err != nil {
						rt.Fatal(err)
					}
					for _, o := range page.Objects {
						got = append(got, o.Key)
						if o.Size != int64(len(o.Key)) || o.Modified.IsZero() {
							rt.Fatalf("%+v", o)
						}
					}
					if after = page.Next; after == "" {
						break
					}
				}
				var want []string
				for _, key := range keys {
					if strings.HasPrefix(key, prefix) {
						want = append(want, key)
					}
				}
				if !slices.Equal(got, want) {
					rt.Fatalf("%q gives %q", prefix, got)
				}
			})
		})
	}
}

func TestLargeObjectsAreSentInParts(t *testing.T) {
	parts := 0
	server, _ := url.Parse(serve(t))
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut && r.URL.Query().Has("partNumber") {
			parts++
		}
		httputil.NewSingleHostReverseProxy(server).ServeHTTP(w, r)
	}))
	defer front.Close()
	b := open(t, Options{URL: "s3://shelf", Endpoint: front.URL})
	content := bytes.Repeat([]byte("0123456789abcdef"), (wholePut+leastPart/2)/16)
	if err := b.Put(t.Context(), "large", io.NewSectionReader(bytes.NewReader(content), 0, int64(len(content))), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	got, _, err := read(b, "large", ReadOptions{})
	if err != nil || got != string(content) || parts != 5 {
		t.Errorf("%d bytes in %d parts, %v", len(got), parts, err)
	}
}

// What is not there as a whole is not there.
func TestPutsThatFailLeaveNothing(t *testing.T) {
	for name, b := range kinds(t) {
		t.Run(name, func(t *testing.T) {
			broken := io.NewSectionReader(brokenReader{}, 0, 10)
			if err := b.Put(t.Context(), "broken", broken, WriteOptions{}); err == nil {
				t.Error("no error")
			}
			if page, err := b.List(t.Context(), ListOptions{}); err != nil || len(page.Objects) != 0 {
				t.Errorf("%+v %v", page, err)
			}
		})
	}
}

type brokenReader struct{}

func (brokenReader) ReadAt([]byte, int64) (int, error) { return 0, errors.New("broken") }

func TestFoldersAreNotLeft(t *testing.T) {
	outside := t.TempDir()
	dir := filepath.Join(outside, "in")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	b := open(t, Options{URL: "file://" + dir})
	for _, key := range []string{"../secret", "link/secret", "/etc/passwd", "a/../../secret", "", ".", "a\x00b", "link"} {
		if got, _, err := read(b, key, ReadOptions{}); err == nil {
			t.Errorf("%q gives %q", key, got)
		}
		if err := b.Put(t.Context(), key, io.NewSectionReader(strings.NewReader("x"), 0, 1), WriteOptions{}); err == nil && key != "link" {
			t.Errorf("%q was written", key)
		}
		if key != "link" {
			_ = b.Delete(t.Context(), key)
		}
	}
	if data, err := os.ReadFile(filepath.Join(outside, "secret")); string(data) != "secret" {
		t.Errorf("%q %v", data, err)
	}
	if page, err := b.List(t.Context(), ListOptions{Prefix: "link/"}); err == nil && len(page.Objects) > 0 {
		t.Errorf("the listing gives %+v", page)
	}
}

// What a service refuses is told apart, and no secret is in it.
func TestRefusals(t *testing.T) {
	refusals := map[string]struct {
		status int
		body   string
		header string
		want   error
	}{
		"denied":    {403, "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>", "", ErrDenied},
		"signature": {403, "<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>", "", ErrDenied},
		"nobucket":  {404, "<Error><Code>NoSuchBucket</Code></Error>", "", ErrNoBucket},
		"nokey":     {404, "<Error><Code>NoSuchKey</Code></Error>", "", ErrNotFound},
		"moved":     {301, "<Error><Code>PermanentRedirect</Code></Error>", "eu-north-1", ErrMoved},
		"changed":   {412, "<Error><Code>PreconditionFailed</Code></Error>", "", ErrChanged},
		"slow":      {503, "<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>", "", nil},
		"garbage":   {500, "\x00\x01<<<", "", nil},
		"html":      {200, "<html>no listing</html>", "", ErrNotListing},
		"html5":     {200, "<!doctype html><meta charset=utf-8><br><p>no listing", "", ErrNotListing},
		"json":      {200, "{}", "", ErrNotListing},
		"nothing":   {200, "", "", ErrNotListing},
		"broken":    {200, "<ListBucketResult><Name>x</Name><Contents><Key>a", "", ErrNotListing},
	}
	for name, r := range refusals {
		t.Run(name, func(t *testing.T) {
			asked := 0
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				asked++
				w.Header().Set("Retry-After", "7")
				if r.header != "" {
					w.Header().Set("x-amz-bucket-region", r.header)
				}
				w.WriteHeader(r.status)
				io.WriteString(w, r.body)
			}))
			defer s.Close()
			b, err := Open(t.Context(), Options{URL: "s3://shelf", Endpoint: s.URL, AccessKey: "AKIAEXAMPLE", SecretKey: "hunter2hunter2"})
			if err != nil {
				t.Fatal(err)
			}
			defer b.Close()
			_, err = b.List(t.Context(), ListOptions{})
			var e *Error
			if !errors.As(err, &e) || e.Status != r.status || r.want != nil && !errors.Is(err, r.want) || e.Header.Get("Retry-After") != "7" {
				t.Errorf("list: %#v", err)
			}
			if r.header != "" && !strings.Contains(err.Error(), r.header) {
				t.Errorf("it does not name the region: %v", err)
			}
			if asked != 1 {
				t.Errorf("the server was asked %d times", asked)
			}
			if r.status == http.StatusOK {
				return // an object may be anything
			}
			_, err = b.Open(t.Context(), "k", ReadOptions{})
			if err == nil || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "AKIA") {
				t.Errorf("open: %v", err)
			}
		})
	}
}

func TestBodiesThatEndEarly(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		io.WriteString(w, "short")
	}))
	defer s.Close()
	b := open(t, Options{URL: "s3://shelf", Endpoint: s.URL})
	if _, _, err := read(b, "k", ReadOptions{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%v", err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "k"), make([]byte, 1<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	object, err := open(t, Options{URL: "file://" + dir}).Open(t.Context(), "k", ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer object.Body.Close()
	if err := os.Truncate(filepath.Join(dir, "k"), 10); err != nil {
		t.Fatal(err)
	}
	if n, err := io.Copy(io.Discard, object.Body); n != 10 || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%d bytes, %v", n, err)
	}
}

// A server that gives the whole where a part was asked for, or another part, is found out.
func TestPartsThatAreNot(t *testing.T) {
	for _, contentRange := range []string{"", "bytes 0-4/100", "bytes 5-9/8", "bytes 5-4/100", "bytes */100", "nonsense", "bytes 5-99999999999999999999/100"} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			if contentRange != "" {
				w.Header().Set("Content-Range", contentRange)
				w.WriteHeader(http.StatusPartialContent)
			}
			io.WriteString(w, "12345")
		}))
		b := open(t, Options{URL: "s3://shelf", Endpoint: s.URL})
		if got, _, err := read(b, "k", ReadOptions{Offset: 5, Length: 5}); err == nil {
			t.Errorf("%q gives %q", contentRange, got)
		}
		s.Close()
	}
}

func TestChecksums(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("x-amz-checksum-mode") != "ENABLED" {
			t.Error("checksums were not asked for")
		}
		w.Header().Set("x-amz-checksum-crc32", "AAAAAA==")
		w.Header().Set("x-amz-checksum-sha256", "AAAA-3")
		w.Header().Set("Content-MD5", "XUFAKrxLKna5cZ2REBfFkg==")
		io.WriteString(w, "hello")
	}))
	defer s.Close()
	_, object, err := read(open(t, Options{URL: "s3://shelf", Endpoint: s.URL}), "k", ReadOptions{})
	if err != nil || len(object.Checksums) != 2 || len(object.Checksums[MD5]) != 16 || len(object.Checksums[CRC32]) != 4 {
		t.Errorf("%+v %v", object, err)
	}
}

// Keys that XML cannot hold are listed as they are.
func TestOddKeys(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("encoding-type") != "url" {
			t.Error("keys are not asked for in a form that holds all of them")
		}
		io.WriteString(w, "<ListBucketResult><EncodingType>url</EncodingType><Contents><Key>a+b%00%2B%E4</Key><Size>1</Size></Contents></ListBucketResult>")
	}))
	defer s.Close()
	page, err := open(t, Options{URL: "s3://shelf", Endpoint: s.URL}).List(t.Context(), ListOptions{})
	if err != nil || len(page.Objects) != 1 || page.Objects[0].Key != "a b\x00+\xe4" {
		t.Errorf("%+v %v", page, err)
	}
}

func TestOptions(t *testing.T) {
	for _, o := range []Options{
		{URL: ""}, {URL: "shelf"}, {URL: "http://x/y"}, {URL: "s3://"}, {URL: "s3://user:hunter2@shelf"}, {URL: "s3://shelf?x=1", Anonymous: true},
		{URL: "s3://shelf:80", Anonymous: true}, {URL: "file:"}, {URL: "file://shelf"}, {URL: "file:///nowhere/at/all"}, {URL: "file:a\x00b"},
		{URL: "s3://shelf"}, {URL: "s3://shelf", AccessKey: "hunter2"}, {URL: "s3://shelf", Anonymous: true, SecretKey: "hunter2"},
		{URL: "s3://shelf", Anonymous: true, Endpoint: "localhost:9000"}, {URL: "s3://shelf", Anonymous: true, Endpoint: "https://u:hunter2@h"},
	} {
		b, err := Open(t.Context(), o)
		if !errors.Is(err, ErrOptions) || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%+v: %v", o, err)
		}
		if b != nil {
			b.Close()
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"s3://b/p", "gs://b", "azblob://c/d/e", "file:///x", "file:x", "s3:b", "FILE:///x", "s3://%zz"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		p, err := Parse(s)
		if err == nil && (p.Name == "" || p.Scheme == "" || !IsURL(s)) {
			t.Errorf("%q gives %+v", s, p)
		}
	})
}

// A folder that is not there is told with what can be done about it: it may be where
// files are to go.
func TestOpenNoFolder(t *testing.T) {
	_, err := Open(t.Context(), Options{URL: "file://" + t.TempDir() + "/none"})
	if !errors.Is(err, ErrOptions) || !strings.Contains(err.Error(), "/none: make it") {
		t.Error(err)
	}
}
