package exit

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/frontier"
)

func TestErrorsKeepTheirCause(t *testing.T) {
	err := fmt.Errorf("wrapped: %w", With(Nothing, fmt.Errorf("in vain: %w", fs.ErrNotExist)))
	if !errors.Is(err, fs.ErrNotExist) || Said(err) || !strings.Contains(err.Error(), "in vain") {
		t.Errorf("%v", err)
	}
	if silent := Silent(Interrupted); !Said(silent) || Said(fs.ErrNotExist) {
		t.Errorf("%v: said or not?", silent)
	}
}

// A state that is somebody else's is a mistake, with what to do; a disk that fails is a
// failure.
func TestOfState(t *testing.T) {
	for cause, want := range map[error]struct {
		code int
		cure string
	}{
		crawler.ErrLocked:       {Config, "--state"},
		crawler.ErrForeignState: {Config, "--state"},
		frontier.ErrDamaged:     {Config, "amble state check"},
		fs.ErrPermission:        {Config, "allow writing there"},
		syscall.ENOSPC:          {Failed, "make room"},
		syscall.EMFILE:          {Failed, "ulimit -n"},
		syscall.EIO:             {Failed, ""},
	} {
		err := OfState(fmt.Errorf("state: %w", cause))
		end, ok := errors.AsType[*Error](err)
		if !ok || end.Code != want.code || !strings.Contains(err.Error(), want.cure) {
			t.Errorf("%v: %v, want code %d and %q", cause, err, want.code, want.cure)
		}
	}
}
