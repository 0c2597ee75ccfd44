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
			if errors.Is(err, errMoved) { // what is put away is of earlier runs
				from++
				break
			}
			if err != nil {
				yield(Entry{}, err)
				return
			}
			if begins.Run.Run != run {
				break
			}
			from--
		}
		entriesOf(ctx, scanFrom(dir, numbers[min(max(from, 0), len(numbers)):]), run)(yield)
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

// firstRun reads what a segment begins with. Its error is ErrTorn where that is not there.
func firstRun(dir string, n int) (runFrame, error) {
	dec, err := newDecoder()
	if err != nil {
		return runFrame{}, fmt.Errorf("ledger: %w", err)
	}
	defer dec.Close()
	var found *runFrame
	_, err = scanSegment(dir, n, dec, func(f frame, _ error) bool {
		if f.run != nil {
			found = f.run
		}
		return false
	})
	if err == nil && found == nil {
		err = fmt.Errorf("%w: %s has no frame", ErrTorn, segmentFile(dir, n))
	}
	if err != nil {
		return runFrame{}, err
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
