package monitor

import (
	"fmt"
	"math"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler"
)

// However many hosts there are, the figures of a run are those of its entries.
func TestHostsAddUp(t *testing.T) {
	begin := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	rapid.Check(t, func(t *rapid.T) {
		h, want := NewHosts(), HostFigures{}
		names := map[string]bool{}
		many := rapid.IntRange(1, 300).Draw(t, "hosts")
		for i := range rapid.IntRange(1, 600).Draw(t, "entries") {
			start := begin.Add(time.Duration(rapid.IntRange(0, 1000).Draw(t, "start")) * time.Second)
			e := crawler.Entry{
				Host: fmt.Sprint("http://", i%many), Kind: rapid.SampledFrom([]string{"page", "robots", "sitemap"}).Draw(t, "kind"),
				Start: start, End: start.Add(time.Second), Status: rapid.SampledFrom([]int{0, 200, 404, 429}).Draw(t, "status"),
				Withheld: rapid.Bool().Draw(t, "withheld"), Bytes: 10, Owed: time.Second, Paid: time.Duration(i%3) * time.Second,
			}
			if e.Status == 0 {
				e.Class = crawler.ClassTimeout
			}
			names[e.Host] = true
			want.add(&e)
			h.Add(&e)
		}
		l := h.List()
		got := l.Others
		for i := range l.Hosts {
			if i > 0 && l.Hosts[i].Requests+l.Hosts[i].Withheld > l.Hosts[i-1].Requests+l.Hosts[i-1].Withheld {
				t.Fatal("not in order")
			}
			got.merge(&l.Hosts[i])
		}
		if len(l.Hosts) > keptHosts || l.Total != int64(len(names)) {
			t.Fatalf("%d hosts listed, %d counted, there are %d", len(l.Hosts), l.Total, len(names))
		}
		same := math.Abs(got.PaidS-want.PaidS) < 1e-6 && math.Abs(got.OwedS-want.OwedS) < 1e-6 && math.Abs(got.AnswerS-want.AnswerS) < 1e-6
		got.PaidS, got.OwedS, got.AnswerS = want.PaidS, want.OwedS, want.AnswerS
		if got != want || !same {
			t.Fatalf("%+v, want %+v", got, want)
		}
	})
}

// A site that makes up host names fills no memory.
func TestHostsAreBounded(t *testing.T) {
	h := NewHosts()
	for i := range 2 * maxHosts {
		h.Add(&crawler.Entry{Host: fmt.Sprint("http://", i), Status: 200, Kind: "page"})
	}
	if l := h.List(); len(h.known) != maxHosts || l.Others.Requests != 2*maxHosts-keptHosts {
		t.Errorf("%d hosts are known, the others have %d requests", len(h.known), l.Others.Requests)
	}
}
