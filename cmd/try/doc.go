// Package try is amble try: the records and links of one page, and each field beside the
// piece of HTML that it came from; with --watch again each time the config is saved. It
// fetches under the crawl's rules and writes nothing.
package try
