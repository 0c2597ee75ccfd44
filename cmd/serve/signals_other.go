//go:build !unix

package serve

import "os"

// reloadSignals are none here: configs are read again when they change.
var reloadSignals []os.Signal

// handoverSignals are none here: another binary is started when this one has ended.
var handoverSignals []os.Signal
