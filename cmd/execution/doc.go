// Package execution runs a crawl once, from its config to the report: the state, the
// ledger, the login, where answers come from, the outputs and the engine, opened in the
// order in which they depend on each other, and closed in the reverse one.
//
// It promises that a run which was cut off goes on where its state is; that an error of
// Run means that the run could not begin, and any other end stands in the report; and that
// each request to a bucket, of files or of outputs, is granted and stands in the ledger as
// those for pages do. It prints nothing: commands and the daemon say what is to be told.
package execution
