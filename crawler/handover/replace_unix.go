//go:build unix

package handover

import (
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"
)

// Replace puts a binary in the place of this one, in the same process, and hands on a
// socket, nil for none. It returns only where that fails. Signals in ignored are not
// lost on the successor before it listens to them: they do nothing until then.
func Replace(path string, args []string, socket *os.File, ignored ...os.Signal) error {
	environment := os.Environ()
	if socket != nil {
		// A duplicate that is not closed by the change of the binary.
		fd, err := syscall.Dup(int(socket.Fd()))
		if err != nil {
			return fmt.Errorf("the socket cannot be handed on: %w", err)
		}
		defer func() { _ = syscall.Close(fd) }() // only where the change fails
		environment = append(environment, variable+"="+strconv.Itoa(fd))
	}
	if len(ignored) > 0 {
		signal.Ignore(ignored...)
		defer signal.Reset(ignored...)
	}
	if err := syscall.Exec(path, args, environment); err != nil {
		return fmt.Errorf("%s cannot be started: %w", path, err)
	}
	return nil
}
