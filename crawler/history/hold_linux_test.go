package history

import (
	"errors"
	"path/filepath"
	"testing"
)

func TestHold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "history.db")
	release, err := Hold(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Hold(path); !errors.Is(err, ErrHeld) {
		t.Errorf("a second daemon: %v", err)
	}
	release()
	if release, err = Hold(path); err != nil {
		t.Fatal(err)
	}
	release()
}
