package fetch

import (
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

var encoders = map[string]func([]byte) []byte{
	"identity": func(b []byte) []byte { return b },
	"gzip": func(b []byte) []byte {
		return squeeze(b, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	},
	"x-gzip": func(b []byte) []byte {
		return squeeze(b, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
	},
	"deflate": func(b []byte) []byte {
		return squeeze(b, func(w io.Writer) io.WriteCloser { return zlib.NewWriter(w) })
	},
	"br": func(b []byte) []byte {
		return squeeze(b, func(w io.Writer) io.WriteCloser { return brotli.NewWriterLevel(w, 4) })
	},
	"zstd": func(b []byte) []byte {
		return squeeze(b, func(w io.Writer) io.WriteCloser {
			z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
			if err != nil {
				panic(err)
			}
			return z
		})
	},
}

func rawDeflate(b []byte) []byte {
	return squeeze(b, func(w io.Writer) io.WriteCloser {
		z, err := flate.NewWriter(w, flate.BestCompression)
		if err != nil {
			panic(err)
		}
		return z
	})
}

func squeeze(b []byte, make func(io.Writer) io.WriteCloser) []byte {
	var out bytes.Buffer
	w := make(&out)
	w.Write(b)
	w.Close()
	return out.Bytes()
}

// encode applies the encodings of a Content-Encoding field in their order.
func encode(b []byte, field string) []byte {
	for name := range strings.SplitSeq(field, ",") {
		b = encoders[strings.TrimSpace(name)](b)
	}
	return b
}

// answering serves one body under one Content-Encoding.
func answering(t testing.TB, field string, body []byte) string {
	return serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain")
		if field != "" {
			w.Header().Set("Content-Encoding", field)
		}
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		w.Write(body)
	})
}

func TestContentEncodings(t *testing.T) {
	text := []byte(strings.Repeat("Bücher, wohin man sieht. ", 400))
	c := newClient(t)
	for _, field := range []string{
		"gzip", "x-gzip", "deflate", "br", "zstd", "identity", "gzip, identity", "gzip, br", "deflate,zstd,gzip",
	} {
		wire := encode(text, field)
		base := answering(t, strings.ToUpper(field), wire)
		for range 3 { // the second time with pooled decoders
			resp := mustGet(t, c, base, crawler.FetchOptions{})
			if !bytes.Equal(resp.Body, text) || resp.Wire != int64(len(wire)) {
				t.Errorf("%s: got %d bytes of %d on the wire, want %d of %d", field, len(resp.Body), resp.Wire, len(text), len(wire))
			}
		}
	}
	resp := mustGet(t, c, answering(t, "deflate", rawDeflate(text)), crawler.FetchOptions{})
	if !bytes.Equal(resp.Body, text) {
		t.Error("bare deflate differs")
	}
	members := append(encoders["gzip"](text[:100]), encoders["gzip"](text[100:])...)
	resp = mustGet(t, c, answering(t, "gzip", members), crawler.FetchOptions{})
	if !bytes.Equal(resp.Body, text) {
		t.Error("gzip in two members differs")
	}
	for _, field := range []string{"gzip", "br", "zstd", "deflate", "gzip, br"} {
		if resp := mustGet(t, c, answering(t, field, nil), crawler.FetchOptions{}); len(resp.Body) != 0 {
			t.Errorf("%s: an empty body became %d bytes", field, len(resp.Body))
		}
	}
}

// Whatever was encoded comes out the same, in whatever stack.
func TestContentEncodingRoundTrip(t *testing.T) {
	var field string
	var wire []byte
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", field)
		w.Header().Set("Content-Type", "image/x-anything")
		w.Write(wire)
	})
	f := newClient(t).Fetcher()
	u := parse(t, base)
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.SliceOfN(rapid.Byte(), 0, 5000).Draw(t, "body")
		names := rapid.SliceOfN(rapid.SampledFrom([]string{"gzip", "deflate", "br", "zstd"}), 1, maxEncodings).Draw(t, "encodings")
		field = strings.Join(names, ", ")
		wire = encode(body, field)
		resp, err := f.Fetch(t.Context(), u, crawler.FetchOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(resp.Body, body) {
			t.Fatalf("got %q, want %q", resp.Body, body)
		}
	})
}

func TestBrokenEncodings(t *testing.T) {
	text := []byte(strings.Repeat("some text ", 1000))
	c := newClient(t)
	for _, field := range []string{"gzip", "br", "zstd", "deflate"} {
		whole := encode(text, field)
		_, err := get(t, c, answering(t, field, []byte("\xffnot what it says it is, by far")), crawler.FetchOptions{})
		wantClass(t, err, crawler.ClassDecode, false)
		_, err = get(t, c, answering(t, field, whole[:len(whole)/2]), crawler.FetchOptions{})
		wantClass(t, err, crawler.ClassTruncated, true)
		_, err = get(t, c, answering(t, field, whole[:1]), crawler.FetchOptions{})
		wantClass(t, err, crawler.ClassTruncated, true)
		// A decoder that failed is not used again.
		if resp := mustGet(t, c, answering(t, field, whole), crawler.FetchOptions{}); !bytes.Equal(resp.Body, text) {
			t.Errorf("%s: differs after failures", field)
		}
	}
	for _, field := range []string{"compress", "gzip, rot13", "gzip,gzip,gzip,gzip"} {
		_, err := get(t, c, answering(t, field, encoders["gzip"](text)), crawler.FetchOptions{})
		wantClass(t, err, crawler.ClassDecode, false)
	}
}

func TestBodyBound(t *testing.T) {
	c := newClient(t, func(o *Options) { o.MaxBody = 1000 })
	for _, field := range []string{"identity", "gzip", "br", "zstd", "deflate", "gzip, br"} {
		for size, fits := range map[int]bool{999: true, 1000: true, 1001: false, 100_000: false} {
			text := []byte(strings.Repeat("x", size))
			base := answering(t, field, encode(text, field))
			resp, err := get(t, c, base, crawler.FetchOptions{})
			if fits {
				if err != nil || !bytes.Equal(resp.Body, text) {
					t.Errorf("%s, %d bytes: %v", field, size, err)
				}
			} else {
				wantClass(t, err, crawler.ClassTooLarge, false)
			}
			if resp := mustGet(t, c, base, crawler.FetchOptions{Truncate: true}); len(resp.Body) != min(size, 1000) {
				t.Errorf("%s, %d bytes: cut to %d", field, size, len(resp.Body))
			}
			if resp := mustGet(t, c, base, crawler.FetchOptions{MaxBody: 200_000}); len(resp.Body) != size {
				t.Errorf("%s, %d bytes: got %d under a bound of its own", field, size, len(resp.Body))
			}
		}
	}
}

// A bomb costs no more memory than the bound on a body allows.
func TestBombs(t *testing.T) {
	const (
		limit  = 256 << 10
		budget = 8*limit + 2*zstdWindow // a body grows by doubling; so may a window
	)
	zeros := make([]byte, 32<<20)
	bombs := map[string][]byte{}
	for _, field := range []string{"gzip", "br", "zstd", "deflate"} {
		bombs[field] = encoders[field](zeros)
	}
	bombs["gzip, gzip"] = encoders["gzip"](bombs["gzip"])
	bombs["gzip, br"] = encoders["br"](bombs["gzip"])
	zeros = nil
	// Decodes to nothing, for ever: a stream of empty members.
	member := encoders["gzip"](nil)
	nothing := bytes.Repeat(member, (8<<20)/len(member))
	bombs["gzip,gzip"] = encoders["gzip"](nothing)

	for field, wire := range bombs {
		base := answering(t, field, wire)
		c := newClient(t, func(o *Options) { o.MaxBody = limit })
		runtime.GC()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := get(t, c, base, crawler.FetchOptions{})
		runtime.ReadMemStats(&after)
		wantClass(t, err, crawler.ClassTooLarge, false)
		if got := after.TotalAlloc - before.TotalAlloc; got > budget {
			t.Errorf("%s: a bomb of %d bytes allocated %d", field, len(wire), got)
		}
	}
	base := answering(t, "gzip", bytes.Repeat(member, (2<<20)/len(member)))
	_, err := get(t, newClient(t, func(o *Options) { o.MaxBody = limit }), base, crawler.FetchOptions{Truncate: true})
	wantClass(t, err, crawler.ClassTooLarge, false)
}

// A frame that asks for more history than the web allows is refused, however
// small it is.
func TestZstdWindow(t *testing.T) {
	var out bytes.Buffer
	z, err := zstd.NewWriter(&out, zstd.WithWindowSize(32<<20), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	z.Write([]byte("small"))
	z.Flush()
	z.Write(bytes.Repeat([]byte("text "), 1000))
	z.Close()
	_, err = get(t, newClient(t), answering(t, "zstd", out.Bytes()), crawler.FetchOptions{})
	wantClass(t, err, crawler.ClassDecode, false)
}

func FuzzDecode(f *testing.F) {
	for name, encoder := range encoders {
		f.Add(name, encoder([]byte("hello, hello, hello")))
	}
	f.Add("deflate", rawDeflate([]byte("hello")))
	f.Add("gzip, br", []byte{})
	f.Fuzz(func(t *testing.T, field string, wire []byte) {
		names, err := encodings(http.Header{"Content-Encoding": {field}})
		if err != nil || len(names) == 0 {
			return
		}
		d := &decoder{name: names[0], src: bytes.NewReader(wire)}
		defer d.release()
		n, err := io.Copy(io.Discard, &bounded{r: d, left: 1 << 20})
		if n > 1<<20 {
			t.Fatalf("%d bytes passed the bound", n)
		}
		var fe *crawler.FetchError
		if err != nil {
			fe, _ = err.(*crawler.FetchError)
			if fe == nil {
				t.Fatalf("error without a class: %v", err)
			}
		}
	})
}

// What ends a body is told, also where a decoder takes it for data cut short.
func TestDecodersPassOnWhatEndedTheBody(t *testing.T) {
	skipped := "\x50\x2a\x4d\x18\x00\x00\x10\x00" + strings.Repeat("x", 1000) // of a frame of a mebibyte
	d := &decoder{name: "zstd", src: io.MultiReader(strings.NewReader(skipped), iotest.ErrReader(tooLarge()))}
	_, err := io.ReadAll(d)
	var fe *crawler.FetchError
	if !errors.As(err, &fe) || fe.Class != crawler.ClassTooLarge {
		t.Errorf("it ended in %v", err)
	}
}
