package ledger

// OpenQuickly is Open without fsync.
func OpenQuickly(dir string, run RunInfo) (*Ledger, error) {
	return open(dir, run, segmentSize, quickly)
}
