package polite

import (
	"fmt"
	"mime"
	"strings"

	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/politeness"
	"github.com/amblecrawl/amble/politeness/signals"
)

// tdmPath is where a host reserves text and data mining (TDM Reservation
// Protocol, "TDM File on the Origin Server").
const tdmPath = "/.well-known/tdmrep.json"

// TDMFile has each host asked for its tdmrep.json where the config says so, or
// makes it decide by a use that mining is part of. It is one request more for
// each host, so that nobody else makes it.
func TDMFile(p *config.Politeness, usage signals.Policy) *politeness.SiteFile {
	asks := func(use string) bool { return usage[use] == signals.Respect || usage[use] == signals.RequireAllow }
	wanted := p.TDMRep == "always" || p.TDMRep == "auto" && (asks(signals.CategoryTDM) || asks(signals.CategoryAITrain))
	if !wanted {
		return nil
	}
	return &politeness.SiteFile{Path: tdmPath, Read: func(a politeness.SiteAnswer) (any, int) {
		r := readTDMRep(a)
		return r, r.rep.Size()
	}}
}

// tdmRep is a host's tdmrep.json.
type tdmRep struct {
	rep *signals.TDMRep // nil: there is none
	// late says that what it reserves is told of pages and keeps none from being
	// fetched: where the file is redirected to another host the pages mostly are
	// as well, and that host has a file of its own.
	late bool
}

// readTDMRep takes the careful reading of whatever came for the file: only
// where there surely is none nothing is reserved.
func readTDMRep(a politeness.SiteAnswer) *tdmRep {
	media, _, _ := mime.ParseMediaType(a.ContentType)
	switch {
	case a.Problem != "":
		return &tdmRep{rep: signals.UnreadableTDMRep(a.Problem), late: a.Elsewhere}
	case a.Status == 404, a.Status == 410:
		return &tdmRep{}
	case a.Status/100 != 2:
		return &tdmRep{rep: signals.UnreadableTDMRep(fmt.Sprintf("status %d", a.Status))}
	case a.Cut:
		return &tdmRep{rep: signals.UnreadableTDMRep("the file is too long to be read")}
	case strings.HasSuffix(media, "html") && !strings.HasPrefix(strings.TrimSpace(string(a.Body[:min(len(a.Body), 64)])), "["):
		return &tdmRep{} // a page for people, with a status that is wrong
	}
	return &tdmRep{rep: signals.ParseTDMRep(a.Body)}
}

// said is what a host states of the use of its pages, as far as it is known
// before one is fetched.
type said struct {
	robots *signals.RobotsTxt
	tdm    *tdmRep
}

func saidBy(digest, file any) said {
	robots, _ := digest.(*signals.RobotsTxt)
	tdm, _ := file.(*tdmRep)
	return said{robots, tdm}
}

// of is all that is stated about a URL.
func (s said) of(url string) []signals.Statement {
	if s.tdm == nil {
		return s.robots.For(url)
	}
	return append(s.robots.For(url), s.tdm.rep.For(url)...)
}

// sum is another when something else is stated about a URL, 0 for nothing.
func (s said) sum(url string) uint64 {
	statements := s.of(url)
	if len(statements) == 0 {
		return 0
	}
	return xxh3.HashString(fmt.Sprintf("%+v", statements))
}

// early is what of it may keep the URL from being fetched.
func (s said) early(url string) signals.Usage {
	if s.tdm != nil && s.tdm.late {
		s.tdm = nil
	}
	return signals.Merge(s.of(url))
}
