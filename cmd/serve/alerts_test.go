package serve

import (
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler/alert"
	"github.com/amblecrawl/amble/crawler/config"
)

// Two alerts are never taken for one by who drops what came twice.
func TestAlertIDs(t *testing.T) {
	cfg := &config.Config{Name: "a"}
	at := time.Date(2026, 3, 1, 6, 0, 0, 0, time.UTC)
	first, second := messageOf(cfg, -1, alert.Failure, "x", at), messageOf(cfg, -1, alert.Failure, "x", at.Add(time.Millisecond))
	if first.ID == second.ID || first.ID != messageOf(cfg, -1, alert.Failure, "x", at).ID || first.Number != 0 {
		t.Errorf("%+v, %+v", first, second)
	}
}
