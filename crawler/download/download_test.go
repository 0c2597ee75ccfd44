package download

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
	"github.com/amblecrawl/amble/crawler/urls"
)

// world is a destination with the state that a frontier would keep.
type world struct {
	*Store
	dir  string
	kept map[string][]byte
	// length is that of the answer that breaks off.
	length int64
}

func newWorld(t testing.TB, o Options) *world {
	t.Helper()
	w := &world{dir: t.TempDir(), kept: map[string][]byte{}}
	w.open(t, o)
	return w
}

func (w *world) open(t testing.TB, o Options) {
	t.Helper()
	name := "{path}"
	if o.Name != nil {
		name = o.Name.text
	}
	template, err := ParseTemplate(name)
	if err != nil {
		t.Fatal(err)
	}
	o.Dir, o.Name, o.Type, o.Crawl, o.Timeout = w.dir, template, "file", "test", time.Minute
	if o.Run == "" {
		o.Run = "run"
	}
	o.Recall = func(key string) ([]byte, error) { return w.kept[key], nil }
	if w.Store, err = Open(o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Store.Close() })
}

// get performs one attempt at a URL with an answer, and gives its end.
func (w *world) get(t testing.TB, r *crawler.Request, answer func(asked http.Header) (int, http.Header, []byte, error)) (crawler.FileEnd, error) {
	t.Helper()
	x, err := w.Begin(r)
	if err != nil {
		return crawler.FileEnd{}, err
	}
	if x.Ready() {
		return x.Finish(context.Background(), nil), nil
	}
	status, h, body, broken := answer(x.Header())
	whole := int64(len(body))
	if broken != nil {
		whole = w.length
	}
	if h == nil {
		h = http.Header{}
	}
	if status == http.StatusOK || status == http.StatusPartialContent {
		length := int64(len(body))
		var r io.Reader = bytes.NewReader(body)
		if broken != nil {
			length, r = whole, io.MultiReader(r, errorReader{broken})
		}
		if err := x.Receive(status, h, length, r); err != nil {
			return crawler.FileEnd{}, err
		}
	}
	if !x.Takes(status) {
		return crawler.FileEnd{}, fmt.Errorf("status %d is not taken", status)
	}
	return x.Finish(context.Background(), &crawler.Response{Status: status, Header: h}), nil
}

type errorReader struct{ err error }

func (e errorReader) Read([]byte) (int, error) { return 0, e.err }

func (w *world) commit(t testing.TB, ends ...crawler.FileEnd) []error {
	t.Helper()
	var files []crawler.KeptFile
	for _, e := range ends {
		if e.Kept != nil {
			files = append(files, e.Kept)
		}
	}
	lost, err := w.Keep(context.Background(), files, w.kept)
	if err != nil {
		t.Fatal(err)
	}
	w.Committed(files)
	return lost
}

func request(t testing.TB, raw string) *crawler.Request {
	t.Helper()
	u, err := urls.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return &crawler.Request{URL: u, Kind: crawler.KindFile}
}

func ok(body string) func(http.Header) (int, http.Header, []byte, error) {
	return func(http.Header) (int, http.Header, []byte, error) { return 200, nil, []byte(body), nil }
}

// Whatever a URL and a template say, the name is below the folder, is no more than file
// systems take, and can be made.
func TestNamesAreSafe(t *testing.T) {
	w := newWorld(t, Options{})
	rapid.Check(t, func(rt *rapid.T) {
		key := rapid.OneOf(
			rapid.StringOf(rapid.SampledFrom([]rune("./ab\\\x00\x01ä\u202e%"))),
			rapid.StringN(0, 400, 600), rapid.SampledFrom([]string{"../../x", "/etc/passwd", "a/../../b", "//", ".", "..", ownPrefix + "test/x"}),
		).Draw(rt, "key")
		text := rapid.SampledFrom([]string{"{path}", "{host}/{path}", "{dir}/{id}{ext}", "x{name}", "{stem}-{id}", "{path:3}/{id}"}).Draw(rt, "template")
		u, err := ObjectURL("c", key)
		if err != nil || key == "" {
			return
		}
		asked, err := url.Parse(u.String())
		if err != nil {
			t.Fatal(err)
		}
		if back, ok := KeyIn(asked); !ok || back != key {
			t.Fatalf("%q is asked for as %q, %t", key, back, ok)
		}
		if back, ok := KeyOf(u); !ok || back != key {
			rt.Fatalf("%q became %q", key, back)
		}
		template, err := ParseTemplate(text)
		if err != nil {
			rt.Fatal(err)
		}
		name, err := template.name(sourceOf(&crawler.Request{URL: u}, 0, "id"))
		if err != nil {
			return
		}
		if !fs.ValidPath(name) || name == "." || strings.HasPrefix(name, ownPrefix) || strings.ContainsAny(name, "\x00\x01\u202e") {
			rt.Fatalf("%q", name)
		}
		for segment := range strings.SplitSeq(name, "/") {
			if len(segment) > maxSegment {
				rt.Fatalf("%d bytes", len(segment))
			}
		}
		if err := w.root.MkdirAll(filepath.FromSlash("n/"+name), 0o755); err != nil && !strings.Contains(err.Error(), "too long") {
			rt.Fatalf("%q: %v", name, err)
		}
		_ = w.root.RemoveAll("n")
	})
}

func TestTemplates(t *testing.T) {
	for text, want := range map[string]string{
		"{host}/{path}": "h.example:81/a/b.tar.gz@q=1%2F2", "{name}": "b.tar.gz@q=1%2F2", "{dir}/{stem}-{id}": "a/b.tar-0123", "{sha256:2}/{sha256}": "ab/abcdef", "x/{path:1}": "x/a",
	} {
		template, err := ParseTemplate(text)
		if err != nil {
			t.Fatal(err)
		}
		s := sourceOf(request(t, "https://h.example:81/a/b.tar.gz?q=1/2"), 0, "0123")
		s.sum = "abcdef"
		if strings.Contains(text, "stem") {
			s.last = "b.tar.gz"
		}
		if got, err := template.name(s); err != nil || got != want {
			t.Errorf("%s gives %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "x", "{host}", "{path", "{nope}", "{path:0}", "{path:x}", "/{path}", "../{path}", "a/../{path}", "{path}\x00"} {
		if _, err := ParseTemplate(text); !errors.Is(err, errTemplate) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// A link that leads out of the folder is no way out, whenever it is put there.
func TestLinksOutAreRefused(t *testing.T) {
	w := newWorld(t, Options{})
	outside := t.TempDir()
	for _, name := range []string{"dir", "file"} {
		if err := os.Symlink(outside, filepath.Join(w.dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	end, err := w.get(t, request(t, "http://h/dir/x"), ok("x"))
	if err == nil && end.Err == nil {
		if lost := w.commit(t, end); lost == nil {
			t.Error("a file went through a link")
		}
	}
	end, err = w.get(t, request(t, "http://h/file"), ok("x"))
	if err == nil && end.Err == nil {
		w.commit(t, end) // it takes the link's place
	}
	if entries, err := os.ReadDir(outside); err != nil || len(entries) > 0 {
		t.Errorf("outside there are %v", entries)
	}
}

// However often an attempt breaks off, whoever goes on, and whenever the process dies
// before it has committed, the file is the object.
func TestEveryWayToAFile(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		o := Options{PartsFrom: 9 << 20, PartSize: 2 << 20, Unsummed: rapid.Bool().Draw(rt, "unsummed")}
		w, deaths := newWorld(t, o), 0
		size := rapid.SampledFrom([]int{0, 1, 1000, 9<<20 - 1, 9 << 20, 11<<20 + 5}).Draw(rt, "size")
		ranges := rapid.Bool().Draw(rt, "ranges")
		object := make([]byte, size)
		_, _ = rand.NewChaCha8([32]byte{1}).Read(object)
		version, queue, failures := `"1"`, []*crawler.Request{request(t, "http://h/file")}, 0
		queue[0].Priority = ofObjects
		var kept *crawler.FileEnd
		for steps := 0; len(queue) > 0; steps++ {
			if steps > 200 {
				rt.Fatal("it does not end")
			}
			i := rapid.IntRange(0, len(queue)-1).Draw(rt, "which")
			r := queue[i]
			end, err := w.get(t, r, func(asked http.Header) (int, http.Header, []byte, error) {
				h, body, status := http.Header{"Etag": {version}}, object, 200
				if ranges {
					h.Set("Accept-Ranges", "bytes")
					var a, b int
					switch n, _ := fmt.Sscanf(asked.Get("Range"), "bytes=%d-%d", &a, &b); {
					case asked.Get("If-Range") != version || n == 0:
					case n == 1:
						b = len(object) - 1
						fallthrough
					default:
						b = min(b, len(object)-1)
						status, body = 206, object[a:b+1]
						h.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", a, b, len(object)))
					}
				}
				if failures < 9 && rapid.IntRange(0, 2).Draw(rt, "how") == 0 {
					failures++
					w.length = int64(len(body))
					cut := rapid.IntRange(0, len(body)).Draw(rt, "cut")
					return status, h, body[:cut], &crawler.FetchError{Class: crawler.ClassReset, Temporary: true, Err: errors.New("broke")}
				}
				return status, h, body, nil
			})
			if err == nil {
				err = end.Err
			}
			if err != nil {
				var fe *crawler.FetchError
				if !errors.As(err, &fe) || !fe.Temporary {
					rt.Fatal(err)
				}
				continue
			}
			if deaths < 5 && rapid.IntRange(0, 4).Draw(rt, "death") == 0 {
				deaths++
				if end.Kept != nil && rapid.Bool().Draw(rt, "placed") {
					if _, err := w.Keep(t.Context(), []crawler.KeptFile{end.Kept}, map[string][]byte{}); err != nil {
						rt.Fatal(err)
					}
				}
				w.Store.Close() // and nothing of this attempt was committed
				w.open(t, o)
				continue
			}
			queue = append(queue[:i], queue[i+1:]...)
			for _, f := range end.Found {
				if f.Priority != 0 {
					rt.Fatalf("more of the file has priority %d, and is not sooner than others", f.Priority)
				}
				queue = append(queue, &f)
			}
			if end.Fields != nil {
				if kept != nil {
					rt.Fatal("two records")
				}
				kept = &end
			}
			if rapid.IntRange(0, 9).Draw(rt, "change") == 0 && kept == nil && size > 100 && version == `"1"` {
				version, object = `"2"`, object[:len(object)-7]
			}
			if end.Kept != nil {
				w.commit(t, end)
			}
		}
		got, err := os.ReadFile(filepath.Join(w.dir, "file"))
		if err != nil || kept == nil || !bytes.Equal(got, object) || kept.Outcome.Class != crawler.ClassFetched {
			rt.Fatalf("%d bytes of %d, %v", len(got), len(object), err)
		}
		if rest, _ := filepath.Glob(filepath.Join(w.dir, ownPrefix+"test", "*.part")); len(rest) > 0 {
			rt.Fatalf("left behind: %v", rest)
		}
	})
}

// A process that dies between placing and committing leaves a file that the next one
// knows, with the record it would have had.
func TestDeathBetweenPlaceAndCommit(t *testing.T) {
	w := newWorld(t, Options{})
	asked := 0
	answer := func(http.Header) (int, http.Header, []byte, error) {
		asked++
		return 200, http.Header{"Content-Type": {"text/x"}, "Last-Modified": {"Sat, 31 Jan 2026 12:00:00 GMT"}}, []byte("hello"), nil
	}
	first, err := w.get(t, request(t, "http://h/a"), answer)
	if err != nil || first.Err != nil {
		t.Fatal(err, first.Err)
	}
	if _, err := w.Keep(t.Context(), []crawler.KeptFile{first.Kept}, map[string][]byte{}); err != nil {
		t.Fatal(err)
	}
	w.Store.Close() // and nothing was committed
	// Nor is it by the next ones, which come to commit others before they die.
	for _, other := range []string{"http://h/b", "http://h/c"} {
		w.open(t, Options{})
		end, err := w.get(t, request(t, other), ok("hello"))
		if err != nil || end.Err != nil {
			t.Fatal(err, end.Err)
		}
		w.commit(t, end)
		w.Store.Close()
	}
	w.open(t, Options{})
	second, err := w.get(t, request(t, "http://h/a"), answer)
	if err != nil || second.Err != nil || asked != 1 || fmt.Sprint(second.Fields) != fmt.Sprint(first.Fields) {
		t.Errorf("asked %d times: %v, %v\n%v\n%v", asked, err, second.Err, first.Fields, second.Fields)
	}
	w.commit(t, second)
	w.open(t, Options{Run: "next"})
	if third, err := w.get(t, request(t, "http://h/a"), answer); err != nil || asked != 2 || third.Err != nil {
		t.Errorf("another run asked %d times: %v", asked, err)
	}
}

func TestChecksums(t *testing.T) {
	const hello = "hello"
	right := map[string]string{
		"Content-Md5": "XUFAKrxLKna5cZ2REBfFkg==", "Repr-Digest": "sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:", "Content-Digest": "unknown=:AA==:, sha-512=:m3HSJL1i83hdltRq0+o9czGb+8KJDKra4t/3JRlnPKcjI8PZm6XBHXx6zG4UuMXaDEZjR1wuXDre9G9zvN7AQw==:",
		"X-Amz-Checksum-Crc32": "NhCmhg==", "X-Amz-Checksum-Crc32c": "mnG7TA==", "X-Amz-Checksum-Sha1": "qvTGHdzF6KLavt4PO0gs2a6pQ00=",
	}
	for name, value := range right {
		for _, wrong := range []bool{false, true} {
			unsummed := wrong || strings.Contains(name, "Md5")
			w := newWorld(t, Options{Unsummed: unsummed})
			body := hello
			if wrong {
				body = "hellO"
			}
			end, err := w.get(t, request(t, "http://h/a"), func(http.Header) (int, http.Header, []byte, error) {
				return 200, http.Header{name: {value}}, []byte(body), nil
			})
			var fe *crawler.FetchError
			isWrong := errors.As(end.Err, &fe) && fe.Class == crawler.ClassChecksum
			if err != nil || isWrong != wrong {
				t.Errorf("%s, wrong %t: %v, %v", name, wrong, err, end.Err)
			}
			if has := !wrong && end.Fields[2].Value != nil; !wrong && has == unsummed {
				t.Errorf("%s: the record's sum is %v", name, end.Fields[2])
			}
		}
	}
	if c := stated(http.Header{"Etag": {`"5d41402abc4b2a76b9719d911017c592"`}}, true, true); len(c[bucket.MD5]) != 16 {
		t.Error("an ETag of S3 is not taken for an MD5")
	}
	for _, h := range []http.Header{
		{"Etag": {`"5d41402abc4b2a76b9719d911017c592-2"`}}, {"X-Amz-Checksum-Crc32": {"AAAA"}}, {"Content-Md5": {"!"}}, {"Repr-Digest": {"sha-256=AA"}},
		{"X-Amz-Checksum-Crc32": {"NhCmhg=="}, "X-Amz-Checksum-Type": {"COMPOSITE"}},
	} {
		if c := stated(h, true, true); len(c) > 0 {
			t.Errorf("%v says %v", h, c)
		}
	}
}

func TestSums(t *testing.T) {
	a, b := strings.Repeat("ab", 32), strings.Repeat("cd", 32)
	s, err := ReadSums(strings.NewReader("# comment\n" + a + "  dir/x\n" + b + " *./y\nSHA256 (z (1)) = " + a + "\n" + b + "  other/x\n" +
		a + "  linux/README\n" + a + "  R\n" + b + "  deep/R\n"))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]byte{
		"/pub/dir/x": 0xab, "dir/x": 0xab, "y": 0xcd, "q/y": 0xcd, "z (1)": 0xab, "other/x": 0xcd, "x": 0, "none": 0,
		"/f/linux/README": 0xab, "/f/windows/README": 0, "README": 0, "/f/notlinux/README": 0,
		"/R": 0xab, "/v1/deep/R": 0xcd, "/v1/R": 0,
	} {
		if got := s.of(name); want == 0 && got != nil || want != 0 && (len(got) != 32 || got[0] != want) {
			t.Errorf("%s: %x", name, got)
		}
	}
	if _, err := ReadSums(strings.NewReader(a[:32] + "  x")); err == nil || err.Error() != "line 1 has an MD5, and SHA-256 is wanted" {
		t.Error(err)
	}
	for _, text := range []string{"", "x", a, a + " x", a + "  ", "SHA256 (x = " + a, "zz" + a[2:] + "  x", "<html>"} {
		if _, err := ReadSums(strings.NewReader(text)); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}

func FuzzSums(f *testing.F) {
	f.Add(strings.Repeat("ab", 32) + "  x\n")
	f.Add("SHA256 (x) = " + strings.Repeat("ab", 32))
	f.Fuzz(func(_ *testing.T, text string) {
		if s, err := ReadSums(strings.NewReader(text)); err == nil {
			s.of("a/x")
		}
	})
}

func FuzzState(f *testing.F) {
	for _, h := range []head{{Version: 1, Size: -1, Parts: 1}, {Version: 1, Size: 10, Part: 3, Parts: 4, ETag: `"x"`, Checks: checks{bucket.MD5: make([]byte, 16)}}} {
		text, err := h.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(append(text, make([]byte, h.Parts*partEntry)...))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, progress, err := decodeState(data)
		if err != nil {
			return
		}
		var whole int64
		for i, n := range progress {
			at, length := h.span(i)
			if length >= 0 && (at != whole || int64(n&^synced) > length) {
				t.Fatalf("part %d of %+v", i, h)
			}
			whole += length
		}
		if h.Part > 0 && whole != h.Size {
			t.Fatalf("%+v has %d bytes in its parts", h, whole)
		}
	})
}

func FuzzListing(f *testing.F) {
	f.Add("p/", "a\x00b", "**.pdf", "k")
	f.Add("", "..", "*", "")
	f.Fuzz(func(t *testing.T, prefix, key, glob, after string) {
		l := &Listing{Connection: "c", Prefix: prefix, Include: []string{glob}, After: after}
		u, err := l.URL()
		if err != nil {
			return
		}
		page := &crawler.Page{Request: &crawler.Request{URL: u}, URL: u}
		body, err := l.Answer(bucket.Page{Objects: []bucket.Attributes{{Key: key}}, Next: after})
		if err != nil {
			return
		}
		page.Response = &crawler.Response{Body: body}
		var r crawler.Result
		if err := (Objects{}).Extract(context.Background(), page, crawler.NewEmitter("file", page, &r)); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
	})
}

func FuzzAnswer(f *testing.F) {
	f.Add(206, "bytes 0-4/5", `"x"`, "sha-256=:AA==:", int64(5))
	f.Add(200, "", `W/"x"`, "", int64(-1))
	f.Fuzz(func(t *testing.T, status int, contentRange, etag, digest string, length int64) {
		a, err := readAnswer(status, http.Header{"Content-Range": {contentRange}, "Etag": {etag}, "Repr-Digest": {digest}}, length, true)
		if err == nil && status != 200 && (a.at < 0 || a.length <= 0 || a.size < a.at+a.length) {
			t.Fatalf("%+v", a)
		}
	})
}

func FuzzName(f *testing.F) {
	f.Add("http://h/a/../b?c", "{host}/{path}")
	f.Fuzz(func(t *testing.T, raw, text string) {
		u, err := urls.Parse(raw)
		template, bad := ParseTemplate(text)
		if err != nil || bad != nil {
			return
		}
		name, err := template.name(sourceOf(&crawler.Request{URL: u}, 3, "id"))
		if err == nil && (!fs.ValidPath(name) || name == ".") {
			t.Fatalf("%q", name)
		}
	})
}
