package cmd

import (
	"runtime/debug"
	"sync"
)

// program names what reads pages: this version of amble, with the plugins and modules
// that it was built with. Another one may read them otherwise.
var program = sync.OnceValue(func() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return version + "\n" + info.String()
	}
	return version
})
