package cmd

import (
	"context"
	"errors"
	"syscall"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
)

// codeOf is the exit code of a crawl that ended with err.
func codeOf(err error, s *crawler.Summary) int {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, crawler.ErrReaderGone):
		return exitInterrupted
	case errors.Is(err, crawler.ErrOutput) && !s.Resumed && !errors.Is(err, syscall.ENOSPC):
		return exitConfig
	case errors.Is(err, crawler.ErrForeignState):
		return exitConfig
	case err != nil:
		return exitFailed
	case s.Pages == 0 && s.Unchanged == 0:
		return exitNothing
	}
	return exitOK
}

// exit is the exit status of a run, and what is still to be said.
func (r *report) exit(cfg *config.Config) error {
	switch code := codeOf(r.err, &r.summary); code {
	case exitOK:
		return failDrift(cfg, r)
	case exitConfig, exitFailed:
		return exitWith(code, message(cfg, r.err))
	default:
		return exitSilent(code)
	}
}
