//go:build !unix

package handover

import (
	"errors"
	"os"
)

// Replace is for systems that can put a binary in the place of another.
func Replace(string, []string, *os.File, ...os.Signal) error { return errors.ErrUnsupported }
