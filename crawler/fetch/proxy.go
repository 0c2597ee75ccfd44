package fetch

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// The pauses of a proxy that fails, each twice the one before, and how long it may
// fail until the requests that need it are kept waiting no more.
const (
	proxyFirst  = 10 * time.Second
	proxyMost   = 5 * time.Minute
	proxyGiveUp = time.Hour
)

// suspects is how many hosts in a row must stay silent behind a proxy for it to be
// the one to blame.
const suspects = 3

// proxy is one that requests may go through, and how it fares.
type proxy struct {
	url   *url.URL
	plain *url.URL    // as net/http is told of it: TLS, if any, is ours
	tls   *tls.Config // of an https proxy

	mu     sync.Mutex
	since  time.Time // of the first failure in a row
	until  time.Time // it is set aside
	pause  time.Duration
	cause  error
	auth   bool     // it wants other credentials, which no time brings
	silent []string // the hosts that did not answer since the last that did
	passed bool     // it has carried some answer
	junk   int      // answers in a row that are no HTTP
}

func newProxy(u *url.URL, conf *tls.Config) *proxy {
	p := &proxy{url: u, plain: &url.URL{Scheme: "http", User: u.User, Host: u.Host}}
	if u.Scheme == "https" {
		if conf == nil {
			conf = &tls.Config{}
		}
		p.tls = conf.Clone()
		p.tls.ServerName, p.tls.NextProtos = u.Hostname(), []string{"http/1.1"}
	}
	return p
}

func (p *proxy) socks() bool { return strings.HasPrefix(p.url.Scheme, "socks5") }

// resolves reports whether names are resolved by the proxy and nowhere else.
func (p *proxy) resolves() bool { return p.url.Scheme == "socks5h" }

// name is the proxy without its credentials.
func (p *proxy) name() string { return p.url.Scheme + "://" + p.url.Host }

func (p *proxy) usable(now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return !p.until.After(now)
}

// state is until when it is set aside and why; lost, that this will not change.
func (p *proxy) state(now time.Time) (until time.Time, cause error, lost bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.until, p.cause, p.auth || !p.since.IsZero() && now.Sub(p.since) >= proxyGiveUp
}

// worked tells that a connection could be made through it.
func (p *proxy) worked() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since, p.until, p.pause, p.cause, p.auth, p.silent = time.Time{}, time.Time{}, 0, nil, false, nil
}

// failed sets it aside. Failures of attempts that began before that lengthen
// nothing. It reports whether this is news.
func (p *proxy) failed(fault *proxyFault, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.until.After(now) {
		return false
	}
	if p.since.IsZero() {
		p.since = now
	}
	first := p.pause == 0
	p.pause = min(max(2*p.pause, proxyFirst), proxyMost)
	p.until, p.cause, p.auth, p.silent = now.Add(p.pause), fault, fault.auth, nil
	return first
}

// carried tells that an answer came through it.
func (p *proxy) carried() {
	p.worked()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passed, p.junk = true, 0
}

// garbled tells that what came through it was no HTTP. It reports whether the proxy is
// to be set aside: it has never carried anything, or does so again and again.
func (p *proxy) garbled() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.junk++
	return !p.passed || p.junk > 1
}

// doubted reports whether a host had no answer through it, and no other has had one
// since.
func (p *proxy) doubted(host string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Contains(p.silent, host)
}

// stayedSilent tells that a host behind it did not answer, which may be the doing
// of either. It reports whether that is to be held against the proxy.
func (p *proxy) stayedSilent(host string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !slices.Contains(p.silent, host) {
		p.silent = append(p.silent, host)
	}
	return len(p.silent) >= suspects
}

// proxyFault is a failure of a proxy itself: nothing has reached the host.
type proxyFault struct {
	proxy string
	auth  bool // it refused our credentials
	err   error
}

func (f *proxyFault) Error() string { return fmt.Sprintf("the proxy %s: %v", f.proxy, f.err) }

// Unwrap gives the cause.
func (f *proxyFault) Unwrap() error { return f.err }

func isFault(err error) bool {
	_, ok := errors.AsType[*proxyFault](err)
	return ok
}

func (p *proxy) fault(err error, auth bool) *proxyFault {
	return &proxyFault{proxy: p.name(), auth: auth, err: err}
}

// noProxy means that nothing was sent, since every proxy is set aside.
type noProxy struct {
	lost  bool
	cause error
}

var errNoProxy = errors.New("no proxy can be used")

func (e *noProxy) Error() string { return fmt.Sprintf("%v: %v", errNoProxy, e.cause) }

// Unwrap gives the cause.
func (e *noProxy) Unwrap() []error { return []error{errNoProxy, e.cause} }
