package crawler

import (
	"context"
	"errors"
	"fmt"
)

// openSinks brings every sink to its committed position.
func (c *committer) openSinks(ctx context.Context) error {
	c.positions = make(map[string][]byte, len(c.engine.Sinks))
	for i, s := range c.engine.Sinks {
		position, err := c.engine.Frontier.Get(keySink + s.Name)
		if err == nil {
			err = s.Sink.Open(ctx, c.infoOf(s.Name), position)
		}
		if err != nil {
			for _, opened := range c.engine.Sinks[:i] {
				_ = opened.Sink.Close() // the error that matters is the one above
			}
			return fmt.Errorf("%w %s: %w", ErrOutput, s.Name, err)
		}
		c.positions[s.Name] = position
	}
	return nil
}

// commitBegin records a new run and where its empty outputs begin.
func (c *committer) commitBegin(ctx context.Context) error {
	put := make(map[string][]byte)
	positions, err := c.write(ctx, nil, nil, put)
	if err == nil {
		err = c.engine.putWritten(put)
	}
	if err == nil {
		err = c.putRun(ctx, c.engine.run, put)
	}
	if err != nil {
		c.closeSinks()
		return err
	}
	c.positions = positions
	return nil
}

// write gives the records, or the rejects, to every sink, makes them durable and
// puts the sinks' new positions into put.
func (c *committer) write(ctx context.Context, records, rejects []Record, put map[string][]byte) (map[string][]byte, error) {
	positions := make(map[string][]byte, len(c.engine.Sinks))
	for _, s := range c.engine.Sinks {
		due := records
		if s.Rejects {
			due = rejects
		}
		if len(due) > 0 {
			if err := s.Sink.Write(ctx, due); err != nil {
				return nil, fmt.Errorf("writing to %s: %w", s.Name, stopping(err))
			}
		}
		position, err := s.Sink.Flush(ctx)
		if err != nil {
			return nil, fmt.Errorf("flushing %s: %w", s.Name, stopping(err))
		}
		positions[s.Name] = position
		put[keySink+s.Name] = position
	}
	return positions, nil
}

// rewind brings the sinks back to the last commit, after a batch was refused
// whose records they already hold.
func (c *committer) rewind(ctx context.Context) error {
	for _, s := range c.engine.Sinks {
		if err := s.Sink.Close(); err != nil {
			return fmt.Errorf("closing %s: %w", s.Name, stopping(err))
		}
		if err := s.Sink.Open(ctx, c.infoOf(s.Name), c.positions[s.Name]); err != nil {
			return fmt.Errorf("reopening %s: %w", s.Name, stopping(err))
		}
	}
	return nil
}

func (c *committer) closeSinks() {
	for _, s := range c.engine.Sinks {
		if err := s.Sink.Close(); err != nil {
			c.engine.Log.Warn("closing a sink", "sink", s.Name, "error", err)
		}
	}
}

// stopping makes sure that a failed sink ends the run, resumably.
func stopping(err error) error {
	if errors.Is(err, ErrStop) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrStop, err)
}
