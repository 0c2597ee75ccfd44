//go:build !linux && !darwin && !freebsd

package download

// space is not known here: a full disk is met when it is full.
func space(string) (free int64, ok bool) { return 0, false }
