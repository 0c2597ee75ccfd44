package config

import "time"

// History is how much a daemon remembers of the crawl's runs.
type History struct {
	Runs int `yaml:"runs" default:"1000" min:"1" max:"9000" doc:"The latest runs, occurrences that were skipped among them, that amble serve keeps in its history."`
	Days int `yaml:"days" default:"400" min:"1" max:"36500" doc:"For how many days it keeps them."`
	// LedgerDays is 0 where none are given.
	LedgerDays int `yaml:"ledger_days" default:"0" min:"0" max:"36500" doc:"For how many days the ledger of requests is kept, that amble audit reads; what is older is audited and put away before a run begins. 0: in amble serve as many as days, in amble run forever."`
}

// For is how long runs are kept.
func (h *History) For() time.Duration { return days(h.Days) }

// LedgerFor is how long the ledger is kept by a run that a daemon begins, or by one that
// somebody began; 0 is forever.
func (h *History) LedgerFor(daemon bool) time.Duration {
	if daemon && h.LedgerDays == 0 {
		return h.For()
	}
	return days(h.LedgerDays)
}

func days(n int) time.Duration { return time.Duration(n) * 24 * time.Hour }
