// Package parquet writes records as Apache Parquet, one record type a file. The
// columns are given before the first record: each with the kind that package tables
// has for it, all of them optional, in the order of their names, as Parquet's
// writer here has it. Lists and objects are columns of JSON (the JSON logical type),
// _fetched_at is a timestamp in milliseconds, UTC.
package parquet
