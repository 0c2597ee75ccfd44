package config

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// writePair makes a certificate and its key, as files of a folder.
func writePair(t *testing.T, dir, name string, ends time.Time) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	about := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotBefore: ends.Add(-48 * time.Hour), NotAfter: ends}
	cert, err := x509.CreateCertificate(rand.Reader, about, about, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	writePEM(t, filepath.Join(dir, name+".pem"), "CERTIFICATE", cert)
	writePEM(t, filepath.Join(dir, name+".key"), "PRIVATE KEY", der)
}

func writePEM(t *testing.T, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTLSFiles(t *testing.T) {
	dir := t.TempDir()
	writePair(t, dir, "a", time.Now().Add(24*time.Hour))
	writePair(t, dir, "b", time.Now().Add(24*time.Hour))
	writePair(t, dir, "old", time.Now().Add(-time.Hour))
	writePEM(t, filepath.Join(dir, "sealed.key"), "ENCRYPTED PRIVATE KEY", []byte("x"))
	writePEM(t, filepath.Join(dir, "broken.pem"), "CERTIFICATE", []byte("x"))
	if err := os.WriteFile(filepath.Join(dir, "open.key"), mustRead(t, filepath.Join(dir, "a.key")), 0o644); err != nil {
		t.Fatal(err)
	}
	for tls, want := range map[string]string{
		"{ca: a.pem, cert: a.pem, key: a.key, min_version: 1.3}": "",
		"{ca: a.key}":                    "5:13: fetch.tls.ca: no certificate in the file (want PEM: -----BEGIN CERTIFICATE-----)",
		"{ca: broken.pem}":               "5:13: fetch.tls.ca: a certificate that cannot be read",
		"{ca: .}":                        "5:13: fetch.tls.ca: cannot read the file: is a directory",
		"{cert: a.pem, key: b.key}":      "5:27: fetch.tls.key: it does not belong to the certificate: private key does not match public key",
		"{cert: a.pem, key: none.key}":   "5:27: fetch.tls.key: cannot read the file: no such file or directory",
		"{cert: a.pem, key: a.pem}":      "5:27: fetch.tls.key: it does not belong to the certificate",
		"{cert: a.pem, key: sealed.key}": "5:27: fetch.tls.key: it is encrypted",
		"{key: a.key}":                   "5:3: fetch.tls: cert and key go together",
		"{cert: a.pem, key: open.key}":   "5:27: warning: fetch.tls.key: others than its owner can read the file",
		"{cert: old.pem, key: old.key}":  "5:15: warning: fetch.tls.cert: the certificate ended on",
		"{cert: broken.pem, key: a.key}": "fetch.tls.key: it does not belong to the certificate",
	} {
		text := "seeds: https://a.example/\npoliteness: {contact: https://me.example/}\nname: a\nfetch:\n  tls: " + tls + "\n"
		c, found := Parse(filepath.Join(dir, "c.yaml"), []byte(text), Options{})
		shown := ""
		for _, d := range found {
			shown += fmt.Sprintln(strings.TrimPrefix(d.String(), dir+"/c.yaml:"))
		}
		if want == "" && shown != "" || !strings.Contains(shown, want) {
			t.Errorf("%s:\n%swant %s", tls, shown, want)
		}
		if c == nil {
			continue
		}
		conf, err := c.Fetch.Route(nil).TLS.Config()
		if err != nil || len(conf.Certificates) != 1 {
			t.Errorf("%s: %+v, %v", tls, conf, err)
		}
	}
}

func mustRead(t *testing.T, path string) []byte {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// What an exception names replaces what holds for all; the rest stays.
func TestRouteJoinsExceptions(t *testing.T) {
	f := Fetch{
		Headers: []Header{{"A", "1"}, {"B", "1"}}, Proxy: []string{"http://p:1"},
		TLS: TLS{CA: "ca", Cert: "cert", Key: "key", MinVersion: "1.2"},
	}
	got := f.Route(&FetchHost{Headers: []Header{{"B", "2"}}, TLS: TLS{MinVersion: "1.3"}})
	if fmt.Sprint(got) != "{[{A 1} {B 1} {B 2}] {ca cert key 1.3} [http://p:1]}" {
		t.Error(got)
	}
	if got := f.Route(&FetchHost{Proxy: []string{Direct}, TLS: TLS{Cert: "c", Key: "k"}}); len(got.Proxy) > 0 || got.TLS != (TLS{"ca", "c", "k", "1.2"}) {
		t.Error(got)
	}
	if !f.Routed() || (&Fetch{}).Routed() {
		t.Error("what is plain?")
	}
}
