package polite

import (
	"testing"

	"github.com/amblecrawl/amble/crawler/config"
	"github.com/amblecrawl/amble/politeness"
	"github.com/amblecrawl/amble/politeness/signals"
)

// The file is one request more for each host: only who goes by it has it asked
// for.
func TestTDMRepIsAskedForByNeed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		key, use string
		rule     signals.Rule
		want     bool
	}{
		{"auto", signals.CategoryTDM, signals.Record, false},
		{"auto", signals.CategoryTDM, signals.Ignore, false},
		{"auto", signals.CategoryTDM, signals.Respect, true},
		{"auto", signals.CategoryAITrain, signals.RequireAllow, true},
		{"auto", signals.CategorySearch, signals.Respect, false},
		{"never", signals.CategoryTDM, signals.Respect, false},
		{"always", signals.CategorySearch, signals.Record, true},
	} {
		if got := TDMFile(&config.Politeness{TDMRep: c.key}, signals.Policy{c.use: c.rule}) != nil; got != c.want {
			t.Errorf("tdmrep: %s, %s: %s: %v", c.key, c.use, c.rule, got)
		}
	}
}

func TestReadTDMRep(t *testing.T) {
	for _, c := range []struct {
		answer politeness.SiteAnswer
		want   signals.Preference
	}{
		{politeness.SiteAnswer{Status: 404}, signals.Unstated},
		{politeness.SiteAnswer{Status: 410}, signals.Unstated},
		{politeness.SiteAnswer{Status: 401}, signals.Denied},
		{politeness.SiteAnswer{Status: 200, ContentType: "text/html", Body: []byte("<p>")}, signals.Unstated},
		{politeness.SiteAnswer{Status: 200, ContentType: "text/html; charset=utf-8", Body: []byte(` [{"location":"/","tdm-reservation":1}]`)}, signals.Denied},
		{politeness.SiteAnswer{Status: 200, ContentType: "application/json", Body: []byte("<p>")}, signals.Denied},
		{politeness.SiteAnswer{Status: 200, Body: []byte("[]")}, signals.Unstated},
		{politeness.SiteAnswer{Status: 200, Body: []byte("[]"), Cut: true}, signals.Denied},
		{politeness.SiteAnswer{Problem: "status 500"}, signals.Denied},
	} {
		got, _ := signals.Merge(readTDMRep(c.answer).rep.For("/a")).Preference(signals.CategoryTDM)
		if got != c.want {
			t.Errorf("%+v: %v, want %v", c.answer, got, c.want)
		}
	}
}
