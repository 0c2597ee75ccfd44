package databasetest

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"database/sql"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	_ "github.com/go-sql-driver/mysql" // to see when the server is ready
)

// MariaDB starts a MariaDB server; the URL is that of its database amble.
func MariaDB() (*Server, error) {
	for _, program := range []string{"mariadbd", "mariadb-install-db"} {
		if find(program) == "" {
			return nil, fmt.Errorf("MariaDB: %w", ErrNotInstalled)
		}
	}
	return newServer("mariadb", func(s *Server, port int) error {
		s.dies = syscall.SIGKILL
		s.URL = fmt.Sprintf("mysql://root@127.0.0.1:%d/amble", port)
		s.CA = s.in("cert.pem")
		if err := certify(s.CA, s.in("key.pem")); err != nil {
			return err
		}
		command := func(name string, args ...string) *exec.Cmd {
			args = append([]string{"--no-defaults", "--datadir=" + s.in("data")}, args...)
			if os.Getuid() == 0 {
				args = append(args, "--user=root") // else it refuses to
			}
			return s.command(find(name), args...)
		}
		s.serve = func() *exec.Cmd {
			return command("mariadbd", fmt.Sprintf("--port=%d", port), "--bind-address=127.0.0.1",
				"--socket="+s.in("socket"), "--pid-file="+s.in("pid"), "--skip-log-bin",
				"--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M",
				"--ssl-cert="+s.CA, "--ssl-key="+s.in("key.pem"))
		}
		s.answers = func(ctx context.Context) error {
			db, err := sql.Open("mysql", fmt.Sprintf("root@tcp(127.0.0.1:%d)/", port))
			if err != nil {
				return err
			}
			defer db.Close()
			_, err = db.ExecContext(ctx, "create database if not exists amble character set utf8mb4")
			return err
		}
		return run(command("mariadb-install-db", "--auth-root-authentication-method=normal", "--skip-test-db"))
	})
}

// find looks for a program, also where only root's path leads.
func find(program string) string {
	if path, err := exec.LookPath(program); err == nil {
		return path
	}
	path := filepath.Join("/usr/sbin", program)
	if _, err := os.Stat(path); err != nil {
		return ""
	}
	return path
}

// certify makes a certificate that is its own authority.
func certify(cert, key string) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "databasetest"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		return err
	}
	text, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: text}), 0o600))
}
