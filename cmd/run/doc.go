// Package run is amble run: an execution of a crawl that a person or a script watches. It
// shows progress, stops in good order when it is interrupted, and prints the report, or
// both as lines of JSON. Commands that make a crawl of their own run it by Crawl.
//
// It promises that stdout holds results only, and nothing but records where an output
// writes there. How a run is executed is package execution's.
package run
