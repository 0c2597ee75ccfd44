package identity

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// What Verify says of a request that it does not verify.
var (
	// ErrUnsigned means that there is no signature for Web Bot Auth: nothing is
	// known of the sender.
	ErrUnsigned = errors.New("request has no web-bot-auth signature")
	// ErrUnknownKey means that the key could not be found, so that nothing can be
	// said of the signature.
	ErrUnknownKey = errors.New("signing key is not known")
	// ErrInvalid means that the signature is malformed, expired or wrong.
	ErrInvalid = errors.New("signature is not valid")
)

// maxSignatures is how many signatures for Web Bot Auth Verify looks at.
const maxSignatures = 4

// VerifyOptions say what to hold a request against.
type VerifyOptions struct {
	// Keys finds a public key by the origin that is said to publish it, such as
	// https://bot.example, and by its identifier. A key that another origin
	// publishes must not be returned. The origin is the sender's choice: whoever
	// fetches from it has to bound and guard that fetch. Its error is wrapped in
	// ErrUnknownKey. Required.
	Keys func(origin, keyID string) (ed25519.PublicKey, error)
	// Now is the time; required.
	Now time.Time
	// Skew is how far a signature's creation may lie in the future.
	Skew time.Duration
	// MaxLifetime is the longest lifetime to accept; zero is 24 hours.
	MaxLifetime time.Duration
	// Scheme is the scheme that the client used, for servers behind a proxy that
	// ends TLS. Empty is the request's own.
	Scheme string
}

// Verified is what a valid signature says.
type Verified struct {
	Label            string // of the signature
	Agent            string // the origin that publishes the key
	KeyID            string
	Nonce            string // empty where there is none; Verify does not remember it
	Created, Expires time.Time
	// Covered are the covered components as they stand in the request, "@authority"
	// or "@target-uri" and "signature-agent" always among them.
	Covered []string
}

// Verify checks that a received request carries a valid Web Bot Auth signature
// (RFC 9421 section 3.2). Where it carries several, the first valid one counts.
// Errors wrap ErrUnsigned, ErrUnknownKey or ErrInvalid.
func Verify(req *http.Request, o VerifyOptions) (Verified, error) {
	inputs, err := signatureField(req.Header, fieldInput)
	if err != nil {
		return Verified{}, err
	}
	signatures, err := signatureField(req.Header, fieldSignature)
	if err != nil {
		return Verified{}, err
	}
	m, err := requestMessage(req, o.Scheme)
	if err != nil {
		return Verified{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	failed, seen := ErrUnsigned, 0
	for _, input := range inputs {
		if input.params.get("tag") != tagBot {
			continue
		}
		if seen++; seen > maxSignatures {
			break
		}
		signature, _ := signatures.get(input.key)
		octets, _ := signature.value.([]byte)
		v, err := verifyOne(m, input, octets, o)
		if err == nil {
			return v, nil
		}
		if seen == 1 {
			failed = fmt.Errorf("%s: %w", input.key, err)
		}
	}
	return Verified{}, failed
}

// signatureField reads one of the two dictionaries. A key or parameter that
// stands twice could be read in two ways, so it is refused.
func signatureField(h http.Header, name string) (dictionary, error) {
	lines := h[name]
	if len(lines) == 0 {
		return nil, ErrUnsigned
	}
	d, twice, err := parseDictionary(combined(lines))
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrInvalid, name, err)
	}
	if twice != "" {
		return nil, fmt.Errorf("%w: %s: %q stands twice", ErrInvalid, name, twice)
	}
	return d, nil
}

func verifyOne(m *message, input member, signature []byte, o VerifyOptions) (Verified, error) {
	v, err := claims(m, input, o)
	if err != nil {
		return Verified{}, err
	}
	base, err := signatureBase(m, input.item)
	if err != nil {
		return Verified{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	if len(signature) != ed25519.SignatureSize {
		return Verified{}, fmt.Errorf("%w: a signature of %d octets", ErrInvalid, len(signature))
	}
	public, err := o.Keys(v.Agent, v.KeyID)
	if err != nil {
		return Verified{}, fmt.Errorf("%w: %w", ErrUnknownKey, err)
	}
	if len(public) != ed25519.PublicKeySize || Thumbprint(public) != v.KeyID {
		return Verified{}, fmt.Errorf("%w: keyid is not the thumbprint of the key", ErrInvalid)
	}
	if !ed25519.Verify(public, base, signature) {
		return Verified{}, fmt.Errorf("%w: it was made over something else or by another key", ErrInvalid)
	}
	return v, nil
}

// claims reads what a signature says of itself and refuses what is out of date
// or out of the ordinary.
func claims(m *message, input member, o VerifyOptions) (Verified, error) {
	bad := func(format string, args ...any) (Verified, error) {
		return Verified{}, fmt.Errorf("%w: %s", ErrInvalid, fmt.Sprintf(format, args...))
	}
	ps := input.params
	if alg := ps.get("alg"); alg != nil && alg != algorithm {
		return bad("algorithm %v", alg)
	}
	created, hasCreated := ps.get("created").(int64)
	expires, hasExpires := ps.get("expires").(int64)
	keyID, hasKey := ps.get("keyid").(string)
	if !hasCreated || !hasExpires || !hasKey {
		return bad("created, expires and keyid are needed")
	}
	nonce, _ := ps.get("nonce").(string)
	v := Verified{Label: input.key, KeyID: keyID, Nonce: nonce, Created: time.Unix(created, 0), Expires: time.Unix(expires, 0)}
	longest := o.MaxLifetime
	if longest == 0 {
		longest = 24 * time.Hour
	}
	switch {
	case v.Created.After(o.Now.Add(o.Skew)):
		return bad("created in the future, %s", v.Created.UTC().Format(time.RFC3339))
	case !v.Expires.After(o.Now):
		return bad("expired %s", v.Expires.UTC().Format(time.RFC3339))
	case v.Expires.Sub(v.Created) > longest:
		return bad("a lifetime of more than %v", longest)
	}
	return coverage(m, input, v)
}

// coverage finds the components that Web Bot Auth asks for, and the origin that
// the covered part of Signature-Agent names.
func coverage(m *message, input member, v Verified) (Verified, error) {
	list, _ := input.value.(innerList)
	place := false
	for _, c := range list {
		text, err := appendItem(nil, c)
		if err != nil {
			return Verified{}, fmt.Errorf("%w: %w", ErrInvalid, err)
		}
		v.Covered = append(v.Covered, string(text))
		switch {
		case (c.value == "@authority" || c.value == "@target-uri") && len(c.params) == 0:
			place = true
		case c.value == "signature-agent" && v.Agent == "":
			if v.Agent, err = m.agent(c.params); err != nil {
				return Verified{}, err
			}
		}
	}
	if !place || v.Agent == "" {
		return Verified{}, fmt.Errorf("%w: @authority and signature-agent have to be covered", ErrInvalid)
	}
	return v, nil
}

// agent is the origin in Signature-Agent, in either form.
func (m *message) agent(ps params) (string, error) {
	if len(ps) > 1 || len(ps) == 1 && ps[0].key != "key" {
		return "", fmt.Errorf("%w: signature-agent with other parameters than key", ErrInvalid)
	}
	text, err := m.component("signature-agent", ps)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	it, err := parseItem(text)
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrInvalid, fieldAgent, err)
	}
	if kind := it.params.get("type"); kind != nil && kind != token("directory") {
		return "", fmt.Errorf("%w: published by way of %v", ErrUnknownKey, kind)
	}
	uri, _ := it.value.(string)
	origin, err := Origin(uri)
	if err != nil || strings.HasSuffix(uri, Path) {
		return "", fmt.Errorf("%w: %s is no https origin", ErrInvalid, fieldAgent)
	}
	return origin, nil
}
