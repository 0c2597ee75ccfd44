// Package sinktest is the suite that every sink writing files must pass: a
// fresh run replaces, a resumed run appends, and after any crash the committed
// records are there, each once, and no others.
//
// It asks of a sink that one record type goes to one file, and that a file that
// was damaged below its committed size is refused.
package sinktest
