package config

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"
)

// TLS is how connections are secured.
type TLS struct {
	CA         string `yaml:"ca,path" doc:"A PEM file of authorities that are trusted beside the system's, such as a company's own."`
	Cert       string `yaml:"cert,path" doc:"A PEM file with the certificate that hosts are shown which ask for one, followed by those it rests on."`
	Key        string `yaml:"key,path" doc:"The PEM file of the certificate's key, not encrypted."`
	MinVersion string `yaml:"min_version" default:"(1.2)" enum:"1.0,1.1,1.2,1.3" doc:"The oldest version of TLS that will do; below 1.2 for old devices only."`
}

var tlsVersions = map[string]uint16{"1.0": tls.VersionTLS10, "1.1": tls.VersionTLS11, "1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13}

// with takes over what another names. A certificate and its key go together.
func (t TLS) with(o TLS) TLS {
	if o.CA != "" {
		t.CA = o.CA
	}
	if o.Cert != "" {
		t.Cert, t.Key = o.Cert, o.Key
	}
	if o.MinVersion != "" {
		t.MinVersion = o.MinVersion
	}
	return t
}

// Config reads the files. It is nil where nothing is asked for.
func (t TLS) Config() (*tls.Config, error) {
	if t == (TLS{}) {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tlsVersions[t.MinVersion]}
	if t.CA != "" {
		pool, err := authorities(t.CA)
		if err != nil {
			return nil, fmt.Errorf("ca: %w", err)
		}
		c.RootCAs = pool
	}
	if t.Cert != "" {
		pair, _, err := t.pair()
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// maxPEM bounds a file of certificates; the authorities of a whole system take a
// quarter of it.
const maxPEM = 1 << 20

func readPEM(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read from
	text, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err == nil && len(text) > maxPEM {
		err = errors.New("the file is larger than 1 MiB")
	}
	return text, err
}

// authorities are the system's with those of a file.
func authorities(path string) (*x509.CertPool, error) {
	text, err := readPEM(path)
	if err != nil {
		return nil, err
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool() // a system without any
	}
	found := false
	for rest := text; ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("a certificate that cannot be read: %w", err)
		}
		pool.AddCert(c)
		found = true
	}
	if !found {
		return nil, errors.New("no certificate in the file (want PEM: -----BEGIN CERTIFICATE-----)")
	}
	return pool, nil
}

// pair reads certificate and key; inKey tells which file is to blame.
func (t TLS) pair() (pair tls.Certificate, inKey bool, err error) {
	cert, err := readPEM(t.Cert)
	if err != nil {
		return pair, false, fmt.Errorf("cert: %w", err)
	}
	if block, _ := pem.Decode(cert); block == nil {
		return pair, false, errors.New("cert: no certificate in the file (want PEM: -----BEGIN CERTIFICATE-----)")
	}
	key, err := readPEM(t.Key)
	if err != nil {
		return pair, true, fmt.Errorf("key: %w", err)
	}
	switch block, _ := pem.Decode(key); {
	case block == nil:
		return pair, true, errors.New("key: no key in the file (want PEM: -----BEGIN PRIVATE KEY-----)")
	case strings.Contains(block.Type, "ENCRYPTED") || block.Headers["DEK-Info"] != "":
		return pair, true, errors.New("key: it is encrypted, and nobody is there to ask for its password (openssl pkey -in FILE writes it without)")
	}
	pair, err = tls.X509KeyPair(cert, key)
	if err != nil {
		// The library names the kind of the mistake, and nothing of the key.
		return pair, true, fmt.Errorf("key: it does not belong to the certificate: %s", strings.TrimPrefix(err.Error(), "tls: "))
	}
	return pair, false, nil
}

// checkTLS reads the files, so that their mistakes are found before the crawl.
func (l *loader) checkTLS(t *TLS, path ...string) {
	at := strings.Join(path, ".")
	place := func(key string) place { return l.at(append(path[:len(path):len(path)], key)...).place }
	if t.CA != "" {
		if _, err := authorities(t.CA); err != nil {
			l.foreign(place("ca"), "", at+".ca: "+fileCause(err))
		}
	}
	switch {
	case t.Cert == "" && t.Key == "":
		return
	case t.Cert == "" || t.Key == "":
		l.errorf(l.keyPlace(path...), "", "%s: cert and key go together", at)
		return
	}
	pair, inKey, err := t.pair()
	if err != nil {
		key := "cert"
		if inKey {
			key = "key"
		}
		l.foreign(place(key), "", at+"."+fileCause(err))
		return
	}
	if info, err := os.Stat(t.Key); err == nil && info.Mode().Perm()&0o077 != 0 {
		l.warnf(place("key"), "chmod 600", "%s.key: others than its owner can read the file", at)
	}
	if leaf := pair.Leaf; leaf != nil && time.Now().After(leaf.NotAfter) {
		l.warnf(place("cert"), "", "%s.cert: the certificate ended on %s", at, leaf.NotAfter.UTC().Format("2006-01-02"))
	}
}

// fileCause is an error of a file without its path, which the excerpt shows.
func fileCause(err error) string {
	var missing *fs.PathError
	if !errors.As(err, &missing) {
		return err.Error()
	}
	return strings.Replace(err.Error(), missing.Error(), "cannot read the file: "+missing.Err.Error(), 1)
}
