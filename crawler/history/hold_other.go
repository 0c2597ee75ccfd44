//go:build !unix || solaris || aix || illumos

package history

import "os"

func lock(*os.File) error { return nil }
