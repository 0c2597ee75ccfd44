package politeness

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const filePath = "/.well-known/use.json"

// filed is a policy with a file whose digest tells what was read.
func filed(p Policy) Policy {
	p.File = &SiteFile{Path: filePath, Read: func(a SiteAnswer) (any, int) {
		if a.Problem != "" {
			return fmt.Sprintf("problem: %s, elsewhere %v", a.Problem, a.Elsewhere), 1
		}
		return fmt.Sprintf("%d %s %s %v", a.Status, a.ContentType, a.Body, a.Cut), 1000
	}}
	return p
}

// askedFor decides about the site's page, which must lead to its file.
func askedFor(t *testing.T, g *Gate) Decision {
	t.Helper()
	d := expect(t, g.Decide(site, site+"/"), FetchFile)
	if d.Robots != site+filePath || d.Grant.URL() != d.Robots {
		t.Fatalf("asks for %q", d.Robots)
	}
	return d
}

func TestSiteFileComesAfterRobotsAndBeforeThePage(t *testing.T) {
	g, c := newTestGate(filed(Policy{Delay: time.Second, Concurrency: 3}), Options{})
	expect(t, g.Decide(site, site+"/"), FetchRobots).Grant.Done(Result{Status: 200, Body: []byte("User-agent: *\nDisallow: /private")})
	expect(t, g.Decide(site, site+"/private"), Skip) // it is not needed for that
	expect(t, g.Decide(site, site+"/"), Wait)        // robots.txt took its time
	c.add(time.Second)
	d := askedFor(t, g)
	if w := expect(t, g.Decide(site, site+"/other"), Wait); w.By != ByFile {
		t.Errorf("fetched by one, the others wait for %q", w.By)
	}
	c.add(time.Minute)
	s := d.Grant.Done(Result{Status: 200, Header: fields("Content-Type", "application/json", "Cache-Control", "max-age=3600"), Body: []byte("[]")})
	if s.File == nil || s.Robots != nil {
		t.Errorf("state %+v", s)
	}
	expect(t, g.Decide(site, site+"/"), Wait)
	c.add(time.Second)
	if d := expect(t, g.Decide(site, site+"/"), Go); d.File != "200 application/json [] false" {
		t.Errorf("digest %v", d.File)
	} else {
		d.Grant.Done(Result{Status: 200})
	}
	c.add(time.Hour) // as long as the answer serves
	askedFor(t, g).Grant.Cancel()
	askedFor(t, g).Grant.Cancel()
}

func TestSiteFileThatCannotBeHad(t *testing.T) {
	for _, k := range []struct {
		name, robots string
		answers      []Result
		waits        []time.Duration
		want         string
		kept         bool
	}{
		{"not there", "", []Result{{Status: 404}}, nil, "404   false", true},
		{"forbidden", "", []Result{{Status: 403}}, nil, "403   false", true},
		{"disallowed", "User-agent: *\nDisallow: /.well-known/", nil, nil, "problem: robots.txt line 2 disallows it, elsewhere false", false},
		{"down", "", []Result{{Status: 502}, {Status: 500}}, []time.Duration{2 * time.Second}, "problem: status 500, elsewhere false", false},
		{"unreachable", "", []Result{{Err: errRefused}, {Err: errRefused}}, []time.Duration{2 * time.Second}, "problem: connection refused, elsewhere false", false},
		{"for good", "", []Result{{Err: errRefused, Permanent: true}}, nil, "problem: connection refused, elsewhere false", false},
		{"moved here", "", []Result{{Status: 301, Header: fields("Location", "/use.json")}, {Status: 200, Body: []byte("{}")}}, []time.Duration{0}, "200  {} false", true},
		{"moved away", "", []Result{{Status: 302, Header: fields("Location", "https://b.example/use.json")}}, nil, "problem: redirected to https://b.example, elsewhere true", false},
		{"moved to what is disallowed", "User-agent: *\nDisallow: /x", []Result{{Status: 302, Header: fields("Location", "/x")}}, nil, "problem: robots.txt line 2 disallows it, elsewhere false", false},
		{"moved nowhere", "", []Result{{Status: 302}}, nil, "problem: redirect without a usable Location, elsewhere false", false},
		{"too long", "", []Result{{Status: 200, Body: []byte(strings.Repeat(" ", 600<<10))}}, nil, "200  " + strings.Repeat(" ", 500<<10) + " true", true},
	} {
		g, c := newTestGate(filed(Policy{RobotsTries: 2}), Options{})
		learn(t, g, c, site, k.robots)
		kept := false
		for i, r := range k.answers {
			d := expect(t, g.Decide(site, site+"/"), FetchFile)
			kept = d.Grant.Done(r).File != nil
			if i < len(k.waits) && k.waits[i] > 0 {
				if w := expect(t, g.Decide(site, site+"/"), Wait); w.Until.Sub(c.now()) < k.waits[i] {
					t.Errorf("%s: waits %v", k.name, w.Until.Sub(c.now()))
				}
				c.add(time.Minute)
			}
		}
		d := expect(t, g.Decide(site, site+"/"), Go)
		if d.File != k.want || kept != k.kept {
			t.Errorf("%s: %.80v, kept %v", k.name, d.File, kept)
		}
		d.Grant.Cancel()
	}
}

func TestSiteFileRedirectsEnd(t *testing.T) {
	g, c := newTestGate(filed(Policy{}), Options{})
	learn(t, g, c, site, "")
	hops := 0
	for d := g.Decide(site, site+"/"); d.Action == FetchFile; d = g.Decide(site, site+"/") {
		d.Grant.Done(Result{Status: 302, Header: fields("Location", fmt.Sprint("/", hops))})
		if hops++; hops > 10 {
			t.Fatal("redirects without end")
		}
	}
	if hops != robotsHops+1 {
		t.Errorf("%d fetches, want one and five redirects", hops)
	}
}

// A file that was given up is asked for again after an hour.
func TestSiteFileIsAskedForAgain(t *testing.T) {
	g, c := newTestGate(filed(Policy{RobotsTries: 1}), Options{})
	learn(t, g, c, site, "")
	askedFor(t, g).Grant.Done(Result{Status: 500})
	expect(t, g.Decide(site, site+"/"), Go).Grant.Done(Result{Status: 200})
	c.add(robotsRest)
	askedFor(t, g).Grant.Done(Result{Status: 200})
	if d := expect(t, g.Decide(site, site+"/"), Go); d.File != "200   false" {
		t.Errorf("%v", d.File)
	}
}

func TestSiteFileOutlivesTheProcess(t *testing.T) {
	p := filed(Policy{IgnoreRobots: true})
	g, c := newTestGate(p, Options{})
	s := askedFor(t, g).Grant.Done(Result{Status: 200, Header: fields("Content-Type", "text/plain"), Body: []byte("[1]")})
	open := func(kept []byte) *Gate {
		return New(p, Options{Now: c.now, RecallFile: func(origin string) []byte {
			if origin != site {
				t.Errorf("recalls %q", origin)
			}
			return kept
		}})
	}
	c.add(23 * time.Hour)
	if d := expect(t, open(s.File).Decide(site, site+"/"), Go); d.File != "200 text/plain [1] false" {
		t.Errorf("%v", d.File)
	}
	for i := range s.File {
		damaged := []byte(string(s.File))
		damaged[i] ^= 1
		askedFor(t, open(damaged))
		askedFor(t, open(s.File[:i]))
	}
	c.add(time.Hour)
	askedFor(t, open(s.File)) // no longer good
}

func TestSiteFilesCountAgainstTheBound(t *testing.T) {
	g, c := newTestGate(filed(Policy{IgnoreRobots: true}), Options{MaxRules: 5000})
	for i := range 100 {
		origin := fmt.Sprintf("http://h%d.example", i)
		expect(t, g.Decide(origin, origin+"/"), FetchFile).Grant.Done(Result{Status: 200})
		c.add(time.Second)
		if g.shelf.size > 7000 || len(g.hosts) > 8 {
			t.Fatalf("%d octets in %d hosts", g.shelf.size, len(g.hosts))
		}
	}
}
