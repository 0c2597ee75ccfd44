package frontier

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// Holder is the process that has a state open.
type Holder struct {
	PID   int       `json:"pid"`
	Host  string    `json:"host"`
	Since time.Time `json:"since"`
}

// String names the process, and its machine where that is another one.
func (h Holder) String() string {
	text := fmt.Sprintf("process %d", h.PID)
	if name, err := os.Hostname(); err != nil || name != h.Host {
		text += " on " + h.Host
	}
	return text + " since " + h.Since.UTC().Format("2006-01-02 15:04:05 MST")
}

// takeLock takes the system's lock of the LOCK file, which ends with its
// process however that dies. The PID file beside it is for people only.
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
		if h, ok := f.holder(); ok {
			by = h.String()
		}
		return fmt.Errorf("state folder %s: %w by %s", f.dir, crawler.ErrLocked, by)
	}
	f.lock = lock
	host, _ := os.Hostname() // empty where there is none
	b, err := json.Marshal(Holder{PID: os.Getpid(), Host: host, Since: time.Now().UTC().Truncate(time.Second)})
	if err == nil {
		err = f.write(pidFile, append(b, '\n'))
	}
	if err != nil {
		_ = f.release() // the error at hand matters more
		return fmt.Errorf("state folder %s: %w", f.dir, err)
	}
	return nil
}

// holder reads who holds the lock, which may have been released meanwhile.
func (f *folder) holder() (h Holder, ok bool) {
	b, err := readFile(f.fs, f.path(pidFile))
	if err != nil || json.Unmarshal(b, &h) != nil {
		return Holder{}, false
	}
	return h, h.PID > 0
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

// release gives the lock up; the PID file goes first, while it is surely ours.
func (f *folder) release() error {
	_ = f.fs.Remove(f.path(pidFile)) // stale at worst, and read only while locked
	return f.lock.Close()
}
