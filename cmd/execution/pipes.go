package execution

import (
	"os"
	"os/signal"
	"syscall"
)

// outliveReaders lets a crawl come to an orderly end when the reader of its standard
// output goes away: the system would end the process at once. Programs that are
// started meanwhile are ended as ever, since the signal is taken and not ignored.
func outliveReaders() (stop func()) {
	taken := make(chan os.Signal, 1)
	signal.Notify(taken, syscall.SIGPIPE)
	return func() { signal.Stop(taken) }
}
