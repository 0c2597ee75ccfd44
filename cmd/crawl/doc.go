// Package crawl puts a config together: its gate, the client with routes, credentials and
// cookies, the connections to databases and buckets, the pipeline of extractors, and the
// login. Running, trying, planning and explaining a crawl share these parts.
//
// It promises that to make a crawl fetches nothing and writes nothing, and that a single
// URL is fetched under the rules of a run: granted by politeness, in scope, after its
// delay. It refuses what a config asks for and this process cannot give, with an exit code
// (package exit). It runs no engine, has no sinks and knows no command.
package crawl
