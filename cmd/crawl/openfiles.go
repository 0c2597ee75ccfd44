package crawl

import (
	"fmt"
	"log/slog"

	"github.com/amblecrawl/amble/cmd/exit"
	"github.com/amblecrawl/amble/crawler/config"
)

const (
	// filesForState is how many files the state, the ledger and the runtime
	// have open, with room for what comes and goes.
	filesForState = 32
	// filesPerSink bounds the files that one sink keeps open.
	filesPerSink = 64
	// filesPerWorker: a connection in use, one kept for later, and a body that
	// found no room in memory.
	filesPerWorker = 3
)

// FitOpenFiles lets a crawl have no more requests in flight than this process
// may have files open, so that connections leave room for state and outputs.
func FitOpenFiles(cfg *config.Config, log *slog.Logger) error {
	limit := openFiles()
	if limit <= 0 {
		return nil
	}
	reserved := reservedFiles(cfg)
	workers := (limit - reserved) / filesPerWorker
	if workers < 1 {
		return exit.With(exit.Config, fmt.Errorf("this process may have %d files open, and the crawl needs %d: raise the limit (ulimit -n)",
			limit, reserved+filesPerWorker))
	}
	if workers >= cfg.Fetch.Workers {
		return nil
	}
	log.Warn("fewer requests in flight than asked for: the limit of open files is low (ulimit -n)",
		"open_files", limit, "fetch.workers", cfg.Fetch.Workers, "used", workers)
	cfg.Fetch.Workers = workers
	return nil
}

func reservedFiles(cfg *config.Config) int {
	return filesForState + len(cfg.Sinks())*min(len(cfg.Extract), filesPerSink)
}

// mostPerHost is the greatest number of requests in flight that a host may see.
func mostPerHost(cfg *config.Config) int {
	most := cfg.Politeness.Concurrency
	for _, h := range cfg.Politeness.Hosts {
		if h.Concurrency != nil {
			most = max(most, *h.Concurrency)
		}
	}
	return most
}

// maxIdle is how many connections may be kept for later: those that FitOpenFiles
// counts with, and half of the files that are left; 0 is the client's choice, where
// that is less or there is no limit.
func maxIdle(cfg *config.Config, limit int) int {
	if limit <= 0 {
		return 0
	}
	spare := limit - reservedFiles(cfg) - filesPerWorker*cfg.Fetch.Workers
	if idle := cfg.Fetch.Workers + max(0, spare)/2; idle < max(128, 8*cfg.Fetch.Workers) {
		return idle
	}
	return 0
}
