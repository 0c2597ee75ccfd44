package sink

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// errEscape is the refusal of a symbolic link that leads out of the folder of
// an output.
var errEscape = errors.New("is absolute or leads out of the output's folder")

// fence is the folder that the files of an output lie in. The folder and what
// is above it may be symbolic links: the user named them. Below it a link that
// is absolute or leads out is refused, by the system call that meets it, so
// that nobody can put one there between a look and a write. The zero fence is
// around nothing.
type fence string

// fenceOf is the fence of a path template. The names that the system has for
// what is open already are links to anywhere, and meant so.
func fenceOf(path string) fence {
	switch clean := filepath.ToSlash(filepath.Clean(path)); {
	case clean == stdoutPath, clean == "/dev/stdout", clean == "/dev/stderr",
		strings.HasPrefix(clean, "/dev/fd/"), strings.HasPrefix(clean, "/proc/self/fd/"):
		return ""
	}
	return fence(root(path))
}

// place is where names are looked up: anywhere, or in one folder only.
type place interface {
	Stat(name string) (os.FileInfo, error)
	OpenFile(name string, flag int, perm os.FileMode) (*os.File, error)
	Mkdir(name string, perm os.FileMode) error
}

var _ place = (*os.Root)(nil)

// anywhere are the functions of os.
type anywhere struct{}

func (anywhere) Stat(name string) (os.FileInfo, error) { return os.Stat(name) }

func (anywhere) OpenFile(name string, flag int, perm os.FileMode) (*os.File, error) {
	return os.OpenFile(name, flag, perm)
}

func (anywhere) Mkdir(name string, perm os.FileMode) error { return os.Mkdir(name, perm) }

// do calls f with the place for a path and its name there. The folder is opened
// anew each time: one that was kept open would be followed to wherever it is
// moved, and its files with it.
func (d fence) do(path string, f func(in place, name string) error) error {
	name, below := d.below(path)
	if !below {
		return f(anywhere{}, path)
	}
	in, err := os.OpenRoot(string(d))
	if info, serr := os.Stat(string(d)); err != nil && serr == nil && !info.IsDir() {
		return &fs.PathError{Op: "open", Path: string(d), Err: syscall.ENOTDIR} // os has a text of its own for it
	}
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	return d.explain(path, name, f(in, name))
}

// below gives the name of a path in the folder, where it lies there.
func (d fence) below(path string) (name string, ok bool) {
	if d == "" {
		return "", false
	}
	name, err := filepath.Rel(string(d), path)
	return name, err == nil && name != "." && filepath.IsLocal(name)
}

// explain names the whole path, and the link where one was refused. os has no
// error value for that: it is what has no number of the system's.
func (d fence) explain(path, name string, err error) error {
	var failed *fs.PathError
	if !errors.As(err, &failed) {
		return err
	}
	failed.Path = path
	if errno := syscall.Errno(0); errors.As(err, &errno) {
		return err
	}
	at := string(d)
	for part := range strings.SplitSeq(filepath.ToSlash(name), "/") {
		at = filepath.Join(at, part)
		if info, lerr := os.Lstat(at); lerr == nil && info.Mode()&fs.ModeSymlink != 0 {
			failed.Err = fmt.Errorf("the symbolic link %s %w %s", at, errEscape, string(d))
			return err
		}
	}
	return err
}
