package serve

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"time"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/crawler/handover"
)

// checkIn is how long a newer binary has to show that it can start.
const checkIn = time.Minute

// succession is how a daemon gives way to a newer binary of itself.
type succession struct {
	binary string         // where the newer one is found
	told   chan os.Signal // to give way
	socket net.Listener   // to listen at, in place of one of its own; nil for none
	kept   *os.File       // the socket that is listened at, for the successor
	giving bool           // all is put down for it
}

// newSuccession looks where this binary was started from, and for a socket that it was
// started with.
func newSuccession() (*succession, error) {
	c := &succession{told: make(chan os.Signal, 1)}
	var err error
	if c.socket, err = handover.Listener(); err != nil {
		return nil, exit.With(exit.Config, err)
	}
	// A link to the newest version is what is to be followed, again.
	if c.binary, err = exec.LookPath(os.Args[0]); err == nil {
		c.binary, err = filepath.Abs(c.binary)
	}
	if err != nil {
		if c.binary, err = os.Executable(); err != nil {
			c.binary = ""
		}
	}
	if len(handoverSignals) > 0 {
		signal.Notify(c.told, handoverSignals...)
	}
	return c, nil
}

// await waits for word to give way, and sees that the newer binary can start. Then it
// calls giveWay and returns.
func (c *succession) await(ctx context.Context, s *server, giveWay func()) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.told:
		}
		err := handover.Check(ctx, c.binary, checkIn, checking(os.Args[1:])...)
		if err == nil {
			s.log.Warn("giving way to the binary that is there now", "binary", c.binary)
			c.giving = true
			giveWay()
			return
		}
		s.log.Error("the binary that is there now cannot take over: this one goes on", "error", err)
	}
}

// checking are arguments of amble serve that make it look whether it could start.
func checking(args []string) []string {
	at := slices.Index(args, "serve") + 1
	return slices.Insert(slices.Clone(args), at, "--check")
}

// replace starts the newer binary in the place of this one. It returns where that
// fails, ready to go on.
func (c *succession) replace() error {
	err := handover.Replace(c.binary, os.Args, c.kept, slices.Concat(reloadSignals, handoverSignals)...)
	c.giving = false
	if len(handoverSignals) > 0 {
		signal.Notify(c.told, handoverSignals...)
	}
	if c.kept != nil {
		var lost error
		if c.socket, lost = net.FileListener(c.kept); lost != nil {
			return errors.Join(err, lost)
		}
	}
	return err
}

// listen is the socket of the dashboard: one that was handed on, or a new one.
func (c *succession) listen(ctx context.Context, address string) (at net.Listener, err error) {
	if at, c.socket = c.socket, nil; at == nil {
		var lc net.ListenConfig
		if at, err = lc.Listen(ctx, "tcp", address); err != nil {
			return nil, err
		}
	}
	if c.kept != nil {
		_ = c.kept.Close() // of the socket that was handed on to itself
		c.kept = nil
	}
	if len(handoverSignals) > 0 {
		if c.kept, err = handover.Keep(at); err != nil {
			return nil, errors.Join(err, at.Close())
		}
	}
	return at, nil
}
