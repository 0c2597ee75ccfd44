// Package alert tells somebody outside what became of a run: by a request to an
// address, or by a program that is started.
//
// It promises that nobody who sends waits: a message is tried a few times, each time
// for as long as its target says, and one that finds no room is dropped and logged.
// A receiver may get a message twice; its ID is the same then. Addresses and
// arguments, which hold keys, are in no error.
//
// It refuses to decide what is worth an alert.
package alert
