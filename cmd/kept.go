package cmd

import (
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/frontier"
)

// keptState is what a crawl's state holds, if there is one that can be read.
type keptState struct {
	snapshot *frontier.Snapshot
	err      error
}

func readState(dir, crawl string) *keptState {
	s, err := frontier.OpenSnapshot(frontier.Options{Dir: dir, Crawl: crawl})
	return &keptState{s, err}
}

func (k *keptState) close() {
	if k.snapshot != nil {
		_ = k.snapshot.Close() // it was only read
	}
}

// values are what the engine keeps in it, nil for nothing.
func (k *keptState) values() crawler.Values {
	if k.snapshot == nil {
		return nil
	}
	return k.snapshot
}

// past is what is known of hosts by it.
func (k *keptState) past() past {
	if k.snapshot == nil {
		return past{}
	}
	return past{hosts: memory{state: k.snapshot}}
}
