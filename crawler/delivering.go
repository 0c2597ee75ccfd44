package crawler

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// deliverTimeout bounds the handing on of what is committed: parts may be large and go
// far.
const deliverTimeout = 10 * time.Minute

// outboxFolder is where sinks keep what belongs to the run, in Settings.Folder.
const outboxFolder = "outbox"

// infoOf is what a sink is told of its run. The folder's name is made of the sink's,
// which holds slashes and worse.
func (c *committer) infoOf(sink string) RunInfo {
	info := c.info
	if folder := c.engine.set.Folder; folder != "" {
		name := sha256.Sum256([]byte(sink))
		info.Folder = filepath.Join(folder, outboxFolder, hex.EncodeToString(name[:6]))
	}
	return info
}

// forgetEarlier takes away what sinks of an earlier run have left, which need not be
// among those of this one.
func (c *committer) forgetEarlier() error {
	if c.engine.set.Folder == "" {
		return nil
	}
	if err := os.RemoveAll(filepath.Join(c.engine.set.Folder, outboxFolder)); err != nil {
		return fmt.Errorf("%w: %w", ErrOutput, err)
	}
	return nil
}

// deliver has the sinks hand on what the last commit allows them to.
func (c *committer) deliver(ctx context.Context) error {
	for _, s := range c.engine.Sinks {
		d, ok := s.Sink.(Deliverer)
		if !ok {
			continue
		}
		if err := c.deliverTo(ctx, d); err != nil {
			return fmt.Errorf("handing records on to %s: %w", s.Name, stopping(err))
		}
	}
	return nil
}

// deliverTo gives a sink its time, which is short once the run is told to stop.
func (c *committer) deliverTo(ctx context.Context, d Deliverer) error {
	ctx, cancel := context.WithTimeout(ctx, deliverTimeout)
	defer cancel()
	stop := context.AfterFunc(c.engine.caller, func() {
		select {
		case <-c.engine.Clock.After(c.engine.set.Grace):
			cancel()
		case <-ctx.Done():
		}
	})
	defer stop()
	return d.Deliver(ctx)
}

// deliverRest has the sinks hand on all they hold, at the end of a process. The second
// commit lets them forget what they have handed on. A run that is interrupted has
// another chance: what goes wrong then is told, and left to it.
func (c *committer) deliverRest(interrupted bool) error {
	held := false
	for _, s := range c.engine.Sinks {
		if d, ok := s.Sink.(Deliverer); ok {
			d.Seal()
			held = true
		}
	}
	if !held {
		return nil
	}
	ctx := context.Background()
	for range 2 {
		err := c.commitPositions(ctx)
		if err == nil {
			err = c.deliver(ctx)
		}
		if err != nil && interrupted {
			c.engine.Log.Warn("the last records are handed on when the run is resumed", "error", err)
			return nil
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// commitPositions commits where the sinks stand, and nothing else.
func (c *committer) commitPositions(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, commitTimeout)
	defer cancel()
	put := make(map[string][]byte)
	positions, err := c.write(ctx, nil, nil, put)
	if err != nil {
		return err
	}
	if _, err := c.engine.Frontier.Commit(ctx, &Batch{Put: put}); err != nil {
		return fmt.Errorf("committing the outputs: %w", err)
	}
	c.positions = positions
	return nil
}

// end brings a crawl that has nothing left to do, or is interrupted, to its end.
func (c *committer) end(interrupted bool) error {
	if !interrupted {
		if err := c.conclude(); err != nil {
			return err
		}
	}
	if err := c.deliverRest(interrupted); err != nil {
		return err
	}
	return c.finish(!interrupted)
}
