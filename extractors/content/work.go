package content

import (
	"context"
	"errors"
)

// maxSteps bounds the nodes visited on one page, a second or so.
const maxSteps = 20_000_000

var errTooMuchWork = errors.New("this page is too large to read")

// work is what a page may still cost.
type work struct {
	ctx  context.Context
	left int
}

func (w *work) step(n int) error {
	before := w.left
	if w.left -= n; w.left < 0 {
		return errTooMuchWork
	}
	if before>>10 != w.left>>10 && w.ctx.Err() != nil {
		return context.Cause(w.ctx)
	}
	return nil
}
