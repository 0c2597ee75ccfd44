package crawl

import (
	"github.com/amblecrawl/amble/cmd/polite"
	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/frontier"
)

// Kept is what a crawl's state holds, if there is one that can be read.
type Kept struct {
	Snapshot *frontier.Snapshot // nil without one
	Err      error              // why there is none
}

// ReadState reads a state as it is, also while a run is at work; Err of what it returns
// tells why it cannot be read.
func ReadState(dir, crawl string) *Kept {
	s, err := frontier.OpenSnapshot(frontier.Options{Dir: dir, Crawl: crawl})
	return &Kept{s, err}
}

// Close gives the state back.
func (k *Kept) Close() {
	if k.Snapshot != nil {
		_ = k.Snapshot.Close() // it was only read
	}
}

// Values are what the engine keeps in it, nil for nothing.
func (k *Kept) Values() crawler.Values {
	if k.Snapshot == nil {
		return nil
	}
	return k.Snapshot
}

// Past is what is known of hosts by it.
func (k *Kept) Past() Past {
	if k.Snapshot == nil {
		return Past{}
	}
	return Past{Hosts: polite.Memory{State: k.Snapshot}}
}
