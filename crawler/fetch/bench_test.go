package fetch

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// benchPage is 12 KB of ASCII with a meta charset, a common page.
var benchPage = "<!doctype html><html><head><meta charset=utf-8><title>t</title></head><body>" +
	strings.Repeat("<p>some text and <a href=\"/next\">a link</a></p>\n", 250)

func benchServer(b *testing.B, contentType, encoding string, body []byte) string {
	return serve(b, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", contentType)
		if encoding != "" {
			w.Header().Set("Content-Encoding", encoding)
		}
		w.Write(body)
	})
}

// BenchmarkFetch is to be read against BenchmarkPlain: the price of the fence
// and the chain.
func BenchmarkFetch(b *testing.B) {
	for _, bm := range []struct{ name, contentType, encoding string }{
		{"identity", "text/html; charset=utf-8", ""},
		{"meta", "text/html", ""},
		{"gzip", "text/html; charset=utf-8", "gzip"},
		{"br", "text/html; charset=utf-8", "br"},
		{"zstd", "text/html; charset=utf-8", "zstd"},
	} {
		b.Run(bm.name, func(b *testing.B) {
			body := []byte(benchPage)
			if bm.encoding != "" {
				body = encode(body, bm.encoding)
			}
			u := parse(b, benchServer(b, bm.contentType, bm.encoding, body))
			f := newClient(b).Fetcher()
			b.ReportAllocs()
			for b.Loop() {
				resp, err := f.Fetch(context.Background(), u, crawler.FetchOptions{})
				if err != nil || len(resp.Body) != len(benchPage) {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPlain(b *testing.B) {
	base := benchServer(b, "text/html; charset=utf-8", "", []byte(benchPage))
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	b.Cleanup(client.CloseIdleConnections)
	b.ReportAllocs()
	for b.Loop() {
		resp, err := client.Get(base)
		if err != nil {
			b.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil || len(body) != len(benchPage) {
			b.Fatal(err)
		}
	}
}

func BenchmarkToUTF8(b *testing.B) {
	for _, name := range []string{"utf-8", "windows-1252", "shift_jis"} {
		page := inCharset(b, "<meta charset="+name+">"+strings.Repeat(texts[name], 30), name)
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(page)))
			for b.Loop() {
				toUTF8(page, "text/html", "")
			}
		})
	}
}
