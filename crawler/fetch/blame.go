package fetch

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/dunglas/httpsfv"

	"github.com/amblecrawl/amble/crawler"
)

// Whose failure it is when a request fails that a proxy has taken. In a tunnel (CONNECT,
// SOCKS) the proxy has answered before, and what comes then is the host's. A proxy that
// forwards answers on the same connection as its hosts, and some signs tell them apart:
//
//   - what is no HTTP is the proxy's: it forwards messages, not octets (RFC 9112), and
//     has to answer 502 where it cannot read one;
//   - 407 is the proxy's, as is a 401 to the first request with a password that nobody
//     says to have forwarded (tinyproxy answers so to a wrong one); and an error in the Proxy-Status field (RFC 9209) is told by
//     the proxy which puts its name last;
//   - a connection that closes, an answer that does not come, and a 502, 503 or 504 that
//     nobody says to have forwarded (Via, RFC 9110 section 7.6.3) may be the doing of
//     either. They are held against the host, which is asked through another proxy if
//     there is one, until hosts in a row have it, and against a proxy at once that has
//     never carried anything.

// through judges what came of a request through a proxy.
func (t *routed) through(p *proxy, req *http.Request, forward bool, resp *http.Response, err error) (*http.Response, error) {
	switch {
	case err == nil && !forward:
		p.carried()
		return resp, nil
	case err == nil:
		if err = t.forwarded(p, resp); err != nil {
			resp.Body.Close()
			return nil, err
		}
		return resp, nil
	case isFault(err) || req.Context().Err() != nil || isShort(err):
		return nil, err
	case !forward:
		// A tunnel that carries no TLS was never one, unless it has been before.
		if record, ok := errors.AsType[tls.RecordHeaderError](err); ok && !p.hasCarried() {
			return nil, t.garbled(p, record)
		}
		return nil, err
	case isProtocol(err):
		return nil, t.garbled(p, err)
	case isReset(err) && !p.hasCarried():
		return nil, t.garbled(p, fmt.Errorf("it closed the connection without an answer: %w", err))
	case isReset(err), isTimeout(err):
		t.suspect(p, req.URL.Host, hostPort(req.URL), "did not answer")
	}
	return nil, err
}

func (p *proxy) hasCarried() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.passed
}

// garbled is the error of a proxy that has taken a request and answered with what is no
// HTTP. The host may have been asked: it is for the next attempt to go elsewhere.
func (t *routed) garbled(p *proxy, err error) error {
	t.opt.Log.Debug("a proxy did not answer as one", "proxy", p.name(), "error", err)
	if p.garbled() {
		t.setAside(p, p.fault(err, false))
	}
	return &crawler.FetchError{Class: crawler.ClassProxy, Temporary: true, Sent: true, Err: fmt.Errorf("the proxy %s: %w", p.name(), err)}
}

// suspect notes what may be the doing of a host or of its proxy.
func (t *routed) suspect(p *proxy, host, key, what string) {
	if p.stayedSilent(key) {
		t.setAside(p, p.fault(fmt.Errorf("%d hosts in a row %s behind it, the last %s", suspects, what, host), false))
	}
}

func (t *routed) setAside(p *proxy, fault *proxyFault) {
	if p.failed(fault, t.opt.Now()) {
		t.opt.Log.Warn("a proxy is set aside", "proxy", p.name(), "error", fault.err)
	}
}

// forwarded makes an error of a proxy's refusal to forward a request. Once it has
// forwarded answers, a status that asks for credentials may be that of a host, which
// must not be able to have proxies set aside.
func (t *routed) forwarded(p *proxy, resp *http.Response) error {
	host := resp.Request.URL.Host
	switch status := resp.StatusCode; {
	case status == http.StatusProxyAuthRequired && p.hasCarried():
		return p.declines(host, errors.New("status 407"))
	case status == http.StatusProxyAuthRequired,
		status == http.StatusUnauthorized && p.url.User != nil && resp.Header.Get("Via") == "" && !p.hasCarried():
		err := p.answered(resp, host)
		if fault, ok := errors.AsType[*proxyFault](err); ok {
			t.setAside(p, fault)
		}
		return err
	case status >= 400:
		switch cause := proxyError(resp.Header); {
		case strings.HasPrefix(cause, "proxy_"):
			t.suspect(p, host, hostPort(resp.Request.URL), "were told of "+cause)
			return &crawler.FetchError{Class: crawler.ClassProxy, Temporary: true, Sent: true,
				Err: fmt.Errorf("the proxy %s: status %d, %s", p.name(), status, cause)}
		case cause == "http_request_denied":
			return p.declines(host, fmt.Errorf("status %d, %s", status, cause))
		}
	}
	switch resp.StatusCode {
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		if resp.Header.Get("Via") == "" || resp.Header.Get("X-Squid-Error") != "" {
			t.suspect(p, host, hostPort(resp.Request.URL), fmt.Sprintf("had status %d", resp.StatusCode))
			return nil
		}
	}
	p.carried()
	return nil
}

// proxyError is the error that the last proxy on the way tells of, the one that was asked
// (RFC 9209 section 2), "" where it tells of none.
func proxyError(h http.Header) string {
	list, err := httpsfv.UnmarshalList(h.Values("Proxy-Status"))
	if err != nil || len(list) == 0 {
		return ""
	}
	var params *httpsfv.Params
	switch last := list[len(list)-1].(type) {
	case httpsfv.Item:
		params = last.Params
	case httpsfv.InnerList:
		params = last.Params
	}
	if params == nil {
		return ""
	}
	value, _ := params.Get("error")
	cause, _ := value.(httpsfv.Token)
	return string(cause)
}
