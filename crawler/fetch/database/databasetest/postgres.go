package databasetest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// Postgres starts a PostgreSQL server; the URL is that of its database postgres.
func Postgres() (*Server, error) {
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/postgres") // the pattern is a good one
	if path, err := exec.LookPath("postgres"); err == nil {
		found = append(found, path)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("PostgreSQL: %w", ErrNotInstalled)
	}
	slices.Sort(found)
	bin := filepath.Dir(found[len(found)-1])
	return newServer("postgres", func(s *Server, port int) error {
		as, err := unprivileged(s.folder)
		if err != nil {
			return err
		}
		s.dies = syscall.SIGQUIT
		s.URL = fmt.Sprintf("postgres://amble@127.0.0.1:%d/postgres?sslmode=disable", port)
		command := func(name string, args ...string) *exec.Cmd {
			cmd := s.command(filepath.Join(bin, name), append([]string{"-D", s.in("data")}, args...)...)
			cmd.SysProcAttr.Credential = as
			return cmd
		}
		s.serve = func() *exec.Cmd {
			return command("postgres", "-p", strconv.Itoa(port), "-h", "127.0.0.1", "-k", s.folder, "-F")
		}
		s.answers = func(ctx context.Context) error {
			conn, err := pgx.Connect(ctx, s.URL)
			if err != nil {
				return err
			}
			return conn.Close(ctx)
		}
		return run(command("initdb", "-U", "amble", "-A", "trust", "-N", "-E", "UTF8", "--locale=C.UTF-8"))
	})
}

// unprivileged gives the folder to the user that the server runs as, since it refuses to
// run as root; nil where this is not root.
func unprivileged(folder string) (*syscall.Credential, error) {
	if os.Getuid() != 0 {
		return nil, nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("%w for another user than root: %w", ErrNotInstalled, err)
	}
	uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
	gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
	if err := errors.Join(errUID, errGID, os.Chown(folder, int(uid), int(gid))); err != nil {
		return nil, err
	}
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}, nil
}
