package identity

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

var (
	// ErrOptions means that a Signer cannot be made from these options.
	ErrOptions = errors.New("bad identity options")
	// ErrSign means that this one request cannot be signed; others may.
	ErrSign = errors.New("request cannot be signed")
)

// How long a signature lives, in whole seconds.
const (
	DefaultLifetime = time.Minute
	MaxLifetime     = 5 * time.Minute
)

// Form is the form of the field Signature-Agent.
type Form int

const (
	// String is the form of the drafts up to
	// draft-meunier-http-message-signatures-directory-03, "https://bot.example".
	// It is the default: widely deployed verifiers refuse the later form, and the
	// later drafts let verifiers go on accepting this one.
	String Form = iota
	// Dictionary is the form of the drafts since then,
	// sig1="https://bot.example", which draft-ietf-webbotauth-httpsig-protocol
	// asks of signers.
	Dictionary
)

// Options shape a Signer.
type Options struct {
	// Key signs; required.
	Key *Key
	// Agent is the https origin that publishes the key, or the URL of the
	// directory there; required.
	Agent string
	// Form is the form in which Agent is sent.
	Form Form
	// Lifetime is the time between created and expires, DefaultLifetime where it
	// is zero, at most MaxLifetime.
	Lifetime time.Duration
	// PlainHTTP signs requests over http too. Whoever can read such a request can
	// send it again to the same host until it expires.
	PlainHTTP bool
}

// Signer signs requests. It is safe for concurrent use.
type Signer struct {
	opt   Options
	nonce func() string
}

// The fields of a signed request, in canonical form.
const (
	fieldAgent     = "Signature-Agent"
	fieldInput     = "Signature-Input"
	fieldSignature = "Signature"
)

const (
	label     = "sig1"
	tagBot    = "web-bot-auth"
	algorithm = "ed25519"

	// Path is where an origin publishes its directory.
	Path = "/.well-known/http-message-signatures-directory"
)

// New makes a Signer. Errors wrap ErrOptions.
func New(o Options) (*Signer, error) {
	if o.Key == nil {
		return nil, fmt.Errorf("%w: no key", ErrOptions)
	}
	origin, err := Origin(o.Agent)
	if err != nil {
		return nil, err
	}
	o.Agent = origin
	if o.Lifetime == 0 {
		o.Lifetime = DefaultLifetime
	}
	if o.Lifetime < time.Second || o.Lifetime > MaxLifetime {
		return nil, fmt.Errorf("%w: a lifetime of %v, wanted 1s to %v", ErrOptions, o.Lifetime, MaxLifetime)
	}
	if o.Form != String && o.Form != Dictionary {
		return nil, fmt.Errorf("%w: form %d", ErrOptions, o.Form)
	}
	return &Signer{opt: o, nonce: newNonce}, nil
}

// Origin is the https origin of a directory, given as the origin or as the
// directory's URL, in the form in which it is sent. Errors wrap ErrOptions.
func Origin(agent string) (string, error) {
	bad := func(why string) (string, error) {
		return "", fmt.Errorf("%w: agent %q %s, wanted https://HOST or https://HOST%s", ErrOptions, agent, why, Path)
	}
	u, err := url.Parse(agent)
	switch {
	case err != nil:
		return bad("is no URL")
	case !strings.EqualFold(u.Scheme, "https"):
		return bad("is not https")
	case u.User != nil || u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || u.Opaque != "":
		return bad("is more than an origin")
	case u.EscapedPath() != "" && u.EscapedPath() != "/" && u.EscapedPath() != Path:
		return bad("has another path")
	}
	host, err := authority(u.Host, "https")
	if err != nil {
		return bad("has no host in ASCII")
	}
	return "https://" + host, nil
}

// newNonce is 64 random octets in base64, as the drafts recommend.
func newNonce() string {
	var b [64]byte
	_, _ = rand.Read(b[:]) // it never fails
	return base64.StdEncoding.EncodeToString(b[:])
}

// Sign gives a request its signature, created at the given time, in place of
// any that it had. A request on another scheme than https, or http where that
// was asked for, loses the fields of a signature and gets none. Errors wrap
// ErrSign and leave the request without a signature.
func (s *Signer) Sign(req *http.Request, now time.Time) error {
	strip(req.Header)
	if !s.covers(req) {
		return nil
	}
	m, err := requestMessage(req, "")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSign, err)
	}
	agent := item{value: s.opt.Agent}
	covered := item{value: "signature-agent"}
	if s.opt.Form == Dictionary {
		covered.params = params{{"key", label}}
	}
	field, err := appendItem(nil, agent)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSign, err)
	}
	if s.opt.Form == Dictionary {
		field = append([]byte(label+"="), field...)
	}
	m.header = http.Header{fieldAgent: {string(field)}}
	input := item{innerList{{value: "@authority"}, covered}, params{
		{"created", now.Unix()},
		{"keyid", s.opt.Key.id},
		{"alg", algorithm},
		{"expires", now.Add(s.opt.Lifetime).Unix()},
		{"nonce", s.nonce()},
		{"tag", tagBot},
	}}
	inputField, signatureField, err := sign(m, label, input, s.opt.Key)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrSign, err)
	}
	if req.Header == nil {
		req.Header = http.Header{}
	}
	req.Header[fieldAgent] = []string{string(field)}
	req.Header[fieldInput] = []string{inputField}
	req.Header[fieldSignature] = []string{signatureField}
	return nil
}

func (s *Signer) covers(req *http.Request) bool {
	if req.URL == nil {
		return false
	}
	scheme := strings.ToLower(req.URL.Scheme)
	return scheme == "https" || scheme == "http" && s.opt.PlainHTTP
}

// sign makes the values of Signature-Input and Signature.
func sign(m *message, label string, input item, key *Key) (inputs, signatures string, err error) {
	base, err := signatureBase(m, input)
	if err != nil {
		return "", "", err
	}
	in, err := appendItem([]byte(label+"="), input)
	if err != nil {
		return "", "", err
	}
	out, err := appendItem([]byte(label+"="), item{value: ed25519.Sign(key.private, base)})
	return string(in), string(out), err
}

// strip removes the fields of a signature, however they are written.
func strip(h http.Header) {
	for name := range h {
		switch http.CanonicalHeaderKey(name) {
		case fieldAgent, fieldInput, fieldSignature:
			delete(h, name)
		}
	}
}

// RoundTripper signs each request that passes, at the time it passes. It
// belongs right above the transport, below whatever repeats requests, so that
// every attempt has its own signature. A request that should be signed and
// cannot be is not sent; the error wraps ErrSign.
func (s *Signer) RoundTripper(next http.RoundTripper, now func() time.Time) http.RoundTripper {
	return &signing{signer: s, next: next, now: now}
}

type signing struct {
	signer *Signer
	next   http.RoundTripper
	now    func() time.Time
}

// RoundTrip implements http.RoundTripper, which leaves the request as it is.
func (t *signing) RoundTrip(req *http.Request) (*http.Response, error) {
	signed := new(http.Request)
	*signed = *req
	if signed.Header = req.Header.Clone(); signed.Header == nil {
		signed.Header = http.Header{}
	}
	if err := t.signer.Sign(signed, t.now()); err != nil {
		if req.Body != nil {
			_ = req.Body.Close() // nothing was read from it
		}
		return nil, fmt.Errorf("%s %s: %w", req.Method, req.URL.Redacted(), err)
	}
	return t.next.RoundTrip(signed)
}
