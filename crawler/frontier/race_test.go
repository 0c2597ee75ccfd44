//go:build race

package frontier

// Under the race detector the store checks all its invariants and a story takes
// ten times as long.
func init() { stories, flips = "20", 1 }
