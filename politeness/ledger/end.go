package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
)

// endFile says where a ledger ended when it was closed. It is there while no process
// has the ledger open; after a crash it is missing, and an incomplete end is the
// crash's. Ledgers of earlier versions have none.
const endFile = "END"

type ending struct {
	Segment int    `json:"segment"`
	Size    int64  `json:"size"`
	Sum     string `json:"sum"` // of the other two
}

func (e ending) sum() string {
	return fmt.Sprintf("%08x", crc32.Checksum(fmt.Appendf(nil, "%d %d", e.Segment, e.Size), castagnoli))
}

// conclude writes down where the ledger ends.
func (l *Ledger) conclude() error {
	e := ending{Segment: l.number, Size: l.size}
	e.Sum = e.sum()
	text, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	end := filepath.Join(l.dir, endFile)
	f, err := os.OpenFile(end+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, l.fsync(f), f.Close()); err == nil {
		err = os.Rename(end+".new", end)
	}
	if err == nil {
		err = l.syncDir()
	}
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// reopen takes the ending away, before anything is appended.
func (l *Ledger) reopen() error {
	err := os.Remove(filepath.Join(l.dir, endFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = l.syncDir()
	}
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	return nil
}

// cutOff is a *CorruptError where a ledger ends before the place at which it was
// closed, and where what says so is damaged. One that is longer was written since, by
// who crashed.
func cutOff(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, endFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	var e ending
	if json.Unmarshal(text, &e) != nil || e.Sum != e.sum() {
		return &CorruptError{File: filepath.Join(dir, endFile), Detail: "it does not say where the ledger ends"}
	}
	numbers, err := segments(dir)
	if err != nil {
		return err
	}
	file := segmentFile(dir, e.Segment)
	if len(numbers) == 0 || numbers[len(numbers)-1] < e.Segment {
		return &CorruptError{File: file, Detail: "the file is missing"}
	}
	info, err := os.Stat(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was put away, and others follow
	}
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	if missing := e.Size - info.Size(); missing > 0 {
		return &CorruptError{File: file, Offset: info.Size(), Detail: fmt.Sprintf("its last %d bytes are missing, and no crash took them: the ledger was closed behind them", missing)}
	}
	return nil
}

// Sound tells whether Open would go on with a ledger, or begin one: it gives the error
// that Open would give, and changes nothing.
func Sound(dir string) error {
	l, err := list(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = cutOff(dir)
	}
	if err != nil || len(l.numbers) == 0 {
		return err
	}
	dec, err := newDecoder()
	if err != nil {
		return fmt.Errorf("ledger: %w", err)
	}
	defer dec.Close()
	last := l.numbers[len(l.numbers)-1]
	_, err = inspect(segmentFile(dir, last), last, dec)
	return err
}

// PutAside moves the files of a ledger into a new folder below it, and gives its name;
// the next Open begins a new ledger. It is for a damaged one, of which Read and Audit
// tell there what came before the damage.
func PutAside(dir string) (to string, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return "", fmt.Errorf("ledger: %w", err)
	}
	for n := 1; ; n++ {
		to = filepath.Join(dir, fmt.Sprintf("damaged-%d", n))
		if err = os.Mkdir(to, 0o700); !errors.Is(err, fs.ErrExist) {
			break
		}
	}
	place := filepath.Join(to, filepath.Base(dir)) // named as in a state
	if err == nil {
		err = os.Mkdir(place, 0o700)
	}
	for _, f := range files {
		if err == nil && f.Type().IsRegular() {
			err = os.Rename(filepath.Join(dir, f.Name()), filepath.Join(place, f.Name()))
		}
	}
	if err != nil {
		return "", fmt.Errorf("ledger: %w", err)
	}
	return to, nil
}
