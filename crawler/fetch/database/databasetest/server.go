// Package databasetest starts database servers for tests, from what the system has
// installed: each on a free port of the loopback and in a folder that goes with it. They
// end with the process that started them, at the latest.
package databasetest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// ErrNotInstalled is why a test is skipped.
var ErrNotInstalled = errors.New("the database server is not installed")

// patience is how long a server may take until it answers.
const patience = time.Minute

// Server is a running server. A nil one is stopped.
type Server struct {
	URL string // of a database in which everything is allowed
	CA  string // file of the certificate that signs itself, for 127.0.0.1; "" where the server has none

	folder  string
	serve   func() *exec.Cmd
	answers func(context.Context) error
	dies    syscall.Signal // what ends it at once
	process *exec.Cmd
	ended   chan struct{}
}

// For gives a test what Postgres or MariaDB starts, and skips it where there is none.
func For(t testing.TB, start func() (*Server, error)) *Server {
	t.Helper()
	s, err := start()
	if errors.Is(err, ErrNotInstalled) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// newServer makes a folder and a database in it, and starts a server on it.
func newServer(name string, create func(s *Server, port int) error) (*Server, error) {
	folder, err := os.MkdirTemp("", name)
	if err != nil {
		return nil, err
	}
	s := &Server{folder: folder}
	port, err := freePort()
	if err == nil {
		err = create(s, port)
	}
	if err != nil {
		_ = os.RemoveAll(folder) // what went wrong before matters
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := s.start(); err != nil {
		s.Stop()
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return s, nil
}

func freePort() (int, error) {
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return free.Addr().(*net.TCPAddr).Port, free.Close()
}

// command is a program that runs in the folder and does not outlive this process.
func (s *Server) command(path string, args ...string) *exec.Cmd {
	cmd := exec.Command(path, args...)
	cmd.Dir = s.folder
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: s.dies}
	return cmd
}

func (s *Server) in(name string) string { return filepath.Join(s.folder, name) }

// run runs a command to its end.
func run(cmd *exec.Cmd) error {
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, out)
	}
	return nil
}

func (s *Server) start() error {
	log, err := os.Create(s.in("log"))
	if err != nil {
		return err
	}
	defer log.Close()
	process, ended := s.serve(), make(chan struct{})
	process.Stdout, process.Stderr = log, log
	s.process, s.ended = process, ended
	if err := process.Start(); err != nil {
		close(ended)
		return err
	}
	go func() {
		_ = process.Wait() // it is killed
		close(ended)
	}()
	for deadline := time.Now().Add(patience); ; {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		err := s.answers(ctx)
		cancel()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("it does not answer after %v: %w", patience, err)
		}
		select {
		case <-ended:
			said, _ := os.ReadFile(s.in("log")) // without it the rest is said
			return fmt.Errorf("it ended at its start: %s", said)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Restart kills the server and starts it again on the same data.
func (s *Server) Restart() error {
	s.kill()
	return s.start()
}

func (s *Server) kill() {
	if s.process != nil && s.process.Process != nil {
		_ = s.process.Process.Signal(s.dies) // it may have ended
		<-s.ended
	}
}

// Stop ends the server and removes its data. It may be stopped already.
func (s *Server) Stop() {
	if s == nil {
		return
	}
	s.kill()
	_ = os.RemoveAll(s.folder) // below the system's temporary folder
}
