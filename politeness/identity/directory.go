package identity

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// MediaType is the media type of a directory.
const MediaType = "application/http-message-signatures-directory+json"

const tagDirectory = "http-message-signatures-directory"

// MaxDirectoryLifetime bounds the proof that DirectoryHeader makes.
const MaxDirectoryLifetime = 366 * 24 * time.Hour

// jwk is a public Ed25519 key (RFC 8037 section 2).
type jwk struct {
	Type  string `json:"kty"`
	Curve string `json:"crv"`
	ID    string `json:"kid"`
	X     string `json:"x"`
	Use   string `json:"use"`
}

// Directory is the document to publish at Path, a JSON Web Key Set (RFC 7517
// section 5) of the keys' public halves. Several keys are for the time in which
// a new one takes over from an old one.
func Directory(keys ...*Key) []byte {
	set := struct {
		Keys []jwk `json:"keys"`
	}{Keys: []jwk{}}
	for _, k := range keys {
		set.Keys = append(set.Keys, jwk{
			Type: "OKP", Curve: "Ed25519", ID: k.id,
			X: base64.RawURLEncoding.EncodeToString(k.Public()), Use: "sig",
		})
	}
	text, _ := json.MarshalIndent(set, "", "  ") // strings only
	return append(text, '\n')
}

// DirectoryHeader is the header to serve a directory with: its type, its digest
// (RFC 9530), and a signature of each key over the digest and over the origin,
// which proves that whoever publishes the keys holds them. It is good for
// exactly these octets of body, until now plus lifetime. Errors wrap ErrOptions.
func DirectoryHeader(agent string, body []byte, now time.Time, lifetime time.Duration, keys ...*Key) (http.Header, error) {
	origin, err := Origin(agent)
	if err != nil {
		return nil, err
	}
	if lifetime < time.Second || lifetime > MaxDirectoryLifetime {
		return nil, fmt.Errorf("%w: a lifetime of %v, wanted 1s to %v", ErrOptions, lifetime, MaxDirectoryLifetime)
	}
	sum := sha256.Sum256(body)
	digest := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	m := &message{
		status:  http.StatusOK,
		header:  http.Header{"Content-Digest": {digest}},
		request: &message{authority: strings.TrimPrefix(origin, "https://")},
	}
	var inputs, signatures []string
	for i, k := range keys {
		in, out, err := sign(m, fmt.Sprintf("key%d", i+1), directoryInput(k, now, lifetime), k)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrOptions, err)
		}
		inputs, signatures = append(inputs, in), append(signatures, out)
	}
	return http.Header{
		"Content-Type":   {MediaType},
		"Content-Digest": {digest},
		fieldInput:       {strings.Join(inputs, ", ")},
		fieldSignature:   {strings.Join(signatures, ", ")},
	}, nil
}

func directoryInput(k *Key, now time.Time, lifetime time.Duration) item {
	return item{
		innerList{{value: "@authority", params: params{{"req", true}}}, {value: "content-digest"}},
		params{
			{"created", now.Unix()},
			{"expires", now.Add(lifetime).Unix()},
			{"keyid", k.id},
			{"alg", algorithm},
			{"tag", tagDirectory},
		},
	}
}
