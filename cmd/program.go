package cmd

import (
	"fmt"
	"runtime"
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

// version is the release; development builds say which commit they are of.
const version = "0.1.0"

func versionLine() string {
	return fmt.Sprintf("amble %s%s %s %s/%s\n", version, revision(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
}

func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && len(s.Value) >= 12 {
			return " (" + s.Value[:12] + ")"
		}
	}
	return ""
}
