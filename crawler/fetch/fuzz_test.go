package fetch

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/amblecrawl/amble/crawler"
)

// FuzzExchange answers a request with arbitrary bytes and then hangs up. What
// comes of it is a whole response within its bounds or a failure with a class.
func FuzzExchange(f *testing.F) {
	for _, s := range []string{
		"", "\r\n", "HTTP/1.1 200 OK\r\n\r\nhello", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 200\r\nContent-Length: 99\r\n\r\nx",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
		"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 301 Moved\r\nLocation: http://[::1/\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Encoding: gzip, br, zstd\r\n\r\n\x1f\x8b", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-7\r\nRefresh: 0;url=//\r\n\r\n<meta charset=utf-16>", "HTTP/9.9 999 \xff\r\n\r\n", "220 mail ESMTP\r\n",
		"HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\x00: \x01\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	} {
		f.Add([]byte(s))
	}
	answers := make(chan []byte, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = c.Read(make([]byte, 4096))
			_, _ = c.Write(<-answers)
			_ = c.(*net.TCPConn).CloseWrite()
			_ = c.SetReadDeadline(time.Now().Add(time.Second))
			_, _ = c.Read(make([]byte, 1))
			_ = c.Close()
		}
	}()
	const most = 4 << 10
	client := newClient(f, func(o *Options) { o.MaxBody, o.MaxHeader = most, 4<<10 })
	u := parse(f, "http://"+l.Addr().String()+"/x")
	f.Fuzz(func(t *testing.T, answer []byte) {
		answers <- answer
		resp, err := client.Fetcher().Fetch(t.Context(), u, crawler.FetchOptions{})
		client.Close() // the connection, which may be left open
		var failed *crawler.FetchError
		switch {
		case err != nil && (!errors.As(err, &failed) || failed.Class == "" || failed.Err == nil):
			t.Fatalf("%q: %v has no class", answer, err)
		case err != nil && strings.Contains(err.Error(), "panic"):
			t.Fatalf("%q: %v", answer, err)
		case err != nil:
			return
		}
		// Text may grow threefold on its way to UTF-8.
		if resp.Status < 100 || resp.Status > 999 || len(resp.Body) > 3*most {
			t.Fatalf("%q: status %d, %d bytes", answer, resp.Status, len(resp.Body))
		}
		if !resp.Location.IsZero() && !resp.Location.IsHTTP() {
			t.Fatalf("%q leads to %s", answer, resp.Location)
		}
		if isText(resp.MediaType) && !utf8.Valid(resp.Body) {
			t.Fatalf("%q: %s that is not UTF-8", answer, resp.MediaType)
		}
	})
}

// FuzzMediaType holds that a type is one word with a slash, in lower case.
func FuzzMediaType(f *testing.F) {
	for _, s := range []string{"text/html; charset=UTF-8", "TEXT/HTML;charset='x", "", "/", ";charset=", `a/b; charset="\"`, "application/octet-stream", "text/html, text/plain; charset=a"} {
		f.Add(s, []byte("<!doctype html><p>"))
	}
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		media, declared := mediaType(contentType, body)
		major, minor, ok := strings.Cut(media, "/")
		if !ok || major == "" || minor == "" || media != strings.ToLower(media) || strings.ContainsAny(media, "; \t\r\n") {
			t.Errorf("%q is %q", contentType, media)
		}
		if len(declared) > len(contentType) {
			t.Errorf("%q declares %q", contentType, declared)
		}
	})
}

// FuzzHead looks for what a page's head declares: what is found stood in it.
func FuzzHead(f *testing.F) {
	for _, s := range []string{
		"<meta charset=utf-8>", "<META HTTP-EQUIV=Content-Type content='text/html; charset = \"koi8-r\"'>", "<base href=/x><meta http-equiv=refresh content='0;url=y'>",
		"<template><meta charset=x></template></template><meta charset=big5>", "<!-- <meta charset=x> --", "<script><meta charset=x>", "<meta charset", "<noscript><meta http-equiv=refresh content=1>",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		if label := metaCharset(head); label != "" {
			if enc, _ := known(label); enc == nil {
				t.Errorf("%q declares %q, which is no encoding", head, label)
			}
		}
		content, base := metaRefresh(head)
		if len(content)+len(base) > 3*len(head) {
			t.Errorf("%q refreshes to %q on %q", head, content, base)
		}
		if to := refreshTarget(content); len(to) > len(content) {
			t.Errorf("%q leads to %q", content, to)
		}
	})
}

// FuzzRetryAfter holds that a wait is never negative.
func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{"120", "-1", "99999999999999999999", "Sun, 06 Nov 2094 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", " 1 ", "1.5", "0x10", "Mon, 01 Jan 9999 00:00:00 GMT"} {
		f.Add(s)
	}
	now := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, value string) {
		if wait := retryAfter(value, now); wait < 0 {
			t.Errorf("%q is a wait of %v", value, wait)
		}
	})
}
