package build

import (
	"errors"
	"io"
	"strings"
	"testing"
)

func TestWithoutGo(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	err := Run(t.Context(), Options{With: []string{"example.com/wordcount=../../docs/plugin-template"}, Output: "amble", Log: io.Discard})
	if !errors.Is(err, ErrMistake) || !strings.Contains(err.Error(), "needs the Go toolchain") {
		t.Errorf("build: %v", err)
	}
}
