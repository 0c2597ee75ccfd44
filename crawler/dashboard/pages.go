package dashboard

import (
	"bytes"
	"cmp"
	"embed"
	"encoding/json"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler/daemon"
	"github.com/amblecrawl/amble/crawler/history"
)

//go:embed templates assets
var files embed.FS

// pageSize is how many crawls or runs a page lists.
const (
	crawlsPerPage = 100
	runsPerPage   = 25
)

var pages = func() map[string]*template.Template {
	all := map[string]*template.Template{}
	for _, name := range []string{"overview", "crawl", "config", "run", "host", "alerts", "login", "error"} {
		all[name] = template.Must(template.New("layout.html").Funcs(functions).
			ParseFS(files, "templates/layout.html", "templates/parts.html", "templates/"+name+".html"))
	}
	return all
}()

// page is what every page has; Body is what it is about.
type page struct {
	Title   string
	Version string
	Token   bool   // somebody has logged in, and can log out
	Watch   string // the address of the page's events
	State   string // the version of what it shows
	Now     time.Time
	Body    any
}

// show writes a page whole or not at all.
func (s *Server) show(w http.ResponseWriter, status int, name string, p page) {
	p.Version, p.Token, p.Now = s.opt.Version, s.opt.Token != "" && name != "login", s.opt.Now()
	var out bytes.Buffer
	if err := pages[name].Execute(&out, p); err != nil {
		s.opt.Log.Error("a page could not be made", "page", name, "error", err)
		http.Error(w, "internal error", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(out.Bytes()) // who is gone needs no answer
}

// asset serves the style, the script and the icon.
func asset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	data, err := files.ReadFile("assets/" + name)
	kind, known := map[string]string{
		"style.css": "text/css; charset=utf-8", "app.js": "text/javascript; charset=utf-8", "icon.svg": "image/svg+xml",
	}[name]
	if err != nil || !known {
		say(w, http.StatusNotFound, "there is no such file\n")
		return
	}
	w.Header().Set("Content-Type", kind)
	w.Header().Set("Cache-Control", "no-cache") // a newer amble brings newer ones
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
}

type overview struct {
	Crawls  []Crawl
	Broken  []Config // files that are no crawls
	Total   int
	Running int
	Failed  int    // crawls whose last run failed
	Unkept  string // why the history lacks something
	Query   string
	Before  string // links to the pages before and after this one
	After   string
}

func (s *Server) overviewPage(w http.ResponseWriter, r *http.Request) {
	all := s.crawls()
	o := overview{Total: len(all), Query: clip(r.URL.Query().Get("q"), 64)}
	state := s.overallVersion(all)
	shown := slices.DeleteFunc(all, func(c Crawl) bool { return !strings.Contains(c.Name, o.Query) })
	for i := range shown {
		if shown[i].Running != 0 {
			o.Running++
		}
		o.Unkept = cmp.Or(o.Unkept, shown[i].Unkept)
	}
	number, _ := strconv.Atoi(r.URL.Query().Get("page")) // 0 is the first
	number = min(max(number, 0), max(len(shown)-1, 0)/crawlsPerPage)
	link := func(n int) string {
		return "/?" + url.Values{"q": {o.Query}, "page": {strconv.Itoa(n)}}.Encode()
	}
	if number > 0 {
		o.Before = link(number - 1)
	}
	if (number+1)*crawlsPerPage < len(shown) {
		o.After = link(number + 1)
	}
	o.Crawls = shown[number*crawlsPerPage : min((number+1)*crawlsPerPage, len(shown))]
	for i := range o.Crawls {
		if err := s.fill(r.Context(), &o.Crawls[i]); err != nil {
			s.failAs(w, r, err)
			return
		}
		if last := o.Crawls[i].Last(); last != nil && last.Status == history.Failed {
			o.Failed++
		}
	}
	for _, c := range s.opt.Configs() {
		if c.Crawl == "" {
			o.Broken = append(o.Broken, c)
		}
	}
	s.show(w, http.StatusOK, "overview", page{Title: "Crawls", Watch: "/api/v1/events", State: state, Body: o})
}

type crawlBody struct {
	Crawl
	Runs    []history.Run
	Skipped bool // occurrences without a run are listed
	Older   string
	Toggle  string
}

func (s *Server) crawlPage(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	c, err := s.crawl(r.Context(), name)
	if err != nil {
		s.failAs(w, r, err)
		return
	}
	q := r.URL.Query()
	b := crawlBody{Crawl: c, Skipped: q.Get("skipped") == "true"}
	before, _ := strconv.ParseInt(q.Get("before"), 10, 64) // 0 is from the latest
	b.Runs, err = s.list(r.Context(), history.Filter{Crawl: name, Whole: !b.Skipped, Before: max(before, 0), Limit: runsPerPage + 1})
	if err != nil {
		s.failAs(w, r, err)
		return
	}
	link := func(skipped bool, before int64) string {
		v := url.Values{}
		if skipped {
			v.Set("skipped", "true")
		}
		if before > 0 {
			v.Set("before", strconv.FormatInt(before, 10))
		}
		return "/crawls/" + url.PathEscape(name) + "?" + v.Encode()
	}
	b.Toggle = link(!b.Skipped, 0)
	if len(b.Runs) > runsPerPage {
		b.Runs = b.Runs[:runsPerPage]
		b.Older = link(b.Skipped, b.Runs[runsPerPage-1].Number)
	}
	s.show(w, http.StatusOK, "crawl", page{
		Title: name, Watch: "/api/v1/crawls/" + url.PathEscape(name) + "/events", State: versionOf([]Crawl{c}), Body: b,
	})
}

type configBody struct {
	Crawl
	Lint
	Lines []string
	Error string
}

func (s *Server) configPage(w http.ResponseWriter, r *http.Request) {
	c, err := s.crawl(r.Context(), r.PathValue("name"))
	if err != nil {
		s.failAs(w, r, err)
		return
	}
	b := configBody{Crawl: c}
	if b.Lint, err = s.opt.Lint(c.Config); err != nil {
		b.Error = err.Error()
	}
	b.Lines = strings.Split(strings.TrimSuffix(b.Text, "\n"), "\n")
	s.show(w, http.StatusOK, "config", page{Title: c.Name + ": config", Body: b})
}

type runBody struct {
	history.Run
	Crawl   *Crawl // nil where it is no crawl of the daemon any more
	Summary *summary
	Text    string // the summary as it is
	Current bool   // it goes on
	Detail  *runDetail
}

func (s *Server) runPage(w http.ResponseWriter, r *http.Request) {
	run, err := s.run(r.Context(), r.PathValue("number"))
	if err != nil {
		s.failAs(w, r, err)
		return
	}
	b := runBody{Run: run, Summary: summaryOf(run.Summary), Detail: detailOf(run.Detail)}
	p := page{Title: run.Crawl + ": run " + strconv.FormatInt(run.Number, 10)}
	c, err := s.crawl(r.Context(), run.Crawl)
	switch {
	case err == nil:
		b.Crawl, b.Current = &c, c.Running == run.Number
		p.Watch, p.State = "/api/v1/crawls/"+url.PathEscape(run.Crawl)+"/events", versionOf([]Crawl{c})
	case !errors.Is(err, daemon.ErrUnknown):
		s.failAs(w, r, err)
		return
	}
	var text bytes.Buffer
	if json.Indent(&text, run.Summary, "", "  ") == nil {
		b.Text = text.String()
	}
	p.Body = b
	s.show(w, http.StatusOK, "run", p)
}

type loginBody struct{ Next, Problem string }

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) {
	s.showLogin(w, http.StatusOK, localPath(r.URL.Query().Get("next")), "")
}

func (s *Server) showLogin(w http.ResponseWriter, status int, next, problem string) {
	s.show(w, status, "login", page{Title: "Log in", Body: loginBody{cmp.Or(next, "/"), problem}})
}
