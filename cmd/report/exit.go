package report

import (
	"context"
	"errors"
	"syscall"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
)

// codeOf is the exit code of a crawl that ended with err.
func codeOf(err error, s *crawler.Summary) int {
	switch {
	case errors.Is(err, context.Canceled), errors.Is(err, crawler.ErrReaderGone):
		return exit.Interrupted
	case errors.Is(err, crawler.ErrOutput) && !s.Resumed && !errors.Is(err, syscall.ENOSPC):
		return exit.Config
	case errors.Is(err, crawler.ErrForeignState):
		return exit.Config
	case err != nil:
		return exit.Failed
	case s.Pages == 0 && s.Unchanged == 0:
		return exit.Nothing
	}
	return exit.OK
}

// Exit is the exit status of a run, and what is still to be said.
func (r *Report) Exit(cfg *config.Config) error {
	switch code := codeOf(r.Err, &r.Summary); code {
	case exit.OK:
		return failDrift(cfg, r)
	case exit.Config, exit.Failed:
		return exit.With(code, exit.Message(cfg, r.Err))
	default:
		return exit.Silent(code)
	}
}
