package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// ErrHeld means that a daemon writes to the history already.
var ErrHeld = errors.New("the history is in use by another daemon")

// Hold keeps other daemons from a history until release is called or the process
// ends, however it does: two would each run what is due, and take the runs of the
// other for cut off. Readers need not hold it. The file of the lock stands beside
// the history and stays there.
func Hold(path string) (release func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // named by the operator
	if err != nil {
		return nil, err
	}
	if err := lock(f); err != nil {
		_ = f.Close() // nothing was written
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return func() { _ = f.Close() }, nil
}
