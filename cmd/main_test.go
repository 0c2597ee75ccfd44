package cmd

import (
	"flag"
	"os"
	"runtime"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary stand for the commands that scripts and
// benchmarks start as processes of their own.
func TestMain(m *testing.M) {
	// With the race detector each process would sleep for a second before it ends, and
	// these tests start hundreds.
	if os.Getenv("GORACE") == "" {
		_ = os.Setenv("GORACE", "atexit_sleep_ms=10") // the name is a good one
	}
	if raceDetector() {
		// Most of them wait, for processes and for delays. Those that bound memory, which
		// others beside them would take of, are left to the run without it.
		_ = flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))) // there is such a flag; -parallel counts
	}
	testscript.Main(tabulated{m}, map[string]func(){
		"amble":           Main,
		"conditionalloop": askConditionally,
		"healthyweb":      serveHealthyWeb,
		"hostileweb":      serveHostileWeb,
	})
}
