package download

import (
	"errors"
	"io/fs"
	"os"
	"sync"
)

// mostFolders bounds how many folders are open at a time.
const mostFolders = 32

// folders keeps those folders of the destination open that files are being put in, so
// that a file costs a look-up of its last name and not of each folder above it.
type folders struct {
	root *os.Root
	most int

	mu   sync.Mutex
	open map[string]*folder
}

// folder is an open one.
type folder struct {
	root *os.Root
	uses int  // guarded by folders.mu
	gone bool // likewise: it is closed after its last use
}

func newFolders(root *os.Root) *folders {
	return &folders{root: root, most: int(max(1, min(mostFolders, mayOpen()/16))), open: map[string]*folder{}}
}

// in does something in a folder. That the folder is not there is fs.ErrNotExist.
func (f *folders) in(dir string, do func(*os.Root) error) error {
	d, err := f.take(dir)
	if err != nil {
		return err
	}
	defer f.give(d)
	return do(d.root)
}

func (f *folders) take(dir string) (*folder, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	d := f.open[dir]
	if d == nil {
		root, err := f.root.OpenRoot(dir)
		if err != nil {
			return nil, err
		}
		if len(f.open) >= f.most {
			for name := range f.open {
				f.close(name)
				break
			}
		}
		d = &folder{root: root}
		f.open[dir] = d
	}
	d.uses++
	return d, nil
}

func (f *folders) give(d *folder) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if d.uses--; d.uses == 0 && d.gone {
		_ = d.root.Close() // nothing is written by it
	}
}

// close forgets a folder. f.mu is held.
func (f *folders) close(dir string) {
	d := f.open[dir]
	if d == nil {
		return
	}
	delete(f.open, dir)
	if d.gone = true; d.uses == 0 {
		_ = d.root.Close() // nothing is written by it
	}
}

// check forgets a folder that is not where it was opened any more: files would go with
// it to wherever it was moved.
func (f *folders) check(dir string) error {
	d, err := f.take(dir)
	if err != nil {
		return err
	}
	defer f.give(d)
	there, err := f.root.Stat(dir)
	if err == nil {
		var here fs.FileInfo
		if here, err = d.root.Stat("."); err == nil && os.SameFile(there, here) {
			return nil
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.open[dir] == d {
		f.close(dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // who needs it finds out
	}
	return err
}

// closeAll ends the use of all folders.
func (f *folders) closeAll() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for dir := range f.open {
		f.close(dir)
	}
}
