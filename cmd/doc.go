// Package cmd is amble's command line. Its command is in cmd/amble; a binary
// with plugins of one's own calls Main after their blank imports.
//
// This package only wires: one file per verb, the adapters that join packages
// which do not know each other, and what is printed for people. Results go to
// stdout, progress and logs to stderr; the exit codes are in exit.go.
package cmd
