package extractors

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"

	"github.com/amblecrawl/amble/crawler"
)

// Open gets the extractors ready that need more than their configuration. Its
// error names the rule; what had been opened before it is closed again. A panic
// is an error here: nothing has been fetched yet.
func (pl *Pipeline) Open(ctx context.Context) error {
	for i, r := range pl.rules {
		o, ok := r.Extractor.(crawler.Opener)
		if !ok {
			continue
		}
		if err := guarded(func() error { return o.Open(ctx) }); err != nil {
			return errors.Join(fmt.Errorf("extract.%s: %w", r.Type, err), closeAll(pl.rules[:i]))
		}
	}
	return nil
}

// Close closes the extractors that can be closed, all of them, and joins their
// errors. Call it once, after the last page, when Open has succeeded.
func (pl *Pipeline) Close() error { return closeAll(pl.rules) }

func closeAll(rules []rule) error {
	var all []error
	for _, r := range rules {
		c, ok := r.Extractor.(io.Closer)
		if !ok {
			continue
		}
		if err := guarded(c.Close); err != nil {
			all = append(all, fmt.Errorf("extract.%s: closing: %w", r.Type, err))
		}
	}
	return errors.Join(all...)
}

func guarded(work func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("the extractor panicked: %v\n%s", v, debug.Stack())
		}
	}()
	return work()
}
