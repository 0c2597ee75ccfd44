package identity

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"testing"
	"time"
)

// The key test-key-ed25519 of RFC 9421 appendix B.1.4.
func exampleKey(t testing.TB) *Key {
	t.Helper()
	seed, err := base64.RawURLEncoding.DecodeString("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU")
	if err != nil {
		t.Fatal(err)
	}
	return newKey(ed25519.NewKeyFromSeed(seed))
}

// member reads a field with one member.
func oneMember(t testing.TB, field string) member {
	t.Helper()
	d, twice, err := parseDictionary(field)
	if err != nil || twice != "" || len(d) != 1 {
		t.Fatalf("%s: %v, %q twice, %v", field, d, twice, err)
	}
	return d[0]
}

// RFC 9421 appendix B.2.6, the request test-request with the Ed25519 key.
func TestRequestOfRFC9421(t *testing.T) {
	req, err := http.NewRequest(http.MethodPost, "https://example.com/foo?param=Value&Pet=dog", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header = http.Header{
		"Date":           {"Tue, 20 Apr 2021 02:07:55 GMT"},
		"Content-Type":   {"application/json"},
		"Content-Length": {"18"},
	}
	m, err := requestMessage(req, "")
	if err != nil {
		t.Fatal(err)
	}
	covered := innerList{
		{value: "date"}, {value: "@method"}, {value: "@path"}, {value: "@authority"},
		{value: "content-type"}, {value: "content-length"},
	}
	input := item{covered, params{{"created", int64(1618884473)}, {"keyid", "test-key-ed25519"}}}
	base, err := signatureBase(m, input)
	if err != nil {
		t.Fatal(err)
	}
	const wantBase = `"date": Tue, 20 Apr 2021 02:07:55 GMT
"@method": POST
"@path": /foo
"@authority": example.com
"content-type": application/json
"content-length": 18
"@signature-params": ("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"`
	if string(base) != wantBase {
		t.Errorf("base:\n%s\nwant:\n%s", base, wantBase)
	}
	in, signature, err := sign(m, "sig-b26", input, exampleKey(t))
	if err != nil {
		t.Fatal(err)
	}
	if want := `sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519"`; in != want {
		t.Errorf("Signature-Input: %s", in)
	}
	if want := "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:"; signature != want {
		t.Errorf("Signature: %s", signature)
	}
}

// The Ed25519 examples of draft-ietf-webbotauth-httpsig-protocol, in both forms
// of Signature-Agent.
var botExamples = []struct{ name, agent, input, signature string }{
	{
		"dictionary", `agent2="https://signature-agent.test"`,
		`sig2=("@authority" "signature-agent";key="agent2");created=1735689600;keyid="poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";alg="ed25519";expires=4889289600;nonce="n9p433xm+NJ3ph3upfBIGmsuwHw387YV7Q/F+6BSpGCVjYCqQw6rznNA8PVVLySrAWsv0hQtFioQb6E1YsauiA==";tag="web-bot-auth"`,
		`sig2=:RdNFx5Bj6au3YgAMQL/RzmUlZE8QZLIaXGRpw985hWnwPfMxT228NMk6ehRS1PSl4e8PhbNZACSanGdhEwYCCg==:`,
	},
	{
		"string", `"https://signature-agent.test"`,
		`sig2=("@authority" "signature-agent");created=1735689600;keyid="poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";alg="ed25519";expires=1735693200;nonce="e8N7S2MFd/qrd6T2R3tdfAuuANngKI7LFtKYI/vowzk4lAZYadIX6wW25MwG7DCT9RUKAJ0qVkU0mEeLElW1qg==";tag="web-bot-auth"`,
		`sig2=:jdq0SqOwHdyHr9+r5jw3iYZH6aNGKijYp/EstF4RQTQdi5N5YYKrD+mCT1HA1nZDsi6nJKuHxUi/5Syp3rLWBA==:`,
	},
}

func TestVerifyExamplesOfTheDraft(t *testing.T) {
	key := exampleKey(t)
	for _, x := range botExamples {
		req, err := http.NewRequest(http.MethodGet, "https://example.com/path/to/resource", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{fieldAgent: {x.agent}, fieldInput: {x.input}, fieldSignature: {x.signature}}
		v, err := Verify(req, VerifyOptions{
			Now:         time.Unix(1735689660, 0),
			MaxLifetime: 200 * 365 * 24 * time.Hour,
			Keys: func(origin, id string) (ed25519.PublicKey, error) {
				if origin != "https://signature-agent.test" || id != key.ID() {
					t.Errorf("%s: asked for %s of %s", x.name, id, origin)
				}
				return key.Public(), nil
			},
		})
		if err != nil || v.Agent != "https://signature-agent.test" || v.Label != "sig2" || v.Created.Unix() != 1735689600 {
			t.Errorf("%s: %+v, %v", x.name, v, err)
		}
	}
}

// What a Signer sends is the string example to the octet, but for the label.
func TestSignTheExampleOfTheDraft(t *testing.T) {
	s, err := New(Options{Key: exampleKey(t), Agent: "https://signature-agent.test"})
	if err != nil {
		t.Fatal(err)
	}
	s.opt.Lifetime = time.Hour // longer than New allows
	s.nonce = func() string {
		return "e8N7S2MFd/qrd6T2R3tdfAuuANngKI7LFtKYI/vowzk4lAZYadIX6wW25MwG7DCT9RUKAJ0qVkU0mEeLElW1qg=="
	}
	req, err := http.NewRequest(http.MethodGet, "https://example.com/path/to/resource", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Sign(req, time.Unix(1735689600, 0)); err != nil {
		t.Fatal(err)
	}
	want := botExamples[1]
	for name, text := range map[string]string{
		fieldAgent: want.agent, fieldInput: "sig1" + want.input[4:], fieldSignature: "sig1" + want.signature[4:],
	} {
		if got := req.Header[name]; len(got) != 1 || got[0] != text {
			t.Errorf("%s: %q\nwant %q", name, got, text)
		}
	}
}

// The signed directory of the same draft.
func TestDirectoryOfTheDraft(t *testing.T) {
	body := []byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U","x":"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs","use":"sig"}]}`)
	const digest = "sha-256=:CADMT2aBdV/rqQr/NIru64ERQkCobVvllA4V0fLFDu0=:"
	if sum := sha256.Sum256(body); "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":" != digest {
		t.Error("the body is another one")
	}
	input := oneMember(t, `binding=("@authority";req "content-digest");created=1735689600;expires=4889289600;keyid="poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U";tag="http-message-signatures-directory"`)
	signature := oneMember(t, `binding=:l6P8R67tm3kujAxbHWio7ll01qrEZ0dKD/WWlGhNYEmTnFZM8Wt0VQ9zqGfvo7T/UMkBxsigzChM1Gpz7gOVBg==:`)
	m := &message{
		status:  http.StatusOK,
		header:  http.Header{"Content-Digest": {digest}},
		request: &message{authority: "signature-agent.test"},
	}
	base, err := signatureBase(m, input.item)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.HasPrefix(base, []byte("\"@authority\";req: signature-agent.test\n\"content-digest\": sha-256=:")) {
		t.Errorf("base:\n%s", base)
	}
	if !ed25519.Verify(exampleKey(t).Public(), base, signature.value.([]byte)) {
		t.Error("the signature is not valid")
	}
}

// RFC 8037 appendix A.3.
func TestThumbprint(t *testing.T) {
	public, err := base64.RawURLEncoding.DecodeString("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")
	if err != nil {
		t.Fatal(err)
	}
	if got := Thumbprint(public); got != "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k" {
		t.Errorf("thumbprint %s", got)
	}
}
