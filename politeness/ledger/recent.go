package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
)

// Recent is what the end of a ledger holds of one host.
type Recent struct {
	Entries  []Entry // the latest, oldest first
	Versions []RobotsVersion
	// From is when the first entry was made that was looked at. Whole says that there
	// was none before it, nor was any put away.
	From  time.Time
	Whole bool
	// Torn tells that the ledger ends in an incomplete frame.
	Torn bool
}

// recentVersions bounds the versions of robots.txt in a Recent.
const recentVersions = 16

// ReadRecent gives the last entries of a host, at most most of them, from the last
// segments of a ledger: about size octets of files, and the last segment at least.
func ReadRecent(ctx context.Context, dir, host string, most int, size int64) (r *Recent, err error) {
	for range listTries {
		if r, err = readRecent(ctx, dir, host, most, size); !errors.Is(err, errMoved) {
			break
		}
	}
	return r, err
}

func readRecent(ctx context.Context, dir, host string, most int, size int64) (*Recent, error) {
	l, err := list(dir)
	if err != nil {
		return nil, err
	}
	numbers := l.numbers
	from := len(numbers)
	for from > 0 {
		info, err := os.Stat(segmentFile(dir, numbers[from-1]))
		if errors.Is(err, fs.ErrNotExist) && moved(dir, numbers[from-1]) {
			return nil, errMoved
		}
		if err != nil {
			return nil, fmt.Errorf("ledger: %w", err)
		}
		if size -= info.Size(); size < 0 && from < len(numbers) {
			break
		}
		from--
	}
	r := &Recent{Whole: from == 0 && l.before == nil}
	for f, err := range scanFrom(dir, numbers[from:]) {
		if err == nil {
			err = ctx.Err()
		}
		if errors.Is(err, ErrTorn) {
			r.Torn = true
			break
		}
		if err != nil {
			return nil, err
		}
		r.take(&f, host, most)
	}
	if n := len(r.Entries); n > most {
		r.Entries = r.Entries[n-most:]
	}
	return r, nil
}

func (r *Recent) take(f *frame, host string, most int) {
	for i := range f.versions {
		if v := &f.versions[i].RobotsVersion; v.Origin == host {
			if len(r.Versions) == recentVersions {
				r.Versions = append(r.Versions[:0], r.Versions[1:]...)
			}
			kept := *v
			kept.Hash, kept.Body = f.versions[i].Hash, nil
			r.Versions = append(r.Versions, kept)
		}
	}
	for i := range f.entries {
		if r.From.IsZero() {
			r.From = f.entries[i].Start
		}
		if f.entries[i].Host != host {
			continue
		}
		if r.Entries = append(r.Entries, f.entries[i]); len(r.Entries) >= 2*most {
			r.Entries = append(r.Entries[:0], r.Entries[len(r.Entries)-most:]...)
		}
	}
}
