package dashboard

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/amblecrawl/amble/crawler/daemon"
	"github.com/amblecrawl/amble/crawler/history"
)

//go:embed openapi.json
var description []byte

// api are the addresses of the JSON API, which openapi.json describes.
func (s *Server) api() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{
		"GET /api/v1/openapi.json": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(description) // who is gone needs no answer
		},
		"GET /api/v1/crawls":        s.getCrawls,
		"GET /api/v1/crawls/{name}": s.getCrawl,
		"GET /api/v1/crawls/{name}/events": func(w http.ResponseWriter, r *http.Request) {
			name := r.PathValue("name")
			if _, err := s.crawl(r.Context(), name); errors.Is(err, daemon.ErrUnknown) {
				s.failAs(w, r, err)
				return
			}
			s.stream(w, r, "crawl "+name, lookEach, func() any { return s.watched(name) })
		},
		"GET /api/v1/events": func(w http.ResponseWriter, r *http.Request) {
			s.stream(w, r, "all", lookAll, s.watchedAll)
		},
		"GET /api/v1/crawls/{name}/host":         s.getHost,
		"POST /api/v1/crawls/{name}/alerts/test": s.tryAlerts,

		"GET /api/v1/runs":                 s.getRuns,
		"GET /api/v1/runs/{number}":        s.getRun,
		"POST /api/v1/crawls/{name}/start": s.command("start"), "POST /api/v1/crawls/{name}/stop": s.command("stop"),
		"POST /api/v1/crawls/{name}/pause": s.command("pause"), "POST /api/v1/crawls/{name}/resume": s.command("resume"),
	}
}

func (s *Server) getCrawls(w http.ResponseWriter, r *http.Request) {
	all := s.crawls()
	for i := range all {
		if err := s.fill(r.Context(), &all[i]); err != nil {
			s.failAs(w, r, err)
			return
		}
	}
	s.answer(w, http.StatusOK, map[string]any{"crawls": all})
}

func (s *Server) getCrawl(w http.ResponseWriter, r *http.Request) {
	c, err := s.crawl(r.Context(), r.PathValue("name"))
	if err != nil {
		s.failAs(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, c)
}

// command does something to a crawl. A form of a page is led back to a page.
func (s *Server) command(verb string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		name := r.PathValue("name")
		if err := s.act(verb, name); err != nil {
			s.failAs(w, r, err)
			return
		}
		s.opt.Log.Info("the dashboard was used", "crawl", name, "to", verb, "from", r.RemoteAddr)
		if wantsPage(r) {
			http.Redirect(w, r, backTo(r), http.StatusSeeOther)
			return
		}
		c, err := s.crawl(r.Context(), name)
		if err != nil {
			s.failAs(w, r, err)
			return
		}
		s.answer(w, http.StatusAccepted, c)
	}
}

// backTo is the page that a form stands on.
func backTo(r *http.Request) string {
	if u, err := url.Parse(r.Referer()); err == nil && u.Host == r.Host && u.Path != "" {
		return localPath(u.RequestURI())
	}
	return "/"
}

func (s *Server) getRuns(w http.ResponseWriter, r *http.Request) {
	f, err := filterOf(r.URL.Query())
	if err != nil {
		s.fail(w, r, http.StatusBadRequest, err.Error())
		return
	}
	runs, err := s.list(r.Context(), f)
	if err != nil {
		s.failAs(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, map[string]any{"runs": runs})
}

// filterOf reads the parameters of a list of runs.
func filterOf(q url.Values) (f history.Filter, err error) {
	f = history.Filter{Crawl: q.Get("crawl"), Limit: 100, Whole: q.Get("skipped") == "false"}
	for name, to := range map[string]func(int64){
		"before": func(n int64) { f.Before = n },
		"limit":  func(n int64) { f.Limit = int(min(n, 1000)) },
	} {
		if text := q.Get(name); text != "" {
			n, err := strconv.ParseInt(text, 10, 64)
			if err != nil || n < 1 {
				return f, errors.New(name + ": want a whole number above 0")
			}
			to(n)
		}
	}
	return f, nil
}

func (s *Server) getRun(w http.ResponseWriter, r *http.Request) {
	run, err := s.run(r.Context(), r.PathValue("number"))
	if err != nil {
		s.failAs(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, run)
}

// run gives a run by its number.
func (s *Server) run(ctx context.Context, number string) (run history.Run, err error) {
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || n > 1<<53 {
		return run, history.ErrNoRun
	}
	err = s.look(ctx, func(ctx context.Context) (err error) {
		run, err = s.opt.History.Get(ctx, n)
		return err
	})
	return run, err
}

func (s *Server) answer(w http.ResponseWriter, status int, v any) {
	data, err := json.Marshal(v)
	if err != nil { // a summary that is no JSON
		s.opt.Log.Error("an answer could not be written as JSON", "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // who is gone needs no answer
}

// wantsPage tells a browser that shows pages from a program.
func wantsPage(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// failAs answers with an error of the daemon or the history.
func (s *Server) failAs(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, daemon.ErrUnknown), errors.Is(err, history.ErrNoRun), errors.Is(err, ErrNoHost):
		s.fail(w, r, http.StatusNotFound, err.Error())
	case errors.Is(err, daemon.ErrRunning), errors.Is(err, daemon.ErrIdle):
		s.fail(w, r, http.StatusConflict, err.Error())
	case errors.Is(err, errBusy):
		w.Header().Set("Retry-After", "5")
		s.fail(w, r, http.StatusServiceUnavailable, err.Error())
	case r.Context().Err() != nil:
		return // nobody waits any more
	default:
		s.opt.Log.Error("the dashboard could not answer", "path", r.URL.Path, "error", err)
		s.fail(w, r, http.StatusInternalServerError, "the history cannot be read: the daemon's log says why")
	}
}

// fail answers with a problem: as a page for browsers, else as JSON (RFC 9457).
func (s *Server) fail(w http.ResponseWriter, r *http.Request, status int, detail string) {
	if wantsPage(r) {
		s.show(w, status, "error", page{Title: http.StatusText(status), Body: detail})
		return
	}
	data, _ := json.Marshal(struct { // texts and a number
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{http.StatusText(status), status, detail})
	w.Header().Set("Content-Type", "application/problem+json")
	w.WriteHeader(status)
	_, _ = w.Write(append(data, '\n')) // who is gone needs no answer
}
