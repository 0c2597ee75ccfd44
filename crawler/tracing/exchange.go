package tracing

import (
	"context"
	"crypto/tls"
	"net/http/httptrace"
	"sync"
	"time"

	"go.opentelemetry.io/otel/attribute"
)

// exchange notes when the parts of an exchange with a server began and ended. The
// transport may tell of a connection from another goroutine.
type exchange struct {
	mu                     sync.Mutex
	dns, dnsDone           time.Time
	connect, connectDone   time.Time
	handshake, handshakeOK time.Time
	sent                   time.Time
	reused                 bool
}

// watch lets the transport tell of an exchange with this context.
func (x *exchange) watch(ctx context.Context) context.Context {
	note := func(at *time.Time) {
		x.mu.Lock()
		defer x.mu.Unlock()
		*at = time.Now()
	}
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		DNSStart:          func(httptrace.DNSStartInfo) { note(&x.dns) },
		DNSDone:           func(httptrace.DNSDoneInfo) { note(&x.dnsDone) },
		ConnectStart:      func(string, string) { note(&x.connect) },
		ConnectDone:       func(string, string, error) { note(&x.connectDone) },
		TLSHandshakeStart: func() { note(&x.handshake) },
		TLSHandshakeDone:  func(tls.ConnectionState, error) { note(&x.handshakeOK) },
		WroteRequest:      func(httptrace.WroteRequestInfo) { note(&x.sent) },
		GotConn: func(info httptrace.GotConnInfo) {
			x.mu.Lock()
			defer x.mu.Unlock()
			x.reused = info.Reused
		},
	})
}

// steps adds the parts to a visit.
func (x *exchange) steps(v *visit, start, answered, end time.Time) {
	x.mu.Lock()
	defer x.mu.Unlock()
	v.span.SetAttributes(attribute.Bool("amble.connection_reused", x.reused))
	v.step("dns", x.dns, x.dnsDone)
	v.step("connect", x.connect, x.connectDone)
	v.step("tls", x.handshake, x.handshakeOK)
	if x.sent.After(start) {
		start = x.sent
	}
	if answered.IsZero() {
		v.step("wait for the answer", start, end)
		return
	}
	v.step("wait for the answer", start, answered)
	v.step("body", answered, end)
}
