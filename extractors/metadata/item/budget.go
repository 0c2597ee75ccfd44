package item

import (
	"context"
	"errors"
)

// MaxSteps bounds the nodes visited on one page, a second or so.
const MaxSteps = 20_000_000

// What ends the reading of a page.
var (
	ErrTooMuchWork = errors.New("this page is too large to read")
	ErrTooMuchText = errors.New("this page says the same text too often")
)

// A Budget is what reading one page may still cost. It belongs to one goroutine.
type Budget struct {
	ctx        context.Context
	left, room int
}

// NewBudget is for a page of that many octets: MaxSteps until ctx ends, and text
// of eight times its size.
func NewBudget(ctx context.Context, size int) *Budget {
	return &Budget{ctx: ctx, left: MaxSteps, room: max(leastSize, 8*size)}
}

// Step takes n nodes off. Its error is ErrTooMuchWork or the end of the context.
func (b *Budget) Step(n int) error {
	before := b.left
	if b.left -= n; b.left < 0 {
		return ErrTooMuchWork
	}
	if before>>10 != b.left>>10 && b.ctx.Err() != nil {
		return context.Cause(b.ctx)
	}
	return nil
}

// Keep passes on a text that is to be kept, as long as there is room for it:
// elements within each other share their text, which costs each of them.
func (b *Budget) Keep(text string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	if b.room -= len(text); b.room < 0 {
		return "", ErrTooMuchText
	}
	return text, nil
}
