package exit

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/crawler/frontier"
	"github.com/amblecrawl/amble/politeness/ledger"
)

// The exit codes, a contract with scripts.
const (
	OK          = 0
	Nothing     = 1   // finished, but nothing could be fetched, or a check failed
	Config      = 2   // the config or the command line is wrong; nothing was fetched
	Failed      = 3   // a sink, disk or engine failure; resumable
	Interrupted = 130 // resumable
)

// Error is an error with the exit code it leads to. A nil Err means that
// everything has been said already.
type Error struct {
	Code int
	Err  error
}

// With is err with the exit code it leads to.
func With(code int, err error) error { return &Error{code, err} }

// Silent is an exit code of which everything has been said already.
func Silent(code int) error { return &Error{Code: code} }

func (e *Error) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit status %d", e.Code)
	}
	return e.Err.Error()
}

func (e *Error) Unwrap() error { return e.Err }

// Message is an error for people, without secrets.
func Message(cfg *config.Config, err error) error {
	return errors.New(cfg.Redact(InPlainWords(err)))
}

// InPlainWords leaves out what the exit status says, and adds what to do.
func InPlainWords(err error) string {
	text := strings.ReplaceAll(err.Error(), crawler.ErrStop.Error()+": ", "")
	text = strings.TrimSuffix(text, ": "+crawler.ErrForeignState.Error())
	if errors.Is(err, syscall.ENOSPC) && !strings.Contains(text, roomCure) {
		text += " (" + roomCure + ")"
	}
	if errors.Is(err, frontier.ErrDamaged) {
		text += " (" + damageCure + ")"
	}
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		if !strings.Contains(text, filesCure) {
			text += " (" + filesCure + ")"
		}
	}
	return text
}

// filesCure is what outputs say, too: to do when files cannot be opened any more.
const filesCure = "raise the limit of open files, ulimit -n, then run again to resume"

// roomCure is what outputs say of a full disk, too.
const roomCure = "make room, then run again to resume"

// damageCure is what to do about a state that is broken.
const damageCure = "amble state check says what is wrong and what can be saved; run with --fresh to start over"

// OfState is the exit of a state that could not be opened: a mistake unless
// the disk failed.
func OfState(err error) error {
	if cure := stateCure(err); cure != "" {
		return With(Config, fmt.Errorf("%w (%s)", err, cure))
	}
	return With(Failed, errors.New(InPlainWords(err)))
}

// stateCure says what can be done about a state that is not this run's to use,
// or is empty for other failures.
func stateCure(err error) string {
	switch {
	case errors.Is(err, crawler.ErrLocked):
		return "wait for it or stop it, or name another folder with --state"
	case errors.Is(err, frontier.ErrDamaged), errors.As(err, new(*ledger.CorruptError)):
		return damageCure
	case errors.Is(err, frontier.ErrNotState):
		return "name another folder with --state"
	case errors.Is(err, crawler.ErrForeignState):
		return "name another folder with --state"
	case errors.Is(err, syscall.ENOTDIR), errors.Is(err, fs.ErrExist):
		return "a file stands there; name another folder with --state"
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, fs.ErrNotExist):
		return "allow writing there, or name another folder with --state"
	}
	return ""
}

// Said tells whether everything about err has been said already.
func Said(err error) bool {
	end, ok := errors.AsType[*Error](err)
	return ok && end.Err == nil
}
