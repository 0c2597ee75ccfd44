// Package sink writes records to files: "jsonl", one JSON object a line, and
// "csv", RFC 4180; "stdout" is either to standard output. Importing the package
// registers them in [crawler.Sinks]. Parts are files for sinks that write them whole.
//
// # Exactly once
//
// A sink promises that after any crash, once the run has been resumed and has
// ended, its files hold every committed record once and nothing else:
//
//   - Open without a position (a fresh run) empties the files of every record
//     type the run announced, so that a place that cannot be written to is
//     found before the first fetch.
//   - Flush hands over what is buffered, makes it durable (fsync of each file,
//     and of the folders above it when the file is new) and returns the
//     position: the size of each file. It also finds out whether every file is
//     still there and as it was left. The engine commits the position together
//     with the outcomes of the pages.
//   - Open with a position cuts each file back to its committed size; what
//     was written after the last commit goes, its pages are fetched again.
//
// A file that is missing or shorter than committed, one that was changed while
// the run went on, and every failed write stop the run with an error wrapping
// [crawler.ErrStop] that names the file and what to do. After such an error a
// sink refuses further work.
//
// The promise holds for regular files and for the record types that the run
// announced. A file of a type that was not announced is emptied when its first
// record arrives: if the program dies between that record and the next commit,
// and the type never comes again, its uncommitted records stay. Pipes, terminals and standard output ("-") cannot
// be cut back, so they get records at least once.
//
// # Places
//
// A path may hold {type}, {run} and {date}. What they stand for is cleaned
// first, so that no record type, however it is named, leads out of the folder,
// hides a file or meets a name that Windows reserves; a cleaned name carries a
// checksum, so that two types never share a file by accident. The path is the
// user's up to the first part that holds one of these, or up to its last part:
// symbolic links in it are followed. Below, a link that is absolute or leads out
// is refused, whenever it was put there. Folders are created.
//
// # Bounds
//
// A sink keeps at most 64 files open with at most 64 KiB buffered for each
// (plus one record), and refuses more than 4096 files.
package sink
