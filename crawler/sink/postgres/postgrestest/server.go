// Package postgrestest starts a PostgreSQL server of its own for tests, from what
// the system has installed, on a free port of the loopback and in a folder that
// goes with it.
package postgrestest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrNotInstalled is why a test is skipped.
var ErrNotInstalled = errors.New("no PostgreSQL server is installed")

// Server is a running server. A nil one is stopped.
type Server struct {
	URL string // of its database postgres

	bin, folder string
	port        int
	as          *syscall.Credential // the server refuses to run as root
	process     *exec.Cmd
	ended       chan struct{}
}

// Start makes a database and starts a server on it.
func Start() (*Server, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres")
	if path, err := exec.LookPath("postgres"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return nil, ErrNotInstalled
	}
	slices.Sort(found)
	folder, err := os.MkdirTemp("", "postgres")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: filepath.Dir(found[len(found)-1]), folder: folder}
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

func (s *Server) create() error {
	if os.Getuid() == 0 {
		u, err := user.Lookup("postgres")
		if err != nil {
			return fmt.Errorf("%w for another user than root: %w", ErrNotInstalled, err)
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(errUID, errGID, os.Chown(s.folder, int(uid), int(gid))); err != nil {
			return err
		}
		s.as = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	s.port = free.Addr().(*net.TCPAddr).Port
	s.URL = fmt.Sprintf("postgres://amble@127.0.0.1:%d/postgres?sslmode=disable", s.port)
	if err := free.Close(); err != nil {
		return err
	}
	out, err := s.command("initdb", "-D", filepath.Join(s.folder, "data"), "-U", "amble", "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8").CombinedOutput()
	if err != nil {
		return fmt.Errorf("initdb: %w: %s", err, out)
	}
	return nil
}

func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(s.bin, name), args...)
	cmd.Dir = s.folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.as, Pdeathsig: syscall.SIGQUIT}
	return cmd
}

func (s *Server) start() error {
	s.process = s.command("postgres", "-D", filepath.Join(s.folder, "data"), "-p", strconv.Itoa(s.port), "-h", "127.0.0.1", "-k", s.folder, "-F")
	s.ended = make(chan struct{})
	if err := s.process.Start(); err != nil {
		return err
	}
	go func(process *exec.Cmd, ended chan struct{}) {
		_ = process.Wait() // it is killed
		close(ended)
	}(s.process, s.ended)
	for deadline := time.Now().Add(30 * time.Second); time.Now().Before(deadline); {
		if s.answers() {
			return nil
		}
		select {
		case <-s.ended:
			return errors.New("the server ended at its start")
		case <-time.After(50 * time.Millisecond):
		}
	}
	return errors.New("the server is not ready after 30 s")
}

func (s *Server) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		return false
	}
	return conn.Close(ctx) == nil
}

// Restart kills the server and starts it again on the same data.
func (s *Server) Restart() error {
	s.kill(syscall.SIGQUIT)
	return s.start()
}

func (s *Server) kill(sig syscall.Signal) {
	_ = s.process.Process.Signal(sig) // it may have ended
	<-s.ended
}

// Stop ends the server and removes its data.
func (s *Server) Stop() {
	if s == nil {
		return
	}
	s.kill(syscall.SIGINT)
	_ = os.RemoveAll(s.folder) // below the system's temporary folder
}
