// Package mariadbtest starts a MariaDB server of its own for tests, from what the
// system has installed, on a free port of the loopback and in a folder that goes with
// it.
package mariadbtest

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

// ErrNotInstalled is why a test is skipped.
var ErrNotInstalled = errors.New("no MariaDB server is installed")

// Server is a running server. A nil one is stopped.
type Server struct {
	URL string // of its database amble, where everything is allowed
	CA  string // file of the certificate that signs itself, for 127.0.0.1

	folder  string
	port    int
	process *exec.Cmd
	ended   chan struct{}
}

// Start makes a database and starts a server on it.
func Start() (*Server, error) {
	for _, program := range []string{"mariadbd", "mariadb-install-db"} {
		if find(program) == "" {
			return nil, ErrNotInstalled
		}
	}
	folder, err := os.MkdirTemp("", "mariadb")
	if err != nil {
		return nil, err
	}
	s := &Server{folder: folder, CA: filepath.Join(folder, "cert.pem")}
	if err := s.create(); err != nil {
		_ = os.RemoveAll(folder) // what went wrong before matters
		return nil, err
	}
	if err := s.start(); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
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

func (s *Server) create() error {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.port = free.Addr().(*net.TCPAddr).Port
	s.URL = fmt.Sprintf("mysql://root@127.0.0.1:%d/amble", s.port)
	if err := errors.Join(free.Close(), s.certify()); err != nil {
		return err
	}
	out, err := s.command("mariadb-install-db", "--auth-root-authentication-method=normal", "--skip-test-db").CombinedOutput()
	if err != nil {
		return fmt.Errorf("mariadb-install-db: %w: %s", err, out)
	}
	return nil
}

// certify makes a certificate that is its own authority.
func (s *Server) certify() error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "mariadbtest"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	return errors.Join(
		os.WriteFile(s.CA, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600),
		os.WriteFile(filepath.Join(s.folder, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	args = append([]string{"--no-defaults", "--datadir=" + filepath.Join(s.folder, "data")}, args...)
	if os.Getuid() == 0 {
		args = append(args, "--user=root") // else it refuses to
	}
	cmd := exec.Command(find(name), args...)
	cmd.Dir = s.folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

func (s *Server) start() error {
	s.process = s.command("mariadbd", fmt.Sprintf("--port=%d", s.port), "--bind-address=127.0.0.1",
		"--socket="+filepath.Join(s.folder, "socket"), "--pid-file="+filepath.Join(s.folder, "pid"), "--skip-log-bin",
		"--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=64M",
		"--ssl-cert="+s.CA, "--ssl-key="+filepath.Join(s.folder, "key.pem"), "--log-error="+filepath.Join(s.folder, "log"))
	s.ended = make(chan struct{})
	if err := s.process.Start(); err != nil {
		return err
	}
	go func(process *exec.Cmd, ended chan struct{}) {
		_ = process.Wait() // it is killed
		close(ended)
	}(s.process, s.ended)
	for deadline := time.Now().Add(60 * time.Second); time.Now().Before(deadline); {
		if s.answers() {
			return nil
		}
		select {
		case <-s.ended:
			text, _ := os.ReadFile(filepath.Join(s.folder, "log"))
			return fmt.Errorf("the server ended at its start: %s", text)
		case <-time.After(50 * time.Millisecond):
		}
	}
	return errors.New("the server is not ready after 60 s")
}

func (s *Server) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	db, err := sql.Open("mysql", fmt.Sprintf("root@tcp(127.0.0.1:%d)/", s.port))
	if err != nil {
		return false
	}
	defer db.Close()
	_, err = db.ExecContext(ctx, "create database if not exists amble character set utf8mb4")
	return err == nil
}

// Restart kills the server and starts it again on the same data.
func (s *Server) Restart() error {
	s.kill()
	return s.start()
}

func (s *Server) kill() {
	_ = s.process.Process.Kill() // it may have ended
	<-s.ended
}

// Stop ends the server and removes its data.
func (s *Server) Stop() {
	if s == nil {
		return
	}
	s.kill()
	_ = os.RemoveAll(s.folder) // below the system's temporary folder
}
