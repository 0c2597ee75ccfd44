//go:build unix

package serve

import (
	"os"
	"syscall"
)

// reloadSignals make a daemon read its configs again.
var reloadSignals = []os.Signal{syscall.SIGHUP}

// handoverSignals make it give way to a newer binary.
var handoverSignals = []os.Signal{syscall.SIGUSR2}
