package dashboard

import (
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler/daemon"
)

// behind is a daemon whose history takes nothing.
type behind struct{ Daemon }

func (b behind) Status() []daemon.Status {
	all := b.Daemon.Status()
	for i := range all {
		all[i].Unkept = "the disk is full: " + hostile
	}
	return all
}

// Pages whose runs are those of before say that the history takes nothing: they
// would look well while everything fails.
func TestUnkeptIsShown(t *testing.T) {
	const token = "a-token-that-is-long-enough-0815"
	for _, c := range []struct{ set, given, want string }{
		{"", "", "cannot be written to: the disk is full"}, {token, "", "cannot be written to: the log says why"},
		{token, token, "cannot be written to: the disk is full"},
	} {
		w := newWorld(t, func(o *Options) { o.Daemon, o.Token = behind{o.Daemon}, c.set })
		answer := w.ask("GET", "/readyz", "Authorization: Bearer "+c.given)
		if got := answer.Body.String(); answer.Code != 503 || !strings.Contains(got, c.want) {
			t.Errorf("/readyz: %d, %s", answer.Code, got)
		}
	}

	w := newWorld(t, func(o *Options) { o.Daemon = behind{o.Daemon} })
	for path, want := range map[string]string{
		"/": "The history takes nothing", "/crawls/quiet": "The history takes nothing",
		"/api/v1/crawls/quiet": `"unkept":"the disk is full`, "/metrics": `amble_crawl_history_behind{crawl="quiet"} 1`,
	} {
		if got := w.ask("GET", path).Body.String(); !strings.Contains(got, want) || strings.Contains(got, hostile) {
			t.Errorf("%s has no %q:\n%s", path, want, got)
		}
	}
}
