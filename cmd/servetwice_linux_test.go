package cmd

import (
	"errors"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/amblecrawl/amble/cmd/exit"
)

// A second daemon of the same history would run everything twice, and take the runs of
// the first for cut off. A config that is named twice is one.
func TestServeTwice(t *testing.T) {
	t.Parallel()
	dir := onePageEachSecond(t)
	s := startServe(t, dir, "a.yaml", "./a.yaml")
	awaiting(t, "a run\n"+tail(&s.err), func() bool { return len(runsOf(t, dir, "--no-skipped")) > 0 })
	second := exec.Command("amble", "serve", ".", "--listen", "")
	second.Dir = dir
	kill := time.AfterFunc(time.Minute, func() { _ = second.Process.Kill() })
	defer kill.Stop()
	out, err := second.CombinedOutput()
	if e := (*exec.ExitError)(nil); !errors.As(err, &e) || e.ExitCode() != exit.Config || !strings.Contains(string(out), "in use by another daemon (stop it, or name another file with --history)") {
		t.Errorf("%v\n%s", err, out)
	}
	if err := s.stop(syscall.SIGTERM); err != nil {
		t.Errorf("%v\n%s", err, tail(&s.err))
	}
	if said := s.err.String(); strings.Contains(said, "cannot be used") || strings.Contains(said, "read again") {
		t.Error(said)
	}
}
