package cmd

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/amblecrawl/amble/cmd/exit"
	_ "github.com/amblecrawl/amble/cmd/standard"
)

// Main is the amble command: it runs the verb that the command line names and
// ends the process with its exit code. A main package of one's own calls it
// after the blank imports of its plugins.
func Main() { os.Exit(execute(os.Args[1:])) }

// execute runs the verb of a command line and gives the exit code.
func execute(args []string) int {
	ctx, stop := interruptible()
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exit.OK
	}
	end, decided := errors.AsType[*exit.Error](err)
	if !decided {
		// What cobra refuses is a mistake on the command line.
		end = &exit.Error{Code: exit.Config, Err: err}
	}
	if end.Err != nil {
		fmt.Fprintf(root.ErrOrStderr(), "amble: %v\n", end.Err)
	}
	return end.Code
}

// interruptible is a context that the first SIGINT or SIGTERM ends. A second
// one ends the process at once: what is committed is kept, and the rest is
// fetched again by the next run.
func interruptible() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case <-signals:
		case <-done:
			return
		}
		fmt.Fprintln(os.Stderr, "\namble: stopping: what is in flight may finish; interrupt again to stop at once")
		cancel()
		select {
		case <-signals:
			os.Exit(exit.Interrupted)
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}
