// Package cmd is amble's command line. Its command is in cmd/amble; a binary
// with plugins of one's own calls Main after their blank imports.
//
// Here is the command tree, with the verbs that need no more than a file or two. A verb
// that has more to it has a package below this one, with the function NewCommand. What
// they rest on lies below them: execution runs a crawl and report says what came of it;
// crawl puts a config together, polite joins it to politeness; cli, exit, format and
// version are what all commands share; standard has the plugins that are compiled in.
//
// Results go to stdout, progress and logs to stderr; the exit codes are in package exit.
package cmd
