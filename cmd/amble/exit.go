package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/amblecrawl/amble/crawler"
)

// The exit codes, a contract with scripts.
const (
	exitOK          = 0
	exitNothing     = 1   // finished, but nothing could be fetched, or a check failed
	exitConfig      = 2   // the config or the command line is wrong; nothing was fetched
	exitFailed      = 3   // a sink, disk or engine failure; resumable
	exitInterrupted = 130 // resumable
)

// exitError is an error with the exit code it leads to. A nil err means that
// everything has been said already.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit status %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// codeOf is the exit code of a crawl that ended with err.
func codeOf(err error, pages int64) int {
	switch {
	case errors.Is(err, context.Canceled):
		return exitInterrupted
	case err != nil:
		return exitFailed
	case pages == 0:
		return exitNothing
	}
	return exitOK
}

// stateError is the exit of a state that could not be opened.
func stateError(err error) error {
	if errors.Is(err, crawler.ErrForeignState) || errors.Is(err, crawler.ErrLocked) {
		return &exitError{exitConfig, err}
	}
	return &exitError{exitFailed, err}
}
