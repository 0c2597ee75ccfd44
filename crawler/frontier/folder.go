package frontier

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/amblecrawl/amble/crawler"
)

// folder is a locked state folder.
type folder struct {
	fs   vfs.FS
	dir  string
	lock io.Closer
	id   Identity // once it is settled
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

// settle leaves the folder with this crawl's identity and nothing half removed.
func (f *folder) settle(o Options) error {
	if err := f.finishDiscard(); err != nil {
		return fmt.Errorf("state folder %s: discarding the old state: %w", f.dir, err)
	}
	var err error
	f.id, err = readIdentity(f.fs, f.path(identityFile))
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, ErrDamaged):
		return f.unnamed(o, err)
	case err != nil:
		return fmt.Errorf("state folder %s: %w", f.dir, err)
	case f.id.Format > format:
		return newerFormat(f.dir, f.id)
	case f.id.Crawl != o.Crawl:
		return fmt.Errorf("state folder %s: %w: it belongs to crawl %q, this one is %q", f.dir, crawler.ErrForeignState, f.id.Crawl, o.Crawl)
	case !o.Fresh, len(o.Keep) > 0:
		return nil
	}
	return f.discard(o)
}

func newerFormat(dir string, id Identity) error {
	return fmt.Errorf("state folder %s: %w: it was written by a newer version of the program (%s, format %d; this one reads up to %d)",
		dir, crawler.ErrForeignState, id.Version, id.Format, format)
}

// unnamed deals with a folder whose STATE file is missing or damaged. An empty
// one becomes a state. One that holds a state's files and nothing else is
// discarded when that is asked for: whose state it was cannot be told any more,
// but it was named. Whatever else lies in a folder is never touched.
func (f *folder) unnamed(o Options, damage error) error {
	foreign, state, err := f.contents()
	switch {
	case err != nil:
		return fmt.Errorf("state folder %s: %w", f.dir, err)
	case foreign != "" && errors.Is(damage, ErrDamaged):
		return fmt.Errorf("state folder %s: %w: its %s file is damaged, and it holds %q, which is no part of a state",
			f.dir, ErrNotState, identityFile, foreign)
	case foreign != "":
		return fmt.Errorf("state folder %s: %w: it holds %q but no %s file; name an empty folder",
			f.dir, ErrNotState, foreign, identityFile)
	case state && !o.Fresh && errors.Is(damage, ErrDamaged):
		return fmt.Errorf("state folder %s: %w", f.dir, damage)
	case state && !o.Fresh:
		return fmt.Errorf("state folder %s: %w: its %s file is missing", f.dir, ErrDamaged, identityFile)
	case state:
		return f.discard(o)
	}
	return f.create(o)
}

// contents looks for what is no part of a state, and for what is left of one.
func (f *folder) contents() (foreign string, state bool, err error) {
	names, err := f.fs.List(f.dir)
	if err != nil {
		return "", false, err
	}
	slices.Sort(names)
	for _, name := range names {
		switch strings.TrimSuffix(name, ".tmp") {
		case lockFile, pidFile, probeFile:
		case ledgerDir: // the crawl's account with its hosts, which outlives its runs
		case identityFile, closedFile:
			state = state || !strings.HasSuffix(name, ".tmp")
		case storeDir:
			state = true
			if foreign == "" {
				foreign, err = foreignInStore(f.fs, f.path(name))
			}
			if err != nil {
				return "", false, err
			}
		default:
			return name, state, nil
		}
	}
	return foreign, state, nil
}

// foreignInStore names a file that the store would not make.
func foreignInStore(fsys vfs.FS, dir string) (string, error) {
	names, err := fsys.List(dir)
	if err != nil {
		return "", err
	}
	slices.Sort(names)
	for _, name := range names {
		if kindOf(name) == otherFile {
			return storeDir + "/" + name, nil
		}
	}
	return "", nil
}

// discard gives up the whole state and begins a new one.
func (f *folder) discard(o Options) error {
	err := f.fs.Rename(f.path(identityFile), f.path(discardFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = f.write(discardFile, nil)
	}
	if err == nil {
		err = errors.Join(syncDir(f.fs, f.dir), f.finishDiscard())
	}
	if err != nil {
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
	if err := f.remove(closedFile); err != nil {
		return err
	}
	return f.remove(discardFile)
}

// create writes the identity of a new state.
func (f *folder) create(o Options) error {
	return f.identify(Identity{Format: format, Crawl: o.Crawl, Version: o.Version})
}

// identify replaces the identity.
func (f *folder) identify(id Identity) error {
	b, err := seal(id)
	if err == nil {
		err = f.write(identityFile, b)
	}
	if err != nil {
		return fmt.Errorf("state folder %s: %w", f.dir, err)
	}
	f.id = id
	return nil
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

// remove removes a small file durably, if it is there.
func (f *folder) remove(name string) error {
	if err := f.fs.Remove(f.path(name)); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	return syncDir(f.fs, f.dir)
}
