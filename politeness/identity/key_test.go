package identity

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func TestSaveAndLoad(t *testing.T) {
	key, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "bot.pem")
	if err := key.Save(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	var log bytes.Buffer
	loaded, err := Load(path, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil || loaded.ID() != key.ID() || !loaded.private.Equal(key.private) || log.Len() != 0 {
		t.Errorf("%v, %v, %s", loaded, err, &log)
	}

	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := loaded.Save(path); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), path) {
		t.Errorf("saved over a key: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
		t.Errorf("the file is another one: %v", err)
	}
	if err := loaded.Save(filepath.Join(path, "x")); err == nil {
		t.Error("saved below a file")
	}

	if runtime.GOOS == "windows" {
		return
	}
	if err := os.Chmod(path, 0o640); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path, slog.New(slog.NewTextHandler(&log, nil))); err != nil || !strings.Contains(log.String(), path) {
		t.Errorf("%v, logged %q", err, &log)
	}
	if _, err := Load(path, nil); err != nil {
		t.Error(err)
	}
}

func TestLoadRefuses(t *testing.T) {
	curve, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	block := func(kind string, key any) string {
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		return string(pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}))
	}
	_, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	good := block("PRIVATE KEY", private)
	for name, x := range map[string]struct{ text, says string }{
		"empty":     {"", "no PEM"},
		"text":      {"not a key", "no PEM"},
		"public":    {block("PUBLIC KEY", private), `"PUBLIC KEY"`},
		"encrypted": {block("ENCRYPTED PRIVATE KEY", private), "unencrypted"},
		"openssh":   {block("OPENSSH PRIVATE KEY", private), "OPENSSH"},
		"curve":     {block("PRIVATE KEY", curve), "wanted Ed25519"},
		"two":       {good + good, "more than one"},
		"broken":    {"-----BEGIN PRIVATE KEY-----\nMC4C\n-----END PRIVATE KEY-----\n", "asn1"},
		"long":      {good + strings.Repeat("\n", maxKeyFile), "more than 65536"},
		"example":   {block("PRIVATE KEY", exampleKey(t).private), "the example of RFC 9421"},
	} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte(x.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Load(path, nil); !errors.Is(err, ErrKey) || !strings.Contains(err.Error(), x.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Load(t.TempDir(), nil); !errors.Is(err, ErrKey) {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Load(filepath.Join(t.TempDir(), "none"), nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

func FuzzParseKey(f *testing.F) {
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnF\n-----END PRIVATE KEY-----\n"))
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIJ+DYvh6SEqVTm50DFtMDoQikTmiCqirVv9mWG9qfSnE\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if key, err := parseKey(text); err == nil && len(key.private) != ed25519.PrivateKeySize || err != nil && !errors.Is(err, ErrKey) {
			t.Fatal(key, err)
		}
	})
}

// No verb and no log shows the private half.
func TestKeyIsNotPrinted(t *testing.T) {
	key, err := Generate()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		fmt.Fprintf(&b, verb+verb, key, *key)
	}
	slog.New(slog.NewTextHandler(&b, nil)).Info("x", "key", key, "value", *key)
	slog.New(slog.NewJSONHandler(&b, nil)).Info("x", "key", key, "value", *key)
	if n := strings.Count(b.String(), "ed25519:"+key.ID()); n < 16 {
		t.Errorf("the identifier is printed %d times:\n%s", n, &b)
	}
	seed := key.private.Seed()
	for _, form := range []string{fmt.Sprintf("%x", seed[:8]), fmt.Sprintf("%d %d %d", seed[0], seed[1], seed[2]), base64.StdEncoding.EncodeToString(seed[:9])} {
		if strings.Contains(b.String(), form) {
			t.Errorf("the seed is printed:\n%s", &b)
		}
	}
}

func TestDirectory(t *testing.T) {
	var keys []*Key
	for range 2 {
		key, err := Generate()
		if err != nil {
			t.Fatal(err)
		}
		keys = append(keys, key)
	}
	body := Directory(keys...)
	var set struct{ Keys []map[string]any }
	if err := json.Unmarshal(body, &set); err != nil || len(set.Keys) != 2 {
		t.Fatalf("%s: %v", body, err)
	}
	for i, k := range set.Keys {
		x, err := base64.RawURLEncoding.DecodeString(k["x"].(string))
		if err != nil || !keys[i].Public().Equal(ed25519.PublicKey(x)) || k["kid"] != keys[i].ID() ||
			k["kty"] != "OKP" || k["crv"] != "Ed25519" || k["use"] != "sig" || len(k) != 5 {
			t.Errorf("%v", k)
		}
	}

	header, err := DirectoryHeader("https://bot.example:8443"+Path, body, noon, time.Hour, keys...)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(body)
	digest := "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
	if header.Get("Content-Type") != MediaType || header.Get("Content-Digest") != digest {
		t.Errorf("%v", header)
	}
	inputs := strings.Split(header.Get("Signature-Input"), ", ")
	signatures := strings.Split(header.Get("Signature"), ", ")
	if len(inputs) != 2 || len(signatures) != 2 {
		t.Fatalf("%v", header)
	}
	for i, key := range keys {
		label, rest, _ := strings.Cut(inputs[i], "=")
		want := fmt.Sprintf(`("@authority";req "content-digest");created=%d;expires=%d;keyid="%s";alg="ed25519";tag="http-message-signatures-directory"`, noon.Unix(), noon.Unix()+3600, key.ID())
		if rest != want {
			t.Errorf("%s\nwant %s", rest, want)
		}
		octets, err := base64.StdEncoding.DecodeString(strings.Trim(strings.TrimPrefix(signatures[i], label+"="), ":"))
		base := "\"@authority\";req: bot.example:8443\n\"content-digest\": " + digest + "\n\"@signature-params\": " + rest
		if err != nil || !ed25519.Verify(key.Public(), []byte(base), octets) {
			t.Errorf("%s does not verify, %v", label, err)
		}
	}
	for _, lifetime := range []time.Duration{0, -time.Hour, MaxDirectoryLifetime + time.Second} {
		if _, err := DirectoryHeader("https://bot.example", body, noon, lifetime, keys...); !errors.Is(err, ErrOptions) {
			t.Errorf("%v: %v", lifetime, err)
		}
	}
	if _, err := DirectoryHeader("http://bot.example", body, noon, time.Hour, keys...); !errors.Is(err, ErrOptions) {
		t.Error(err)
	}
}
