package frontier

import (
	"errors"
	"io"
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// private is the mode of every file of a state: URLs tell what somebody is
// after.
const private = 0o600

// privateFS makes files that only their owner may read, whatever the umask and
// the mode of the folder they are in. Pebble makes them as the umask has it.
type privateFS struct{ vfs.FS }

func (f privateFS) closed(name string, file vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(name, private); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func (f privateFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.Create(name, category)
	return f.closed(name, file, err)
}

func (f privateFS) OpenReadWrite(name string, category vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	file, err := f.FS.OpenReadWrite(name, category, opts...)
	return f.closed(name, file, err)
}

func (f privateFS) ReuseForWrite(oldname, newname string, category vfs.DiskWriteCategory) (vfs.File, error) {
	file, err := f.FS.ReuseForWrite(oldname, newname, category)
	return f.closed(newname, file, err)
}

// Lock takes a lock, which is also made by being taken.
func (f privateFS) Lock(name string) (io.Closer, error) {
	lock, err := f.FS.Lock(name)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(name, private); err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return lock, nil
}

func (f privateFS) Unwrap() vfs.FS { return f.FS }
