// Package cli is what the commands share of a command line: the check of arguments,
// URLs and configs that are named there, flags that several commands have, the log, and
// writers that hide what a config got from the environment.
//
// What it refuses is an error that leads to exit code 2 and says what is wanted. It
// knows no command and runs nothing.
package cli
