package run

import (
	"fmt"
	"os"
	"runtime/pprof"

	"github.com/amblecrawl/amble/cmd/exit"
)

// profileCPU writes a CPU profile of the process to a file until it is stopped;
// without a path it does nothing.
func profileCPU(path string) (stop func() error, err error) {
	if path == "" {
		return func() error { return nil }, nil
	}
	f, err := os.Create(path)
	if err != nil {
		return nil, exit.With(exit.Config, fmt.Errorf("--cpuprofile: %w", err))
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		_ = f.Close()
		return nil, exit.With(exit.Failed, fmt.Errorf("--cpuprofile: %w", err))
	}
	return func() error {
		pprof.StopCPUProfile()
		if err := f.Close(); err != nil {
			return exit.With(exit.Failed, fmt.Errorf("--cpuprofile: %w", err))
		}
		return nil
	}, nil
}
