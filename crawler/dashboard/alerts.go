package dashboard

import (
	"errors"
	"fmt"
	"net/http"
	"slices"
)

var errTrying = errors.New("a test is under way already")

// tryAlerts sends a test message to the alerts of a crawl and tells what became of it.
func (s *Server) tryAlerts(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if _, err := s.crawl(r.Context(), name); err != nil {
		s.failAs(w, r, err)
		return
	}
	if !s.trying.TryLock() {
		s.fail(w, r, http.StatusConflict, errTrying.Error())
		return
	}
	defer s.trying.Unlock()
	sent := []Sent{}
	if s.opt.TryAlerts != nil {
		var err error
		if sent, err = s.opt.TryAlerts(r.Context(), name); err != nil {
			s.failAs(w, r, err)
			return
		}
	}
	s.opt.Log.Info("the dashboard was used", "crawl", name, "to", "test alerts", "from", r.RemoteAddr)
	if len(sent) == 0 {
		s.fail(w, r, http.StatusConflict, "the crawl has no alerts: its config has none under alerts")
		return
	}
	taken := len(sent) - len(slices.DeleteFunc(slices.Clone(sent), func(one Sent) bool { return one.Error == "" }))
	detail := fmt.Sprintf("%d of %d alerts were taken", taken, len(sent))
	if wantsPage(r) {
		s.show(w, http.StatusOK, "alerts", page{Title: name + ": test of alerts", Body: alertsBody{name, detail, sent}})
		return
	}
	s.answer(w, http.StatusOK, map[string]any{"detail": detail, "alerts": sent})
}

type alertsBody struct {
	Crawl  string
	Detail string
	Sent   []Sent
}
