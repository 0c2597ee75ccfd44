// Package sqlite is the sink "sqlite": a table for each record type in one SQLite
// file. Importing it registers the sink. Package tables says what it promises.
//
// The file is in WAL mode with synchronous=FULL, so that readers see whole batches
// while a run goes on and a batch survives a power cut. Values keep the type they
// have: columns declare none. A boolean is 0 or 1, a time RFC 3339 text, a list or
// an object JSON text.
package sqlite
