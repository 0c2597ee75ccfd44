package politeness

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/politeness/robots"
)

func fields(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

// RFC 9111 sections 4.2.1 and 5.2.2, within our bounds.
func TestLifetimeByCacheHeaders(t *testing.T) {
	const date = "Sun, 01 Mar 2026 12:00:00 GMT"
	for _, c := range []struct {
		header http.Header
		want   time.Duration
		stated bool
	}{
		{nil, 24 * time.Hour, false},
		{fields("Cache-Control", "public"), 24 * time.Hour, false},
		{fields("Cache-Control", "max-age=3600"), time.Hour, true},
		{fields("Cache-Control", `Max-Age="3600"`), time.Hour, true},
		{fields("Cache-Control", "public, max-age=3600", "Age", "600"), 50 * time.Minute, true},
		{fields("Cache-Control", "max-age=7200", "Cache-Control", "max-age=3600"), time.Hour, true},
		{fields("Cache-Control", "max-age=0"), robotsLeast, true},
		{fields("Cache-Control", "max-age=99999999"), robotsLifetime, true},
		{fields("Cache-Control", "max-age=99999999999999999999"), robotsLifetime, true},
		{fields("Cache-Control", "max-age=soon"), robotsLeast, true},
		{fields("Cache-Control", "max-age=-1"), robotsLeast, true},
		{fields("Cache-Control", "no-store"), robotsLeast, true},
		{fields("Cache-Control", "max-age=3600, No-Cache"), robotsLeast, true},
		{fields("Expires", "Sun, 01 Mar 2026 14:00:00 GMT", "Date", date), 2 * time.Hour, true},
		{fields("Expires", "Sun, 01 Mar 2026 14:00:00 GMT", "Date", date, "Cache-Control", "max-age=600"), 10 * time.Minute, true},
		{fields("Expires", "Sun, 01 Mar 2026 11:00:00 GMT", "Date", date), robotsLeast, true},
		{fields("Expires", "0", "Date", date), robotsLeast, true},
		{fields("Expires", "Sun, 01 Mar 2026 14:00:00 GMT"), robotsLeast, true},
	} {
		if got, stated := lifetime(c.header); got != c.want || stated != c.stated {
			t.Errorf("%v: %v %v, want %v", c.header, got, stated, c.want)
		}
	}
}

func TestRobotsIsRevalidated(t *testing.T) {
	g, c := newTestGate(Policy{}, Options{})
	d := expect(t, g.Decide(site, site+"/"), FetchRobots)
	if d.Header != nil {
		t.Errorf("sends %v with nothing to compare", d.Header)
	}
	body := []byte("User-agent: *\nDisallow: /x\n")
	s := d.Grant.Done(Result{Status: 200, Body: body, Header: fields(
		"ETag", `W/"v1"`, "Last-Modified", "Sun, 01 Mar 2026 10:00:00 GMT", "Cache-Control", "max-age=800")})
	if len(s.Robots) == 0 || g.State(site).Robots != nil {
		t.Error("a new copy is to be kept, and once")
	}
	c.add(700 * time.Second)
	d = expect(t, g.Decide(site, site+"/"), FetchRobots)
	if d.Header.Get("If-None-Match") != `W/"v1"` || d.Header.Get("If-Modified-Since") != "Sun, 01 Mar 2026 10:00:00 GMT" {
		t.Errorf("sends %v", d.Header)
	}
	if s := d.Grant.Done(Result{Status: 304, Header: fields("Cache-Control", "max-age=1600")}); s.Robots != nil {
		t.Error("nothing is new")
	}
	c.add(1399 * time.Second)
	expect(t, g.Decide(site, site+"/x"), Skip)
	expect(t, g.Decide(site, site+"/y"), Go).Grant.Cancel()
	c.add(time.Second)
	d = expect(t, g.Decide(site, site+"/x"), FetchRobots)
	// The same file again needs not be kept again, but lasts.
	s = d.Grant.Done(Result{Status: 200, Body: body, Header: fields("ETag", `W/"v1"`, "Last-Modified", "Sun, 01 Mar 2026 10:00:00 GMT")})
	if s.Robots != nil {
		t.Error("the same copy is kept again")
	}
	c.add(20 * time.Hour)
	expect(t, g.Decide(site, site+"/x"), Skip)
	c.add(time.Hour)
	d = expect(t, g.Decide(site, site+"/x"), FetchRobots)
	s = d.Grant.Done(Result{Status: 404})
	if s.Robots == nil {
		t.Error("a file that is gone is news")
	}
	expect(t, g.Decide(site, site+"/x"), Go)
}

func TestValidatorsAreSentWhereTheyCameFrom(t *testing.T) {
	g, c := newTestGate(Policy{}, Options{})
	const other = "https://b.example"
	expect(t, g.Decide(site, site+"/"), FetchRobots).Grant.Done(Result{Status: 301, Header: fields("Location", other+"/r")})
	expect(t, g.Decide(site, site+"/"), FetchRobots).Grant.Done(Result{Status: 200, Header: fields("ETag", `"e"`)})
	c.add(robotsRefresh)
	d := expect(t, g.Decide(site, site+"/"), FetchRobots)
	if d.Header != nil {
		t.Errorf("sends %v to the wrong place", d.Header)
	}
	d.Grant.Done(Result{Status: 301, Header: fields("Location", other+"/r")})
	d = expect(t, g.Decide(site, site+"/"), FetchRobots)
	if d.Robots != other+"/r" || d.Header.Get("If-None-Match") != `"e"` || d.Grant.Host() != other {
		t.Errorf("%s with %v", d.Robots, d.Header)
	}
	d.Grant.Done(Result{Status: 304})
	if x := g.Explain(site, site+"/"); !x.Known || x.RobotsAge != 0 || x.RobotsLife != robotsLifetime {
		t.Errorf("%+v", x)
	}
}

func TestNotModifiedThoughNobodyAsked(t *testing.T) {
	g, c := newTestGate(Policy{}, Options{})
	learn(t, g, c, site, "User-agent: *\nDisallow: /x")
	c.add(robotsLifetime)
	expect(t, g.Decide(site, site+"/y"), FetchRobots).Grant.Done(Result{Status: 304})
	expect(t, g.Decide(site, site+"/y"), Wait)
}

func TestMonthOfUnreachableRobots(t *testing.T) {
	for policy, want := range map[Unreachable]Action{DenyUnreachable: Skip, AllowAfterMonth: Go} {
		g, c := newTestGate(Policy{RobotsUnreachable: policy, CircuitAfter: -1}, Options{})
		start := c.now()
		for c.now().Sub(start) <= robotsMonth+robotsRest {
			switch d := g.Decide(site, site+"/"); d.Action {
			case FetchRobots:
				d.Grant.Done(Result{Err: errors.New("timeout")})
			case Go:
				if c.now().Sub(start) < robotsMonth {
					t.Fatalf("allowed after %v", c.now().Sub(start))
				}
				d.Grant.Cancel()
				c.add(robotsRest)
			default:
				c.add(time.Minute)
			}
		}
		d := expect(t, g.Decide(site, site+"/"), want)
		if want == Go {
			d.Grant.Cancel()
			c.add(robotsRefresh)
			d := expect(t, g.Decide(site, site+"/"), FetchRobots) // and is tried each day
			d.Grant.Done(Result{Status: 200, Body: []byte("User-agent: *\nDisallow: /")})
			expect(t, g.Decide(site, site+"/"), Skip)
		}
	}
}

func TestFreshCopySurvivesARestart(t *testing.T) {
	rules := []byte("User-agent: *\nDisallow: /x\nCrawl-delay: 7\n")
	g, c := newTestGate(Policy{}, Options{})
	kept := expect(t, g.Decide(site, site+"/"), FetchRobots).Grant.Done(
		Result{Status: 200, Body: rules, Header: fields("ETag", `"e"`, "Cache-Control", "max-age=8000")})
	c.add(7000 * time.Second)
	renewed := expect(t, g.Decide(site, site+"/"), FetchRobots).Grant.Done(Result{Status: 304})
	c.add(6000 * time.Second)
	calls := 0
	reopen := func(robots, debts []byte) *Gate {
		calls = 0
		return New(Policy{}, Options{
			Now:    c.now,
			Recall: func(string) []byte { calls++; return robots },
			Debts:  func(string) []byte { return debts },
		})
	}
	next := reopen(kept.Robots, renewed.Opaque)
	expect(t, next.Decide(site, site+"/x"), Skip)
	expect(t, next.Decide(site, site+"/y"), Go).Grant.Cancel()
	if x := next.Explain(site, site+"/x"); calls != 1 || x.RobotsAge != 6000*time.Second || x.Owed != 7*time.Second || x.By != ByCrawlDelay+", line 3" {
		t.Errorf("%d calls, %+v", calls, x)
	}
	// Without word of the renewal it is old, and good to compare with.
	next = reopen(kept.Robots, nil)
	d := expect(t, next.Decide(site, site+"/y"), FetchRobots)
	if d.Header.Get("If-None-Match") != `"e"` {
		t.Errorf("sends %v", d.Header)
	}
	d.Grant.Done(Result{Status: 304})
	expect(t, next.Decide(site, site+"/x"), Skip)
	// What is damaged is as if nothing had been kept.
	for i := range kept.Robots {
		bad := bytes.Clone(kept.Robots)
		bad[i] ^= 1 << (i % 8)
		if d := expect(t, reopen(bad, nil).Decide(site, site+"/y"), FetchRobots); d.Header != nil {
			t.Errorf("octet %d damaged: %v", i, d.Header)
		}
		expect(t, reopen(kept.Robots[:i], nil).Decide(site, site+"/y"), FetchRobots)
	}
	for i := range renewed.Opaque {
		bad := bytes.Clone(renewed.Opaque)
		bad[i] ^= 1 << (i % 8)
		expect(t, reopen(kept.Robots, bad).Decide(site, site+"/y"), FetchRobots)
	}
}

func TestKeptCopyIsBounded(t *testing.T) {
	noise := make([]byte, 3*robots.MaxSize)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	g, _ := newTestGate(Policy{}, Options{})
	s := expect(t, g.Decide(site, site+"/"), FetchRobots).Grant.Done(Result{Status: 200, Body: noise})
	if len(s.Robots) > robots.MaxSize+2<<10 {
		t.Errorf("%d octets", len(s.Robots))
	}
	if readRobots(s.Robots, &g.policy) == nil {
		t.Error("cannot be read back")
	}
	bomb := (&robotsCopy{lifetime: time.Hour, text: &robotsText{}}).write(pack(bytes.Repeat([]byte("a"), robots.MaxSize)), time.Time{})
	if readRobots(bomb, &g.policy) != nil {
		t.Error("a body of another hash is taken")
	}
}

func TestRecallRunsOnceAndWithoutTheLock(t *testing.T) {
	var g *Gate
	var c *fakeClock
	calls := 0
	g, c = newTestGate(Policy{}, Options{Recall: func(origin string) []byte {
		calls++
		if w := g.Decide(origin, origin+"/"); w.Action != Wait || w.By != ByMemory { // others wait
			t.Errorf("meanwhile %v by %q", w.Action, w.By)
		}
		if calls == 1 {
			panic("a disk failed")
		}
		return nil
	}})
	func() {
		defer func() { _ = recover() }()
		g.Decide(site, site+"/")
	}()
	expect(t, g.Decide(site, site+"/"), FetchRobots)
	c.add(time.Second)
	g.Decide(site, site+"/")
	if calls != 2 {
		t.Errorf("%d calls", calls)
	}
}

func FuzzMemory(f *testing.F) {
	p := Policy{}
	p.fill()
	whole := newCopy([]byte("User-agent: *\nDisallow: /x\n"), &p)
	whole.text.etag, whole.text.modified, whole.text.from = `"e"`, "Sun, 01 Mar 2026 10:00:00 GMT", "https://b.example/r"
	f.Add(whole.write(pack([]byte("User-agent: *\nDisallow: /x\n")), time.Unix(1e9, 0)))
	o := opaque{strikes: 3, debt: time.Unix(2e9, 1), circuit: circuit{failures: 9, cause: "reset"}, robots: "status 500"}
	f.Add(o.write())
	f.Add([]byte{opaqueVersion, 0, 0, 0, 0})
	f.Add([]byte{robotsVersion})
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) >= 4 { // the checksum is not what is tested
			data = append(data[:len(data)-4:len(data)-4], checksum(data[:len(data)-4])...)
		}
		if c := readRobots(data, &p); c != nil && (c.lifetime < robotsLeast || c.lifetime > robotsLifetime || c.text.rules == nil) {
			t.Errorf("%+v", c)
		}
		if o, ok := readOpaque(data); ok {
			if again, ok := readOpaque(o.write()); !ok && o != (opaque{}) || again.debt.UnixNano() != o.debt.UnixNano() {
				t.Errorf("%+v is read back as %+v", o, again)
			}
		}
		g, c := newTestGate(Policy{}, Options{Debts: func(string) []byte { return data }, Recall: func(string) []byte { return data }})
		d := g.Decide(site, site+"/")
		if d.Action == Wait && d.Until.Sub(c.now()) > g.longest() {
			t.Errorf("waits %v", d.Until.Sub(c.now()))
		}
		if s := g.State(site); len(s.Opaque) > 256 {
			t.Errorf("opaque of %d octets", len(s.Opaque))
		}
	})
}

func TestOpaqueIsSmall(t *testing.T) {
	at := time.Unix(4e9, 123456789)
	long := strings.Repeat("x", 500)
	o := opaque{
		strikes: 8, delay: time.Hour, debt: at, last: at, debtBy: byBackoff,
		circuit: circuit{failures: maxFailures, since: at, until: at, pause: time.Hour, cause: long},
		checked: at, lifetime: robotsLifetime, hash: [8]byte{1}, failures: 255, since: at, retryAt: at, robots: long,
	}
	if n := len(o.write()); n > 256 {
		t.Errorf("%d octets", n)
	}
	got, ok := readOpaque(o.write())
	o.circuit.cause, o.robots = long[:maxCause], long[:maxCause]
	if !ok || fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", o) {
		t.Errorf("read back as %+v", got)
	}
}
