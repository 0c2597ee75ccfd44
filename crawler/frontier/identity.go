package frontier

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/amblecrawl/amble/crawler"
)

// ErrDamaged means that a folder is no state or a broken one: name another
// folder, or run fresh.
var ErrDamaged = errors.New("not a usable state")

// format is the version of the rows. A newer one is refused.
const format = 1

// Names in a state folder.
const (
	identityFile = "STATE"     // the Identity; written before the store is made
	discardFile  = "DISCARDED" // the Identity of a state being removed
	pidFile      = "PID"       // the process that holds LOCK
	lockFile     = "LOCK"
	probeFile    = "PROBE" // made and removed to see whether the folder can be written
	storeDir     = "store"
	ledgerDir    = "ledger"
)

// Identity says whose state a folder holds.
type Identity struct {
	Format  int    `json:"format"`
	Crawl   string `json:"crawl"`
	Version string `json:"version"` // of the program that made the state
}

// Peek reads whose state dir holds without taking the lock. A missing state is
// fs.ErrNotExist.
func Peek(dir string) (Identity, error) {
	id, err := readIdentity(vfs.Default, filepath.Join(dir, identityFile))
	if err != nil {
		return Identity{}, fmt.Errorf("state folder %s: %w", dir, err)
	}
	return id, nil
}

// folder is a locked state folder.
type folder struct {
	fs   vfs.FS
	dir  string
	lock io.Closer
}

func (f *folder) path(name string) string { return f.fs.PathJoin(f.dir, name) }

// openFolder makes and locks the folder and settles whose it is, so that what
// remains is to open the store.
func openFolder(o Options) (*folder, error) {
	if err := makeDir(o.FS, o.Dir); err != nil {
		return nil, fmt.Errorf("state folder %s: %w", o.Dir, err)
	}
	f := &folder{fs: o.FS, dir: o.Dir}
	if err := f.takeLock(); err != nil {
		return nil, err
	}
	if err := f.settle(o); err != nil {
		_ = f.release() // the error at hand matters more
		return nil, err
	}
	return f, nil
}

// makeDir makes dir and its missing parents and makes their names durable.
func makeDir(fsys vfs.FS, dir string) error {
	var made []string
	for p := dir; ; p = fsys.PathDir(p) {
		made = append(made, p)
		if _, err := fsys.Stat(p); err == nil || fsys.PathDir(p) == p {
			break
		}
	}
	if err := fsys.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	for _, p := range slices.Backward(made) {
		if err := syncDir(fsys, p); err != nil {
			return err
		}
	}
	return nil
}

func syncDir(fsys vfs.FS, dir string) error {
	d, err := fsys.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (f *folder) takeLock() error {
	lock, err := f.fs.Lock(f.path(lockFile))
	if err != nil {
		// Besides the errno, pebble reports a lock of this very process in words.
		held := errors.Is(err, syscall.EAGAIN) || errors.Is(err, syscall.EACCES) && f.writable() ||
			strings.Contains(err.Error(), "held by current process")
		if !held {
			return fmt.Errorf("state folder %s: %w", f.dir, err)
		}
		by := "another process"
		if pid, err := f.read(pidFile); err == nil && len(pid) > 0 {
			by = "process " + strings.TrimSpace(string(pid))
		}
		return fmt.Errorf("state folder %s: %w by %s", f.dir, crawler.ErrLocked, by)
	}
	f.lock = lock
	if err := f.write(pidFile, strconv.AppendInt(nil, int64(os.Getpid()), 10)); err != nil {
		_ = f.release()
		return fmt.Errorf("state folder %s: %w", f.dir, err)
	}
	return nil
}

// writable tells a lock held elsewhere from a folder that may not be written,
// which some systems report alike.
func (f *folder) writable() bool {
	if f.write(probeFile, nil) != nil {
		return false
	}
	_ = f.fs.Remove(f.path(probeFile))
	return true
}

// settle leaves the folder with this crawl's identity and nothing half removed.
func (f *folder) settle(o Options) error {
	if err := f.finishDiscard(); err != nil {
		return fmt.Errorf("state folder %s: discarding the old state: %w", f.dir, err)
	}
	id, err := readIdentity(f.fs, f.path(identityFile))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return f.create(o)
	case err != nil:
		return fmt.Errorf("state folder %s: %w", f.dir, err)
	case id.Format > format:
		return fmt.Errorf("state folder %s: %w: it was written by a newer version of the program (%s, format %d; this one reads up to %d)",
			f.dir, crawler.ErrForeignState, id.Version, id.Format, format)
	case id.Crawl != o.Crawl:
		return fmt.Errorf("state folder %s: %w: it belongs to crawl %q, this one is %q", f.dir, crawler.ErrForeignState, id.Crawl, o.Crawl)
	case !o.Fresh, len(o.Keep) > 0:
		return nil
	}
	return f.discard(o)
}

// discard gives up the whole state and begins a new one.
func (f *folder) discard(o Options) error {
	if err := f.fs.Rename(f.path(identityFile), f.path(discardFile)); err != nil {
		return fmt.Errorf("state folder %s: discarding the old state: %w", f.dir, err)
	}
	if err := errors.Join(syncDir(f.fs, f.dir), f.finishDiscard()); err != nil {
		return fmt.Errorf("state folder %s: discarding the old state: %w", f.dir, err)
	}
	return f.create(o)
}

// finishDiscard removes the store of a state that was given up, perhaps by a
// process that died doing it.
func (f *folder) finishDiscard() error {
	if _, err := f.fs.Stat(f.path(discardFile)); err != nil {
		return nil
	}
	if err := f.fs.RemoveAll(f.path(storeDir)); err != nil {
		return err
	}
	if err := syncDir(f.fs, f.dir); err != nil {
		return err
	}
	if err := f.fs.Remove(f.path(discardFile)); err != nil {
		return err
	}
	return syncDir(f.fs, f.dir)
}

// create writes the identity of a new state into a folder that holds nothing
// else.
func (f *folder) create(o Options) error {
	names, err := f.fs.List(f.dir)
	if err != nil {
		return fmt.Errorf("state folder %s: %w", f.dir, err)
	}
	slices.Sort(names)
	for _, name := range names {
		switch name {
		case lockFile, pidFile, pidFile + ".tmp", probeFile, probeFile + ".tmp", identityFile + ".tmp":
		case ledgerDir: // the crawl's account with its hosts, which outlives its runs
		default:
			return fmt.Errorf("state folder %s: %w: it holds %q but no %s file; name an empty folder",
				f.dir, ErrDamaged, name, identityFile)
		}
	}
	b, err := json.Marshal(Identity{Format: format, Crawl: o.Crawl, Version: o.Version})
	if err != nil {
		return err
	}
	if err := f.write(identityFile, append(b, '\n')); err != nil {
		return fmt.Errorf("state folder %s: %w", f.dir, err)
	}
	return nil
}

// release gives the lock up; the PID file goes first, while it is surely ours.
func (f *folder) release() error {
	_ = f.fs.Remove(f.path(pidFile)) // stale at worst, and read only while locked
	return f.lock.Close()
}

// write replaces a small file as a whole and makes it durable.
func (f *folder) write(name string, data []byte) error {
	tmp := f.path(name + ".tmp")
	file, err := f.fs.Create(tmp, vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	if f.fs == vfs.Default {
		if err := os.Chmod(tmp, 0o600); err != nil {
			return err
		}
	}
	if err := f.fs.Rename(tmp, f.path(name)); err != nil {
		return err
	}
	return syncDir(f.fs, f.dir)
}

func (f *folder) read(name string) ([]byte, error) { return readFile(f.fs, f.path(name)) }

// maxFile bounds the small files read whole.
const maxFile = 64 << 10

func readFile(fsys vfs.FS, path string) ([]byte, error) {
	file, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(file, maxFile))
	return b, errors.Join(err, file.Close())
}

func readIdentity(fsys vfs.FS, path string) (Identity, error) {
	b, err := readFile(fsys, path)
	if err != nil {
		return Identity{}, err
	}
	var id Identity
	if err := json.Unmarshal(b, &id); err != nil || id.Format < 1 {
		return Identity{}, fmt.Errorf("%w: its %s file is unreadable", ErrDamaged, identityFile)
	}
	return id, nil
}
