// Package tables writes records to the tables of an SQL database, a table for
// each record type. The sinks "sqlite" and "postgres" are it with a [Dialect].
//
// # Exactly once
//
// Each Flush is one transaction: it upserts the rows that were written since the
// last one, by _key, and raises the output's batch number, which is the
// position. A transaction whose end is not known, since the connection broke,
// is asked for by that number and not repeated. Open with a position deletes the
// rows of later batches of the same run; their pages are fetched again.
//
// A fresh run empties the tables first, or, where earlier rows are kept, leaves
// them until a record with the same _key replaces them. A kept row that was
// replaced by a batch which a crash took back is gone until its page has been
// fetched again.
//
// A run that writes changes leaves the rows of earlier ones too. A record that is
// Deleted takes the row of its _key away. That the rows which a crash took back come
// again is the engine's to see to.
//
// # Columns
//
// A table has a column for each field, then the provenance, _extra and _batch.
// Columns are added as fields come. Where columns have types, the first value
// decides, an integer column becomes one of numbers when a fraction comes, and
// any other mixture one of text. Lists and objects are JSON. Names that differ in
// case alone share a column; what has no column (beyond MaxColumns, or the second
// of two such names in one record) stands in _extra, a JSON object.
//
// # Ownership
//
// Two tables keep the books: _amble_outputs and _amble_tables. A table that amble
// did not make, or that another output fills, is refused and left as it is.
package tables
