package dashboard

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/amblecrawl/amble/crawler/monitor"
)

// ErrNoHost means that a crawl's account knows nothing of a host.
var ErrNoHost = errors.New("the account of this crawl knows nothing of the host")

// Bounds of what is read and shown of a host.
const (
	readHostIn   = 10 * time.Second
	plotted      = 120 // requests
	listed       = 25
	plotHeight   = 120
	plotStep     = 8
	plotBar      = 6
	plotHeadroom = 3 // pauses that are longer than so many times what was owed are cut
)

// HostAccount is what the ledger of a crawl says of a host, as far back as was read.
type HostAccount struct {
	Host     string        `json:"host"`
	Requests []HostRequest `json:"requests"` // the latest, the oldest first; what was withheld is among them
	Robots   []HostRobots  `json:"robots"`   // the readings of robots.txt, the oldest first
	// From is when the first request was made that was looked at, of any host. Whole
	// says that there was none before it.
	From  time.Time `json:"from,omitzero"`
	Whole bool      `json:"whole"`
}

// HostRequest is a request to a host, or one that was withheld.
type HostRequest struct {
	At       time.Time `json:"at"`
	URL      string    `json:"url"`
	Kind     string    `json:"kind"`
	Method   string    `json:"method,omitempty"`
	Withheld bool      `json:"withheld,omitempty"`
	Reason   string    `json:"reason,omitempty"` // why it was withheld, or what its answer says
	Status   int       `json:"status,omitempty"`
	Class    string    `json:"class,omitempty"` // of a failure
	Bytes    int64     `json:"bytes"`
	TookS    float64   `json:"took_s"`
	// OwedS is the delay that was owed before it, OwedBy who asked for it, and PaidS the
	// pause that was made; 0 for the first of a process.
	OwedS       float64 `json:"owed_s"`
	OwedBy      string  `json:"owed_by,omitempty"`
	PaidS       float64 `json:"paid_s"`
	RetryAfterS float64 `json:"retry_after_s,omitempty"` // what its answer asked for
	RobotsLine  int     `json:"robots_line,omitempty"`   // that decided
}

// HostRobots is one reading of a robots.txt.
type HostRobots struct {
	At     time.Time `json:"at"`
	Status int       `json:"status"`
	Hash   string    `json:"hash"` // of the file, its first digits
}

// hostOf reads of a host what a request asks for, one at a time: it takes work.
func (s *Server) hostOf(r *http.Request) (*HostAccount, error) {
	if s.opt.Host == nil {
		return nil, ErrNoHost
	}
	origin := clip(r.URL.Query().Get("origin"), 512)
	ctx, cancel := context.WithTimeout(r.Context(), readHostIn)
	defer cancel()
	select {
	case s.reads <- struct{}{}:
		defer func() { <-s.reads }()
	case <-ctx.Done():
		return nil, errBusy
	}
	a, err := s.opt.Host(ctx, r.PathValue("name"), origin)
	if errors.Is(err, context.DeadlineExceeded) {
		return nil, errBusy
	}
	return a, err
}

func (s *Server) getHost(w http.ResponseWriter, r *http.Request) {
	a, err := s.hostOf(r)
	if err != nil {
		s.failAs(w, r, err)
		return
	}
	s.answer(w, http.StatusOK, a)
}

type hostBody struct {
	Crawl    string
	Account  *HostAccount
	Queue    *monitor.Queue // of the run that goes on
	Figures  hostFigures
	Plot     hostPlot
	Withheld []hostReason
	Debts    []HostRequest // those that asked to be left alone, the latest first
	Latest   []HostRequest
}

// hostFigures are the sums of an account.
type hostFigures struct {
	Sent, Withheld, Failed, Bytes int64
	Owed                          float64 // the latest
	OwedBy                        string
	Least, Median                 float64 // of the pauses
	Pauses                        int
}

type hostReason struct {
	Reason string
	Count  int64
	URL    string
}

func (s *Server) hostPage(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	a, err := s.hostOf(r)
	if err != nil {
		s.failAs(w, r, err)
		return
	}
	b := hostBody{Crawl: name, Account: a, Figures: figuresOf(a), Plot: plotOf(a), Withheld: reasonsOf(a)}
	if m := s.opt.Board.Live(name); m != nil {
		queues := m.Queues(maxQueues)
		if i := slices.IndexFunc(queues, func(q monitor.Queue) bool { return q.Host == a.Host }); i >= 0 {
			b.Queue = &queues[i]
		}
	}
	for _, q := range slices.Backward(a.Requests) {
		if q.RetryAfterS > 0 && len(b.Debts) < listed {
			b.Debts = append(b.Debts, q)
		}
		if len(b.Latest) < listed {
			b.Latest = append(b.Latest, q)
		}
	}
	s.show(w, http.StatusOK, "host", page{Title: a.Host, Body: b})
}

func figuresOf(a *HostAccount) (f hostFigures) {
	var paid []float64
	for i := range a.Requests {
		q := &a.Requests[i]
		if q.Withheld {
			f.Withheld++
			continue
		}
		f.Sent++
		f.Bytes += q.Bytes
		if q.Class != "" || q.Status >= 400 && q.Kind == "page" {
			f.Failed++
		}
		f.Owed, f.OwedBy = q.OwedS, q.OwedBy
		if q.PaidS > 0 {
			paid = append(paid, q.PaidS)
		}
	}
	slices.Sort(paid)
	if f.Pauses = len(paid); f.Pauses > 0 {
		f.Least, f.Median = paid[0], paid[len(paid)/2]
	}
	return f
}

// reasonsOf counts why requests were withheld, the most frequent first.
func reasonsOf(a *HostAccount) []hostReason {
	at := map[string]int{}
	var all []hostReason
	for i := range a.Requests {
		q := &a.Requests[i]
		if !q.Withheld {
			continue
		}
		n, known := at[q.Reason]
		if !known {
			if len(all) == listed {
				continue
			}
			n = len(all)
			at[q.Reason] = n
			all = append(all, hostReason{Reason: q.Reason, URL: q.URL})
		}
		all[n].Count++
	}
	slices.SortStableFunc(all, func(a, b hostReason) int { return cmp.Compare(b.Count, a.Count) })
	return all
}

// hostPlot shows for the latest requests the pause before each, and what was owed.
type hostPlot struct {
	Width, Height int
	Bars          []hostBar
	Owed          string // the points of a line
	Most          float64
	Label         string
}

type hostBar struct {
	X, Y, Height int
	Kind         string // paid, cut or debt
	Title        string
}

func plotOf(a *HostAccount) hostPlot {
	var shown []*HostRequest
	for i := range a.Requests {
		if q := &a.Requests[i]; !q.Withheld && q.PaidS > 0 {
			shown = append(shown, q)
		}
	}
	shown = shown[max(0, len(shown)-plotted):]
	p := hostPlot{Width: max(len(shown), 1)*plotStep - (plotStep - plotBar), Height: plotHeight}
	owed, paid := 0.0, 0.0
	for _, q := range shown {
		owed, paid = max(owed, q.OwedS), max(paid, q.PaidS)
	}
	if p.Most = paid; owed > 0 {
		p.Most = max(min(paid, plotHeadroom*owed), owed)
	}
	if p.Most == 0 {
		return p
	}
	high := func(s float64) int { return int(float64(plotHeight-2) * min(s/p.Most, 1)) }
	var points []string
	for i, q := range shown {
		bar := hostBar{X: i * plotStep, Height: max(high(q.PaidS), 1), Kind: "paid"}
		bar.Y = plotHeight - bar.Height
		if q.PaidS > p.Most {
			bar.Kind = "cut"
		}
		bar.Title = fmt.Sprintf("%s: waited %s, owed %s (%s)", q.At.UTC().Format("15:04:05"), secondsText(q.PaidS), secondsText(q.OwedS), q.OwedBy)
		if q.RetryAfterS > 0 {
			bar.Kind = "debt"
			bar.Title += ", was asked to wait " + secondsText(q.RetryAfterS)
		}
		p.Bars = append(p.Bars, bar)
		y := plotHeight - high(q.OwedS)
		points = append(points, fmt.Sprintf("%d,%d %d,%d", i*plotStep, y, i*plotStep+plotStep, y))
	}
	p.Owed = strings.Join(points, " ")
	p.Label = fmt.Sprintf("The pauses before the last %d requests, at least %s, and what was owed, at most %s", len(shown), secondsText(least(shown)), secondsText(owed))
	return p
}

func least(shown []*HostRequest) float64 {
	return slices.MinFunc(shown, func(a, b *HostRequest) int { return cmp.Compare(a.PaidS, b.PaidS) }).PaidS
}

func secondsText(s float64) string { return took(time.Duration(s * float64(time.Second))) }

// hostLink is the address of a host's page.
func hostLink(crawl, host string) string {
	return "/crawls/" + url.PathEscape(crawl) + "/host?" + url.Values{"origin": {host}}.Encode()
}
