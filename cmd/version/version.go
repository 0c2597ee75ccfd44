package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
)

// Number is the release; development builds say which commit they are of.
const Number = "0.1.0"

// Line is the version in full, with what it was compiled by and for.
func Line() string {
	return fmt.Sprintf("amble %s%s %s %s/%s\n", Number, revision(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
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

// Program names what reads pages: this version of amble, with the plugins and modules
// that it was built with. Another one may read them otherwise.
var Program = sync.OnceValue(func() string {
	if info, ok := debug.ReadBuildInfo(); ok {
		return Number + "\n" + info.String()
	}
	return Number
})
