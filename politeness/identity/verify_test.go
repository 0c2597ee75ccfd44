package identity

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// signedRequest is a request as the server of a.example receives it.
func signedRequest(t testing.TB, s *Signer) *http.Request {
	t.Helper()
	req := &http.Request{Method: "GET", Host: "a.example", URL: &url.URL{Scheme: "https", Host: "a.example", Path: "/x"}, Header: http.Header{"X": {"1"}}}
	if err := s.Sign(req, noon); err != nil {
		t.Fatal(err)
	}
	return req
}

func verifying(key *Key) VerifyOptions {
	return VerifyOptions{Now: noon.Add(30 * time.Second), Keys: func(origin, id string) (ed25519.PublicKey, error) {
		if origin != "https://bot.example" || id != key.ID() {
			return nil, fmt.Errorf("%s publishes no %s", origin, id)
		}
		return key.Public(), nil
	}}
}

func TestVerify(t *testing.T) {
	for _, form := range []Form{String, Dictionary} {
		s := newSigner(t, Options{Form: form, Lifetime: 2 * time.Minute})
		v, err := Verify(signedRequest(t, s), verifying(s.opt.Key))
		if err != nil {
			t.Fatal(err)
		}
		if v.Agent != "https://bot.example" || v.KeyID != s.opt.Key.ID() || v.Label != "sig1" || len(v.Nonce) != 88 ||
			!v.Created.Equal(noon) || !v.Expires.Equal(noon.Add(2*time.Minute)) || v.Covered[0] != `"@authority"` || len(v.Covered) != 2 {
			t.Errorf("%+v", v)
		}
	}
}

// resign replaces parts of Signature-Input and signs what comes out of it.
func resign(t *testing.T, s *Signer, req *http.Request, pairs ...string) {
	t.Helper()
	text := strings.NewReplacer(pairs...).Replace(req.Header.Get(fieldInput))
	m, err := requestMessage(req, "")
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(fieldInput, text)
	d, _, err := parseDictionary(text)
	if err != nil || len(d) != 1 {
		return // what cannot be read cannot be signed
	}
	if _, signature, err := sign(m, "sig1", d[0].item, s.opt.Key); err == nil {
		req.Header.Set(fieldSignature, signature)
	}
}

// fault is something wrong with a request or its verification.
type fault func(*testing.T, *Signer, *http.Request, *VerifyOptions)

func resigned(pairs ...string) fault {
	return func(t *testing.T, s *Signer, req *http.Request, _ *VerifyOptions) { resign(t, s, req, pairs...) }
}

func rewritten(field, old, text string) fault {
	return func(_ *testing.T, _ *Signer, req *http.Request, _ *VerifyOptions) {
		req.Header.Set(field, strings.Replace(req.Header.Get(field), old, text, 1))
	}
}

func received(change func(*http.Request)) fault {
	return func(_ *testing.T, _ *Signer, req *http.Request, _ *VerifyOptions) { change(req) }
}

func held(change func(*VerifyOptions)) fault {
	return func(_ *testing.T, _ *Signer, _ *http.Request, o *VerifyOptions) { change(o) }
}

// Each of these is wrong in one way only: where the signature speaks of the
// fault itself, it is a true signature.
var faults = map[string]struct {
	want  error
	cause fault
}{
	"another authority": {ErrInvalid, received(func(req *http.Request) { req.Host = "b.example" })},
	"another port":      {ErrInvalid, received(func(req *http.Request) { req.Host += ":8443" })},
	"no authority":      {ErrInvalid, received(func(req *http.Request) { req.Host = "a b" })},
	"expired":           {ErrInvalid, held(func(o *VerifyOptions) { o.Now = noon.Add(time.Minute) })},
	"not yet":           {ErrInvalid, held(func(o *VerifyOptions) { o.Now = noon.Add(-time.Second) })},
	"too long":          {ErrInvalid, held(func(o *VerifyOptions) { o.MaxLifetime = 59 * time.Second })},
	"unknown key": {ErrUnknownKey, held(func(o *VerifyOptions) {
		o.Keys = func(string, string) (ed25519.PublicKey, error) { return nil, errors.New("none") }
	})},
	"wrong key": {ErrInvalid, held(func(o *VerifyOptions) {
		o.Keys = func(string, string) (ed25519.PublicKey, error) {
			return newKey(ed25519.NewKeyFromSeed(make([]byte, 32))).Public(), nil
		}
	})},
	"key under another name": {ErrInvalid, func(t *testing.T, s *Signer, req *http.Request, o *VerifyOptions) {
		resign(t, s, req, s.opt.Key.ID(), "bot-key-1")
		o.Keys = func(string, string) (ed25519.PublicKey, error) { return s.opt.Key.Public(), nil }
	}},
	"signed by another key": {ErrInvalid, func(t *testing.T, _ *Signer, req *http.Request, _ *VerifyOptions) {
		resign(t, newSigner(t, Options{}), req)
	}},
	"short key": {ErrInvalid, held(func(o *VerifyOptions) {
		o.Keys = func(string, string) (ed25519.PublicKey, error) { return nil, nil }
	})},
	"another agent":         {ErrUnknownKey, rewritten(fieldAgent, "bot", "cat")},
	"agent of no origin":    {ErrInvalid, rewritten(fieldAgent, "bot.example", "bot.example/x")},
	"agent on http":         {ErrInvalid, rewritten(fieldAgent, "https", "http")},
	"agent unquoted":        {ErrInvalid, rewritten(fieldAgent, `"`, ``)},
	"agent twice":           {ErrInvalid, rewritten(fieldAgent, `"https`, `"https://x.example", "https`)},
	"agent by another way":  {ErrUnknownKey, rewritten(fieldAgent, `example"`, `example";type=jwks_uri`)},
	"altered nonce":         {ErrInvalid, rewritten(fieldInput, `nonce="`, `nonce="A`)},
	"prolonged":             {ErrInvalid, rewritten(fieldInput, `expires=1`, `expires=2`)},
	"altered signature":     {ErrInvalid, rewritten(fieldSignature, `sig1=:`, `sig1=:AAAA`)},
	"signature of no type":  {ErrInvalid, rewritten(fieldSignature, `sig1=`, `sig1=1, x=`)},
	"other label":           {ErrInvalid, rewritten(fieldSignature, `sig1=`, `sig2=`)},
	"label twice":           {ErrInvalid, rewritten(fieldSignature, `sig1=`, `sig1=:AAAA:, sig1=`)},
	"input twice":           {ErrInvalid, rewritten(fieldInput, `sig1=`, `sig1=("@path");tag="x", sig1=`)},
	"broken input":          {ErrInvalid, rewritten(fieldInput, `sig1=(`, `sig1=((`)},
	"broken signature":      {ErrInvalid, rewritten(fieldSignature, `sig1=:`, `sig1=`)},
	"parameter twice":       {ErrInvalid, resigned(`;tag=`, `;created=1;created=1795435200;tag=`)},
	"keyid twice":           {ErrInvalid, resigned(`;alg=`, `;keyid="x";alg=`)},
	"component twice":       {ErrInvalid, resigned(`"@authority"`, `"@authority" "@authority"`)},
	"authority not covered": {ErrInvalid, resigned(`"@authority" `, ``)},
	"only the path":         {ErrInvalid, resigned(`"@authority"`, `"@path"`)},
	"agent not covered":     {ErrInvalid, resigned(` "signature-agent"`, ``)},
	"agent as octets":       {ErrInvalid, resigned(`"signature-agent"`, `"signature-agent";bs`)},
	"no such member":        {ErrInvalid, resigned(`"signature-agent"`, `"signature-agent";key="x"`)},
	"missing field":         {ErrInvalid, resigned(`"@authority"`, `"@authority" "y"`)},
	"another algorithm":     {ErrInvalid, resigned(`alg="ed25519"`, `alg="hmac-sha256"`)},
	"algorithm as a token":  {ErrInvalid, resigned(`alg="ed25519"`, `alg=ed25519`)},
	"no created":            {ErrInvalid, resigned(`;created=`, `;x=`)},
	"no expires":            {ErrInvalid, resigned(`;expires=`, `;x=`)},
	"expires as a decimal":  {ErrInvalid, resigned(`;nonce`, `.0;nonce`)},
	"no keyid":              {ErrInvalid, resigned(`;keyid=`, `;x=`)},
	"no tag":                {ErrUnsigned, resigned(`;tag=`, `;x=`)},
	"another tag":           {ErrUnsigned, resigned(`web-bot-auth`, `web-bot-auth2`)},
	"unsigned":              {ErrUnsigned, received(func(req *http.Request) { strip(req.Header) })},
	"no signature":          {ErrUnsigned, received(func(req *http.Request) { req.Header.Del(fieldSignature) })},
	"no agent":              {ErrInvalid, received(func(req *http.Request) { req.Header.Del(fieldAgent) })},
}

func TestVerifyRefuses(t *testing.T) {
	for name, x := range faults {
		t.Run(name, func(t *testing.T) {
			s := newSigner(t, Options{})
			req, o := signedRequest(t, s), verifying(s.opt.Key)
			x.cause(t, s, req, &o)
			if v, err := Verify(req, o); !errors.Is(err, x.want) {
				t.Errorf("%+v, %v, want %v\n%v", v, err, x.want, req.Header)
			}
		})
	}
}

// The same changes that keep within the rules are accepted.
func TestVerifyAccepts(t *testing.T) {
	for name, pairs := range map[string][]string{
		"the same":           {},
		"target URI":         {`"@authority"`, `"@target-uri"`},
		"more components":    {`"@authority"`, `"@authority" "@method" "@path" "@query" "@scheme" "x" "x";bs`},
		"without algorithm":  {`;alg="ed25519"`, ``},
		"another order":      {`;tag="web-bot-auth"`, ``, `;created`, `;tag="web-bot-auth";created`},
		"further parameters": {`;tag`, `;x=?0;y=:YQ==:;z=1.50;tag`},
	} {
		s := newSigner(t, Options{})
		req := signedRequest(t, s)
		resign(t, s, req, pairs...)
		if _, err := Verify(req, verifying(s.opt.Key)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	s := newSigner(t, Options{})
	req, o := signedRequest(t, s), verifying(s.opt.Key)
	req.URL = &url.URL{Path: "/x"} // behind a proxy that ends TLS
	req.Host, o.Scheme = "a.example:443", "https"
	if _, err := Verify(req, o); err != nil {
		t.Error(err)
	}
	o.Now, o.Skew = noon.Add(-5*time.Second), 5*time.Second
	if _, err := Verify(req, o); err != nil {
		t.Error(err)
	}
}

// A proxy may add a signature of its own; not more than a few are looked at.
func TestSeveralSignatures(t *testing.T) {
	for n, valid := range map[int]bool{1: true, maxSignatures - 1: true, maxSignatures: false} {
		s := newSigner(t, Options{})
		req := signedRequest(t, s)
		var before strings.Builder
		for i := range n {
			fmt.Fprintf(&before, `proxy%d=("@authority");created=1;tag="web-bot-auth", `, i)
		}
		req.Header.Set(fieldInput, `x=("@path");tag="other", `+before.String()+req.Header.Get(fieldInput))
		if _, err := Verify(req, verifying(s.opt.Key)); (err == nil) != valid {
			t.Errorf("after %d others: %v", n, err)
		}
	}
}

// Whatever octet of the three fields is changed, the signature is refused.
func TestEveryOctetCounts(t *testing.T) {
	for _, form := range []Form{String, Dictionary} {
		s := newSigner(t, Options{Form: form})
		rapid.Check(t, func(t *rapid.T) {
			req := &http.Request{Method: "GET", Host: "a.example", URL: &url.URL{Scheme: "https"}}
			if err := s.Sign(req, noon); err != nil {
				t.Fatal(err)
			}
			name := rapid.SampledFrom([]string{fieldAgent, fieldInput, fieldSignature}).Draw(t, "field")
			text := []byte(req.Header.Get(name))
			at := rapid.IntRange(0, len(text)-1).Draw(t, "at")
			octet := rapid.ByteRange(' ', '~').Draw(t, "octet")
			if text[at] == octet {
				return
			}
			text[at] = octet
			req.Header.Set(name, string(text))
			if v, err := Verify(req, verifying(s.opt.Key)); err == nil {
				t.Fatalf("%s: %s is accepted as %+v", name, text, v)
			}
		})
	}
}

// Nothing that a client sends can panic, or pass without the key.
func FuzzVerify(f *testing.F) {
	for _, x := range botExamples {
		f.Add("example.com", x.agent, x.input, x.signature)
	}
	f.Add("a.example", `sig1="https://bot.example";type=directory`, `sig1=("@target-uri" "signature-agent";key="sig1");created=1;expires=2;keyid="x";tag="web-bot-auth"`, `sig1=:YQ==:`)
	key, err := Generate()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, host, agent, input, signature string) {
		req := &http.Request{Host: host, RequestURI: "/" + input, Header: http.Header{fieldAgent: {agent}, fieldInput: {input}, fieldSignature: {signature}}}
		_, err := Verify(req, VerifyOptions{Now: time.Unix(1735689660, 0), Keys: func(string, string) (ed25519.PublicKey, error) { return key.Public(), nil }})
		if err == nil {
			t.Fatal("accepted")
		}
		if !errors.Is(err, ErrUnsigned) && !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrUnknownKey) {
			t.Fatal(err)
		}
	})
}
