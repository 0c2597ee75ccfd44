// Package postgres is the sink "postgres": a table for each record type in a
// PostgreSQL database. Importing it registers the sink. Package tables says what
// it promises.
//
// A batch of at least 1,000 rows for one table goes by COPY into a temporary table
// and from there by one statement; a smaller one goes by inserts of 100 rows. A
// database that is restarted or cannot be reached is waited for, up to a minute a
// batch; the run then stops and can be resumed.
//
// Types are text, boolean, bigint, double precision and jsonb, and timestamptz for
// _fetched_at. A NUL, which PostgreSQL's text cannot hold, becomes U+FFFD.
package postgres
