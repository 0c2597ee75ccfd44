// Package exit says how the commands of amble end: the exit codes, which scripts rely
// on, errors that carry one, and what a person can do about a failure.
//
// It promises that an error made here keeps the error below it for errors.Is, and that
// Message shows no secret of the config. It ends no process and prints nothing: that is
// for who calls the command.
package exit
