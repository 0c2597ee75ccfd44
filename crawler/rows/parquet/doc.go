// Package parquet reads datasets that are Apache Parquet files, row by row.
//
// Of a file it holds a page of each column at a time, so that memory follows the size
// of pages, which writers keep to a megabyte or so, and neither that of row groups nor
// of the file. Types become those of records: decimals keep every digit, dates and
// times are text by RFC 3339, lists, maps and groups are JSON.
//
// A file that is not as it should be ends with an error that says so. It never panics,
// whatever the bytes are. Encrypted files are refused.
package parquet
