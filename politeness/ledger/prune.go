package ledger

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"time"
)

// Pruned tells what Prune found and did.
type Pruned struct {
	// Before is what the ledger holds no longer, nil for nothing.
	Before *Before
	// Put is how many files went now.
	Put int
	// Anew is when the last process began with which the account could begin
	// (RunInfo.Anew); without one the first process, and zero without a ledger.
	Anew time.Time
}

// Prune puts the beginning of a ledger away: all that is older than an instant, as far as
// what remains can be audited by itself. That is so from a process on that relies on
// nothing read before it (RunInfo.Anew), so that nothing goes that is younger than the
// instant, and more may stay. The last file always stays.
//
// What goes is audited first, and what was found is written down in its place (Before).
// What is damaged does not go; the error is a *CorruptError then. Whoever dies in the
// middle leaves the ledger as it was or as it is to be, and the next call clears up. Who
// reads the ledger meanwhile is not disturbed; nobody may have it open to append.
func Prune(ctx context.Context, dir string, before time.Time) (Pruned, error) {
	p := pruner{dir: dir, rename: os.Rename, remove: os.Remove, fsync: (*os.File).Sync}
	return p.prune(ctx, before)
}

// pruner has the system's part of it.
type pruner struct {
	dir    string
	rename func(from, to string) error
	remove func(file string) error
	fsync  func(*os.File) error
}

func (p *pruner) prune(ctx context.Context, before time.Time) (Pruned, error) {
	l, err := list(p.dir)
	if errors.Is(err, fs.ErrNotExist) {
		return Pruned{}, nil
	}
	if err != nil {
		return Pruned{}, err
	}
	out := Pruned{Before: l.before}
	if err := p.clearUp(l.gone); err != nil {
		return out, err
	}
	cut := 0
	for i := len(l.numbers) - 1; i >= 0; i-- {
		run, err := firstRun(p.dir, l.numbers[i])
		if errors.Is(err, ErrTorn) { // of who died as it began the file
			continue
		}
		if err != nil {
			return out, err
		}
		began := time.UnixMicro(run.Base).UTC()
		anew := run.Run.Anew && !run.Continued
		if out.Anew.IsZero() && (anew || i == 0) {
			out.Anew = began
		}
		if anew && i > 0 && !began.After(before) {
			cut = i
			break
		}
	}
	if cut == 0 {
		return out, nil
	}
	goes := l.numbers[:cut]
	b, err := p.account(ctx, l.before, goes, l.numbers[cut])
	if err != nil {
		return out, err
	}
	if err := p.state(b); err != nil {
		return out, err
	}
	out.Before, out.Put = b, len(goes)
	files := make([]string, 0, len(goes)+1)
	for _, n := range goes {
		files = append(files, segmentFile(p.dir, n))
	}
	if l.before != nil {
		files = append(files, headFile(p.dir, l.before.Through))
	}
	return out, p.clear(files)
}

// account audits some segments, which next follows, and adds them to what went before.
func (p *pruner) account(ctx context.Context, earlier *Before, goes []int, next int) (*Before, error) {
	b := &Before{}
	if earlier != nil {
		*b = *earlier
	}
	report, err := auditOf(ctx, p.dir, Rules{}, until(scanFrom(p.dir, append(goes[:len(goes):len(goes)], next)), next))
	if err != nil && !errors.Is(err, ErrNone) {
		return nil, err
	}
	if report != nil {
		b.Processes += report.Processes
		b.Requests += report.Requests
		b.Withheld += report.Withheld
		b.Violations += report.Found
		if b.First.IsZero() {
			b.First = report.First
		}
		if report.Last.After(b.Last) {
			b.Last = report.Last
		}
	}
	for _, n := range goes {
		if b.Digest, err = p.digest(ctx, b.Digest, n); err != nil {
			return nil, err
		}
	}
	b.Through = goes[len(goes)-1]
	return b, nil
}

// until ends frames before a segment, of which nothing but the first is looked at.
func until(frames iter.Seq2[frame, error], n int) iter.Seq2[frame, error] {
	return func(yield func(frame, error) bool) {
		for f, err := range frames {
			if err == nil && f.segment == n || !yield(f, err) {
				return
			}
		}
	}
}

// digest goes on from the one of the segments before.
func (p *pruner) digest(ctx context.Context, before string, n int) (string, error) {
	in, err := os.Open(segmentFile(p.dir, n))
	if err != nil {
		return "", fmt.Errorf("ledger: %w", err)
	}
	defer func() { _ = in.Close() }() // only read from
	sum := sha256.New()
	earlier, err := hex.DecodeString(before)
	if err != nil {
		return "", &CorruptError{File: headFile(p.dir, n), Detail: "it has no digest"}
	}
	_, _ = sum.Write(earlier) // a hash takes everything
	for err == nil {
		if err = ctx.Err(); err == nil {
			_, err = io.CopyN(sum, in, 1<<20)
		}
	}
	if !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("ledger: %w", err)
	}
	return hex.EncodeToString(sum.Sum(nil)), nil
}

// state writes a head: from its renaming on the ledger begins behind it.
func (p *pruner) state(b *Before) error {
	text, err := json.Marshal(head{Before: *b, Sum: b.sum()})
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	file := headFile(p.dir, b.Through)
	f, err := os.OpenFile(file+unfinished, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, p.fsync(f), f.Close()); err == nil {
		err = p.rename(file+unfinished, file)
	}
	if err == nil {
		err = p.syncDir()
	}
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

func (p *pruner) syncDir() error {
	d, err := os.Open(p.dir)
	if err != nil {
		return err
	}
	return errors.Join(p.fsync(d), d.Close())
}

// clearUp removes what a call left that died.
func (p *pruner) clearUp(files []string) error {
	if len(files) == 0 {
		return nil
	}
	if err := p.syncDir(); err != nil { // it may have died before its head was durable
		return fmt.Errorf("ledger: %w", err)
	}
	return p.clear(files)
}

// clear removes what is no part of the ledger any more. It follows upon a head that is
// durable.
func (p *pruner) clear(files []string) error {
	for _, file := range files {
		if err := p.remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("ledger: %w", err)
		}
	}
	return nil
}
