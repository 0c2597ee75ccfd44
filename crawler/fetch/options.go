package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"

	"golang.org/x/net/http/httpguts"

	"github.com/amblecrawl/amble/crawler/urls"
)

// ErrOptions means that a Client cannot be made from these options.
var ErrOptions = errors.New("bad fetch options")

// The defaults of Options.
const (
	DefaultTimeout   = 30 * time.Second
	DefaultMaxBody   = 10 << 20
	DefaultMaxHeader = 256 << 10
	DefaultWorkers   = 64
)

// Options shape a Client. The zero value of every field but UserAgent has a
// sane meaning.
type Options struct {
	// UserAgent is sent with every request; see the function UserAgent.
	UserAgent string
	// Timeout bounds a whole exchange, body included.
	Timeout time.Duration
	// Connect, TLS, ResponseHeader and IdleBody bound the phases of an
	// exchange: connecting to a host (its name already resolved), the TLS
	// handshake, the wait for the response's header once the request is
	// written, and a silence within the body. Zero derives them from Timeout.
	Connect, TLS, ResponseHeader, IdleBody time.Duration
	// MaxBody is the most bytes of body after decoding.
	MaxBody int64
	// MaxHeader is the most bytes of response header.
	MaxHeader int64
	// Workers is the number of exchanges at a time; it sizes the pools.
	Workers int
	// PerHost is the most exchanges at a time with one host: as many of its
	// connections are kept, and 8 at least.
	PerHost int
	// Memory bounds what bodies take while they arrive, in bytes; what finds no
	// room waits in a file. Zero: there is no bound.
	Memory int64
	// TempDir is the folder for these files; empty, the system's.
	TempDir string
	// MaxIdle is the most connections kept open for later requests; zero
	// derives it from Workers and Memory.
	MaxIdle int

	// Resolve gives addresses in place of DNS: the host of a URL, with its port
	// or, where no key has that, for every port, to "ip:port".
	Resolve map[string]string
	// Lookup resolves names; nil asks the system's resolver.
	Lookup func(ctx context.Context, host string) ([]netip.Addr, error)
	// DialControl is asked before every connect, after resolving; its error
	// refuses the address. Addresses of Resolve are no exception.
	DialControl func(network, address string, c syscall.RawConn) error
	// ErrPrivate is the sentinel in DialControl's refusals.
	ErrPrivate error

	// Routes are how hosts are reached; nil reaches all of them alike, directly.
	Routes *Routes

	// Guard wraps the network transport.
	Guard func(http.RoundTripper) http.RoundTripper
	// Schemes answer requests that are not for the web, by scheme.
	Schemes map[string]Scheme
	// ErrRefused is the sentinel in the guard's refusals. They are faults of
	// the program, not of a page, and pass through as plain errors.
	ErrRefused error
	// ErrLapsed is the sentinel of a guard to whom the request came too late:
	// nothing was sent, and Fetch gives crawler.ErrNotSent.
	ErrLapsed error

	// TLSConfig is cloned; nil takes the system's roots.
	TLSConfig *tls.Config
	Log       *slog.Logger
	Now       func() time.Time
}

// UserAgent makes the field's value: "agent/version (+contact)". Without a
// contact the parentheses are left out.
func UserAgent(agent, version, contact string) string {
	ua := agent
	if version != "" {
		ua += "/" + version
	}
	if contact != "" {
		ua += " (+" + contact + ")"
	}
	return ua
}

// withDefaults fills in what was left out and refuses what cannot work.
func (o Options) withDefaults() (Options, error) {
	if o.UserAgent == "" || !httpguts.ValidHeaderFieldValue(o.UserAgent) {
		return o, fmt.Errorf("%w: user agent %q", ErrOptions, o.UserAgent)
	}
	for name, v := range map[string]int64{
		"timeout": int64(o.Timeout), "connect": int64(o.Connect), "tls": int64(o.TLS),
		"response header": int64(o.ResponseHeader), "idle body": int64(o.IdleBody),
		"max body": o.MaxBody, "max header": o.MaxHeader, "workers": int64(o.Workers), "idle": int64(o.MaxIdle), "memory": o.Memory,
	} {
		if v < 0 {
			return o, fmt.Errorf("%w: %s is negative", ErrOptions, name)
		}
	}
	o.Timeout = orElse(o.Timeout, DefaultTimeout)
	o.Connect = orElse(o.Connect, min(10*time.Second, o.Timeout))
	o.TLS = orElse(o.TLS, min(10*time.Second, o.Timeout))
	o.ResponseHeader = orElse(o.ResponseHeader, o.Timeout*2/3)
	o.IdleBody = orElse(o.IdleBody, o.Timeout/2)
	o.MaxBody = orElse(o.MaxBody, DefaultMaxBody)
	o.MaxHeader = orElse(o.MaxHeader, DefaultMaxHeader)
	o.Workers = orElse(o.Workers, DefaultWorkers)
	o.MaxIdle = orElse(o.MaxIdle, usefulIdle(o))
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Lookup == nil {
		o.Lookup = func(ctx context.Context, host string) ([]netip.Addr, error) {
			return net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		}
	}
	if err := o.Routes.check(); err != nil {
		return o, err
	}
	resolve, err := overrides(o.Resolve)
	o.Resolve = resolve
	return o, err
}

// usefulIdle is as many connections as the workers have hosts to come back to: while
// hosts have their delay, a worker serves others, about eight at a delay of a second
// and answers after a seventh of it. More hosts than connections that are kept means
// a new one for each request. A kept one takes about 40 KiB.
func usefulIdle(o Options) int {
	most := 2048
	if o.Memory > 0 {
		most = int(min(int64(most), o.Memory/(16<<10)))
	}
	return min(max(128, 8*o.Workers), max(most, o.Workers))
}

// orElse is v, or the default d for a zero v.
func orElse[T comparable](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}

// overrides spells every key of resolve as URLs do: "host:port", or "host" for
// every port.
func overrides(resolve map[string]string) (map[string]string, error) {
	out := make(map[string]string, len(resolve))
	for from, to := range resolve {
		if _, err := netip.ParseAddrPort(to); err != nil {
			return nil, fmt.Errorf("%w: resolve %q to %q: want ip:port", ErrOptions, from, to)
		}
		key, port, err := urls.ParseHost(from)
		if err != nil {
			return nil, fmt.Errorf("%w: resolve: %w", ErrOptions, err)
		}
		if port != "" {
			key += ":" + port
		}
		if _, twice := out[key]; twice {
			return nil, fmt.Errorf("%w: resolve: %s is given twice", ErrOptions, key)
		}
		out[key] = to
	}
	return out, nil
}
