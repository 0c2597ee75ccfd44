package cmd

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the test binary stand for the commands that scripts and
// benchmarks start as processes of their own.
func TestMain(m *testing.M) {
	testscript.Main(tabulated{m}, map[string]func(){
		"amble":      Main,
		"healthyweb": serveHealthyWeb,
		"hostileweb": serveHostileWeb,
	})
}
