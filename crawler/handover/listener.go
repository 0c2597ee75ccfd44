package handover

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
)

const (
	// variable names the descriptor of the socket that a predecessor hands on.
	variable = "AMBLE_LISTEN_FD"
	// firstPassed is the first descriptor that a service manager passes.
	firstPassed = 3
)

// Listener gives the socket that this process was started with, by a predecessor or by a
// service manager; nil where there is none. It can be taken once.
func Listener() (net.Listener, error) {
	fd, from := passed()
	if fd < 0 {
		return nil, nil
	}
	file := os.NewFile(uintptr(fd), "listener")
	if file == nil {
		return nil, fmt.Errorf("the socket from %s: %d is no open file", from, fd)
	}
	defer file.Close() // the listener has its own
	l, err := net.FileListener(file)
	if err != nil {
		return nil, fmt.Errorf("the socket from %s: %w", from, err)
	}
	if _, ok := l.(*net.TCPListener); !ok {
		return nil, errors.Join(fmt.Errorf("the socket from %s is %s, want tcp", from, l.Addr().Network()), l.Close())
	}
	return l, nil
}

// passed is the descriptor of the socket, -1 for none, and who passed it. The variables
// are taken out of the environment, so that no program which is started sees them.
func passed() (fd int, from string) {
	own, pid, fds := os.Getenv(variable), os.Getenv("LISTEN_PID"), os.Getenv("LISTEN_FDS")
	for _, name := range []string{variable, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"} {
		_ = os.Unsetenv(name) // which fails for names that are none
	}
	if own != "" {
		n, err := strconv.Atoi(own)
		if err != nil || n < firstPassed {
			return -1, ""
		}
		return n, variable
	}
	if n, err := strconv.Atoi(fds); err == nil && n > 0 && pid == strconv.Itoa(os.Getpid()) {
		return firstPassed, "the service manager"
	}
	return -1, ""
}

// Keep gives a second hold on a listener's socket, which outlives it.
func Keep(l net.Listener) (*os.File, error) {
	tcp, ok := l.(*net.TCPListener)
	if !ok {
		return nil, fmt.Errorf("a socket of %s cannot be handed on", l.Addr().Network())
	}
	return tcp.File()
}
