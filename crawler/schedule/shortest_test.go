package schedule

import (
	"testing"
	"time"
)

func TestShortest(t *testing.T) {
	after := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for cron, want := range map[string]time.Duration{
		"@every 90m": 90 * time.Minute, "0 6 * * *": 23 * time.Hour, // the clock is put forward in March
		"0,10 6 * * 1": 10 * time.Minute, "@yearly": 365 * 24 * time.Hour,
	} {
		s, err := Compile(Spec{Cron: cron, Timezone: "Europe/Berlin"})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Shortest(after); got != want {
			t.Errorf("%s: %v, want %v", cron, got, want)
		}
	}
}
