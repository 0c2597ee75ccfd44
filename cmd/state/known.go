package state

import (
	"time"

	"github.com/amblecrawl/amble/cmd/format"
	"github.com/amblecrawl/amble/crawler"
)

// knownStats counts the pages that a state knows over runs.
type knownStats struct {
	Pages    int64            `json:"pages"`
	Answers  map[string]int64 `json:"answers"` // by class
	Visits   int64            `json:"visits"`
	Changes  int64            `json:"changes"`
	Tagged   int64            `json:"with_etag"`
	Dated    int64            `json:"with_last_modified"`
	Partly   int64            `json:"kept_in_part"`
	LastSeen time.Time        `json:"last_visit,omitzero"`
}

func (s *knownStats) add(k *crawler.Known) {
	if s.Answers == nil {
		s.Answers = map[string]int64{}
	}
	s.Pages++
	s.Answers[string(k.Class)]++
	s.Visits += k.Visits + 1
	s.Changes += k.Changes
	if k.ETag != "" {
		s.Tagged++
	}
	if k.LastModified != "" {
		s.Dated++
	}
	if !k.Whole {
		s.Partly++
	}
	if k.Visited.After(s.LastSeen) {
		s.LastSeen = k.Visited.UTC()
	}
}

func (s *knownStats) print(line func(name, format string, args ...any)) {
	if s.Pages == 0 {
		return
	}
	line("known pages", "%s, visited %s times, changed %s times; last at %s", format.Count(s.Pages), format.Count(s.Visits), format.Count(s.Changes), s.LastSeen.Format("2006-01-02 15:04:05 MST"))
	line("  with validators", "%s with an ETag, %s with Last-Modified", format.Count(s.Tagged), format.Count(s.Dated))
	if s.Partly > 0 {
		line("  kept in part", "%s", format.Count(s.Partly))
	}
}
