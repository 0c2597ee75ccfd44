package download

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/amblecrawl/amble/crawler"
)

// A folder that takes no files is the failure of its own files, and the rest goes on.
func TestFolderThatTakesNothing(t *testing.T) {
	w := newWorld(t, Options{})
	shut := filepath.Join(w.dir, "shut")
	if err := os.Mkdir(shut, 0o555); err != nil {
		t.Fatal(err)
	}
	if os.Getuid() == 0 { // whom a mode does not stop
		unchange := immutable(t, shut)
		defer unchange()
	}
	_, err := w.get(t, request(t, "http://h/shut/a"), ok("hello"))
	var fe *crawler.FetchError
	if !errors.As(err, &fe) || fe.Class != crawler.ClassFile || fe.Temporary {
		t.Errorf("it is %v", err)
	}
	if end, err := w.get(t, request(t, "http://h/a"), ok("hello")); err != nil || end.Err != nil {
		t.Errorf("the next one: %v, %v", err, end.Err)
	}
}

// immutable has a folder take nothing, also from root.
func immutable(t *testing.T, dir string) (undo func()) {
	t.Helper()
	set := func(flags int) error {
		d, err := os.Open(dir)
		if err != nil {
			return err
		}
		defer d.Close()
		return unix.IoctlSetPointerInt(int(d.Fd()), unix.FS_IOC_SETFLAGS, flags)
	}
	const immutableFlag = 0x10 // FS_IMMUTABLE_FL
	if err := set(immutableFlag); err != nil {
		t.Skipf("the file system has no immutable folders: %v", err)
	}
	return func() {
		if err := set(0); err != nil {
			t.Error(err)
		}
	}
}
