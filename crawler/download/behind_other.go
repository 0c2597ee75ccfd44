//go:build !linux

package download

import "os"

func dropBehind(*os.File, int64, int64) {}
