package config

import "time"

// History is how much a daemon remembers of the crawl's runs.
type History struct {
	Runs int `yaml:"runs" default:"1000" min:"1" max:"9000" doc:"The latest runs, occurrences that were skipped among them, that amble serve keeps in its history."`
	Days int `yaml:"days" default:"400" min:"1" max:"36500" doc:"For how many days it keeps them."`
}

// For is how long runs are kept.
func (h *History) For() time.Duration { return time.Duration(h.Days) * 24 * time.Hour }
