package identity

import (
	"crypto/ed25519"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"runtime"
)

// ErrKey means that a file is no key that can be signed with: make another one.
var ErrKey = errors.New("not a usable signing key")

// maxKeyFile bounds a key file, octets. A key takes about 120.
const maxKeyFile = 64 << 10

// Key is an Ed25519 key to sign with. It is safe for concurrent use, and prints
// as its identifier whatever verb is used.
type Key struct {
	private ed25519.PrivateKey
	id      string
}

// Generate makes a new key from the system's random numbers.
func Generate() (*Key, error) {
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	return newKey(private), nil
}

func newKey(private ed25519.PrivateKey) *Key {
	return &Key{private: private, id: Thumbprint(private.Public().(ed25519.PublicKey))}
}

// ID is the key's identifier, its thumbprint.
func (k Key) ID() string { return k.id }

// Public is the public half.
func (k Key) Public() ed25519.PublicKey {
	return append(ed25519.PublicKey(nil), k.private.Public().(ed25519.PublicKey)...)
}

// Format prints the identifier, and for no verb the private half.
func (k Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, "ed25519:"+k.id) }

// Thumbprint is the SHA-256 thumbprint of a public key as a JSON Web Key (RFC
// 7638, RFC 8037 appendix A.3) in base64url. It is what keyid and kid hold.
func Thumbprint(public ed25519.PublicKey) string {
	sum := sha256.Sum256([]byte(`{"crv":"Ed25519","kty":"OKP","x":"` + base64.RawURLEncoding.EncodeToString(public) + `"}`))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// examples are keys whose private halves stand in standards.
var examples = map[string]string{
	"poqkLGiymh_W0uP6PZFw-dvez3QJT5SolqXBCW38r0U": "RFC 9421",
	"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k": "RFC 8037",
}

// Save writes the key to a new file that only its owner may read, as PEM with
// PKCS #8. It fails with an error that wraps fs.ErrExist where there is a file
// already: a key that is in use must not get lost.
func (k Key) Save(path string) error {
	der, err := x509.MarshalPKCS8PrivateKey(k.private)
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("key: %w", err)
	}
	_, err = f.Write(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		_ = os.Remove(path) // half a key is of no use
		return fmt.Errorf("key %s: %w", path, err)
	}
	return nil
}

// Load reads a key that Save wrote, or that another program wrote in the same
// form (openssl genpkey -algorithm ed25519). A file that others than its owner
// may read is warned of. What is no such key is ErrKey; a file that cannot be
// read is the error of package os. Both name the path.
func Load(path string, log *slog.Logger) (*Key, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("key %s: %w: not a regular file", path, ErrKey)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxKeyFile+1))
	if err != nil {
		return nil, fmt.Errorf("key: %w", err)
	}
	key, err := parseKey(text)
	if err != nil {
		return nil, fmt.Errorf("key %s: %w", path, err)
	}
	if log != nil && exposed(info.Mode()) {
		log.Warn("others can read the signing key: take their right away (chmod 600)", "file", path, "mode", info.Mode().Perm().String())
	}
	return key, nil
}

func exposed(mode fs.FileMode) bool {
	return runtime.GOOS != "windows" && mode.Perm()&0o077 != 0
}

func parseKey(text []byte) (*Key, error) {
	if len(text) > maxKeyFile {
		return nil, fmt.Errorf("%w: the file has more than %d octets", ErrKey, maxKeyFile)
	}
	block, rest := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%w: no PEM block", ErrKey)
	}
	if block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf(`%w: the PEM block is %q, wanted an unencrypted "PRIVATE KEY"`, ErrKey, block.Type)
	}
	if next, _ := pem.Decode(rest); next != nil {
		return nil, fmt.Errorf("%w: more than one PEM block", ErrKey)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	private, ok := parsed.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("%w: it is a %T, wanted Ed25519", ErrKey, parsed)
	}
	key := newKey(private)
	if source, known := examples[key.id]; known {
		return nil, fmt.Errorf("%w: it is the example of %s, whose private half everyone knows", ErrKey, source)
	}
	return key, nil
}
