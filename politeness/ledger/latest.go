package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/klauspost/compress/zstd"
)

// ReadLatest yields the entries of the run that was written last, if that is its
// name, as ReadRun does; segments that hold none of it are not read. It ends with
// the context's error when that ends.
func ReadLatest(ctx context.Context, dir, run string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		numbers, err := segments(dir)
		if err != nil {
			yield(Entry{}, err)
			return
		}
		// A segment begins with the run that is going on then.
		from := len(numbers) - 1
		for from > 0 {
			begins, err := firstRun(dir, numbers[from])
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if begins.Run != run {
				break
			}
			from--
		}
		entriesOf(ctx, scanFrom(dir, numbers[max(from, 0):]), run)(yield)
	}
}

func entriesOf(ctx context.Context, frames iter.Seq2[frame, error], run string) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		want := false
		for f, err := range frames {
			if err == nil {
				err = ctx.Err()
			}
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if f.run != nil {
				want = f.run.Run.Run == run
			}
			for i := range f.entries {
				if want && !yield(f.entries[i], nil) {
					return
				}
			}
		}
	}
}

// firstRun reads what a segment begins with.
func firstRun(dir string, n int) (RunInfo, error) {
	dec, err := newDecoder()
	if err != nil {
		return RunInfo{}, fmt.Errorf("ledger: %w", err)
	}
	defer dec.Close()
	var found *RunInfo
	_, err = scanSegment(dir, n, dec, func(f frame, _ error) bool {
		if f.run != nil {
			found = &f.run.Run
		}
		return false
	})
	if err == nil && found == nil {
		err = &CorruptError{File: segmentFile(dir, n), Detail: "it does not begin with a run"}
	}
	if err != nil {
		return RunInfo{}, err
	}
	return *found, nil
}

// scanFrom yields the frames of some segments that follow upon each other.
func scanFrom(dir string, numbers []int) iter.Seq2[frame, error] {
	return func(yield func(frame, error) bool) {
		dec, err := newDecoder()
		if err != nil {
			yield(frame{}, fmt.Errorf("ledger: %w", err))
			return
		}
		defer dec.Close()
		scanWith(dir, numbers, dec, yield)
	}
}

func scanWith(dir string, numbers []int, dec *zstd.Decoder, yield func(frame, error) bool) {
	for i, n := range numbers {
		more, err := scanSegment(dir, n, dec, yield)
		if errors.Is(err, ErrTorn) && i < len(numbers)-1 {
			err = &CorruptError{File: segmentFile(dir, n), Detail: "incomplete, and another follows: " + err.Error()}
		} else if i == len(numbers)-1 && (more && err == nil || errors.Is(err, ErrTorn)) {
			err = cmp.Or(cutOff(dir), err)
		}
		if err != nil {
			yield(frame{}, err)
			return
		}
		if !more {
			return
		}
	}
}
