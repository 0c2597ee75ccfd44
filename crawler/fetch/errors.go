package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/textproto"
	"net/url"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// explain turns whatever ended an exchange into what Fetcher promises: the
// caller's own ctx.Err(), a guard's refusal as it is, crawler.ErrNotSent where it
// came too late, or a *FetchError.
func (c *Client) explain(ctx context.Context, x *exchange, err error) error {
	if c.opt.ErrRefused != nil && errors.Is(err, c.opt.ErrRefused) {
		return bare(err)
	}
	if c.opt.ErrLapsed != nil && errors.Is(err, c.opt.ErrLapsed) {
		return fmt.Errorf("%w: %w", crawler.ErrNotSent, bare(err))
	}
	if errors.Is(err, crawler.ErrStop) || errors.Is(err, crawler.ErrNotSent) { // by Receive, by Guard
		return bare(err)
	}
	if errors.Is(err, errSpool) {
		return fmt.Errorf("%w: %w", crawler.ErrStop, bare(err))
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if isShort(err) {
		c.network.closeIdle()
		return fmt.Errorf("%w: %w: %w", crawler.ErrNotSent, crawler.ErrShort, bare(err))
	}
	if none, ok := errors.AsType[*noProxy](err); ok {
		if none.lost {
			return &crawler.FetchError{Class: crawler.ClassProxy, Err: none}
		}
		return fmt.Errorf("%w: %w", crawler.ErrNotSent, none)
	}
	fe := c.classify(x, err)
	if fe.RetryAfter == 0 && (x.status == http.StatusTooManyRequests || x.status == http.StatusServiceUnavailable) {
		fe.RetryAfter = retryAfter(x.header.Get("Retry-After"), c.opt.Now())
	}
	return fe
}

// classify finds the class of a failure, from the most particular sign to the
// most general.
func (c *Client) classify(x *exchange, err error) *crawler.FetchError {
	var known *crawler.FetchError
	if errors.As(err, &known) {
		return known
	}
	err = bare(err)
	as := func(class crawler.Class, temporary bool) *crawler.FetchError {
		return &crawler.FetchError{Class: class, Temporary: temporary, Err: err}
	}
	var dns *net.DNSError
	switch {
	case x.stalled.Load():
		err = errStalled
		return as(crawler.ClassTimeout, true)
	case x.replayed.Load():
		err = errReplay
		return as(crawler.ClassReset, true)
	case errors.As(err, &dns):
		return as(crawler.ClassDNS, !dns.IsNotFound)
	case c.isPrivate(err):
		return as(crawler.ClassPrivate, false)
	case errors.Is(err, syscall.ECONNREFUSED):
		return as(crawler.ClassRefused, true)
	case isTimeout(err):
		return as(crawler.ClassTimeout, true)
	case isTLS(err):
		return as(crawler.ClassTLS, false)
	case isReset(err):
		return as(crawler.ClassReset, true)
	case isProtocol(err):
		return as(crawler.ClassProtocol, false)
	}
	return as(crawler.ClassNetwork, true)
}

// bare takes off the *url.Error of http.Client, which would repeat the URL.
func bare(err error) error {
	var wrapped *url.Error
	if errors.As(err, &wrapped) {
		return wrapped.Err
	}
	return err
}

// isPrivate reports whether policy forbids every address that was tried. One
// public address that failed for a reason of its own is that reason's failure.
func (c *Client) isPrivate(err error) bool {
	if joined, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range joined.Unwrap() {
			if !c.isPrivate(e) {
				return false
			}
		}
		return true
	}
	var marked interface{ PrivateAddress() bool }
	return c.opt.ErrPrivate != nil && errors.Is(err, c.opt.ErrPrivate) ||
		errors.As(err, &marked) && marked.PrivateAddress()
}

// isShort reports that no connection could be opened, nor a name resolved, for
// want of file descriptors. Errors of the resolver keep only the words.
func isShort(err error) bool {
	var dns *net.DNSError
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) ||
		errors.As(err, &dns) && says(dns, syscall.EMFILE.Error(), syscall.ENFILE.Error())
}

func isTimeout(err error) bool {
	var t interface{ Timeout() bool }
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) ||
		errors.Is(err, syscall.ETIMEDOUT) || errors.As(err, &t) && t.Timeout()
}

func isTLS(err error) bool {
	var (
		record   tls.RecordHeaderError
		alert    tls.AlertError
		verify   *tls.CertificateVerificationError
		unknown  x509.UnknownAuthorityError
		hostname x509.HostnameError
		invalid  x509.CertificateInvalidError
	)
	return errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &verify) ||
		errors.As(err, &unknown) || errors.As(err, &hostname) || errors.As(err, &invalid) ||
		says(err, "tls: ", "HTTP response to HTTPS client")
}

// isReset covers a connection that ended early in any way, HTTP/2's included:
// net/http keeps those types to itself, so they are known by their words.
func isReset(err error) bool {
	return errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, syscall.ECONNABORTED) || errors.Is(err, io.EOF) ||
		errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		says(err, "server closed idle connection", "GOAWAY", "client connection lost", "connection force closed",
			"client conn could not be established", "client conn not usable", "client conn is closed") ||
		says(err, "stream error") && !says(err, "PROTOCOL_ERROR", "COMPRESSION_ERROR", "FRAME_SIZE_ERROR", "FLOW_CONTROL_ERROR")
}

func isProtocol(err error) bool {
	var text textproto.ProtocolError
	return errors.As(err, &text) ||
		says(err, "malformed", "server response headers exceeded", "header list larger", "connection broken",
			"unsupported transfer encoding", "Content-Length", "Transfer-Encoding", "too many 1xx",
			"invalid byte in chunk length", "chunk length too large", "chunked line", "chunked encoding",
			"long trailer", "empty hex number", "header line too long", "readLoopPeekFailLocked", "stream error", "connection error", "http2: ")
}

func says(err error, words ...string) bool {
	message := err.Error()
	for _, w := range words {
		if strings.Contains(message, w) {
			return true
		}
	}
	return false
}

// retryAfter reads the field's two forms (RFC 9110 section 10.2.3); anything
// else, and a time gone by, is zero.
func retryAfter(value string, now time.Time) time.Duration {
	value = strings.TrimSpace(value)
	if s, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(s) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil && at.After(now) {
		return at.Sub(now)
	}
	return 0
}

// errPanic reports a panic below the fence.
func errPanic(v any) error {
	return &crawler.FetchError{Class: crawler.ClassProtocol, Err: fmt.Errorf("panic during the exchange: %v", v)}
}
