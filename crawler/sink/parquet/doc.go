// Package parquet writes records as Apache Parquet: the sink "parquet", and single
// files for `amble export`. The columns of a file are given before its first record:
// each with the kind that package tables has for it, all of them optional, in the order
// of their names, as Parquet's writer here has it. Lists and objects are columns of JSON
// (the JSON logical type), _fetched_at is a timestamp in milliseconds, UTC. At most
// 50,000 rows or 32 MiB of them, as one row group, are in memory.
//
// The sink keeps the promises of package outbox. Its parts are files, each made under
// another name and renamed when it is durable.
package parquet
