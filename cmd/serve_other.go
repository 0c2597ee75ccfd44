//go:build !unix

package cmd

import "os"

// reloadSignals are none here: configs are read again when they change.
var reloadSignals []os.Signal
