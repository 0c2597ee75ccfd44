package ledger

import (
	"os"
	"strings"
	"testing"
	"time"
)

// Each kind of breach has a plant, or a test of its own that is named here.
func TestEveryBreachIsPlanted(t *testing.T) {
	elsewhere := map[Breach]string{
		ClockJump:  "TestClockThatWasSetBack",
		OutOfOrder: "TestEntryOutOfOrder",
	}
	for b := range breaches {
		if plants[b] == nil && elsewhere[b] == "" {
			t.Errorf("%v is not planted", b)
		}
		if b.String() == "" {
			t.Errorf("breach %d has no name", b)
		}
	}
}

func promising() RunInfo {
	run := testRun()
	run.Policy.Concurrency = 2
	run.Policy.Backoff, run.Policy.BackoffMost = 10*time.Second, time.Minute
	run.Policy.CircuitAfter, run.Policy.CircuitPause, run.Policy.CircuitMost = 2, 30*time.Second, time.Minute
	return run
}

func answered(at time.Duration, status int) Entry {
	e := plain(at, "/")
	e.Status, e.Answered, e.Booked = status, e.Start.Add(500*time.Microsecond), e.End
	if status == 0 {
		e.Failed, e.Class, e.Answered = true, "timeout", time.Time{}
	}
	return e
}

func TestLessons(t *testing.T) {
	const s = time.Second
	longAnswer := answered(0, 503)
	longAnswer.End = longAnswer.Start.Add(20 * s)
	asks := answered(0, 503)
	asks.RetryAfter, asks.End = 3*s, asks.Start.Add(2*s)
	slow := func(at time.Duration) Entry {
		e := answered(at, 429)
		e.End = e.Start.Add(2 * s)
		e.Answered, e.Booked = e.End, e.End
		return e
	}
	onePage := answered(5*s, 500)
	notTheHost := answered(5*s, 0)
	notTheHost.Failed, notTheHost.Class = false, "too-large"
	probes := answered(60*s, 200)
	probes.End = probes.Start.Add(30 * s)
	probes.Booked = probes.End
	for name, c := range map[string]struct {
		entries []Entry
		want    []Breach
	}{
		"a good answer takes a doubling back": {[]Entry{answered(0, 429), answered(11*s, 429), answered(32*s, 200), answered(34*s, 429), answered(55*s, 200)}, nil},
		"another status does not":             {[]Entry{answered(0, 503), answered(11*s, 404), answered(13*s, 503), answered(32*s, 200)}, []Breach{BackoffUnpaid}},
		"backoffs end growing":                {[]Entry{answered(0, 429), answered(11*s, 429), answered(32*s, 429), answered(73*s, 429), answered(134*s, 200)}, nil},
		"one burst is one word":               {[]Entry{slow(0), slow(1100 * time.Millisecond), answered(14*s, 200)}, nil},
		"and holds from its last answer on":   {[]Entry{slow(0), slow(1100 * time.Millisecond), answered(12500*time.Millisecond, 200)}, []Breach{BackoffUnpaid}},
		"a backoff begins with the header":    {[]Entry{longAnswer, answered(15*s, 200)}, nil},
		"and holds while the body comes":      {[]Entry{longAnswer, answered(9*s, 200)}, []Breach{BackoffUnpaid}},
		"Retry-After goes before the backoff": {[]Entry{asks, answered(5*s, 200)}, nil},
		"a success between failures":          {[]Entry{answered(0, 502), answered(2*s, 200), answered(4*s, 502), answered(6*s, 200)}, nil},
		"failures in a row":                   {[]Entry{answered(0, 502), answered(4*s, 0), answered(33*s, 200)}, []Breach{RestBroken}},
		"one broken page is not the host":     {[]Entry{answered(0, 502), onePage, answered(7*s, 200)}, nil},
		"nor is one that is too large":        {[]Entry{answered(0, 502), notTheHost, answered(7*s, 200)}, nil},
		"rests grow":                          {[]Entry{answered(0, 502), answered(2*s, 502), answered(33*s, 504), answered(92*s, 200)}, []Breach{RestBroken}},
		"one probe at a time":                 {[]Entry{answered(0, 502), answered(2*s, 502), probes, answered(63*s, 200)}, []Breach{TooMany}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			simple(t, dir, promising(), c.entries...)
			expectBreaches(t, auditTest(t, dir, Rules{}), c.want...)
			run := testRun() // that promised none of it
			run.Policy.Concurrency = 2
			dir = t.TempDir()
			simple(t, dir, run, c.entries...)
			expectBreaches(t, auditTest(t, dir, Rules{}))
		})
	}
}

// What a 429 asks of one host of a group holds for all, what a 503 asks does not.
func TestLessonsOfAGroup(t *testing.T) {
	for status, want := range map[int][]Breach{429: {BackoffUnpaid, BackoffUnpaid}, 503: {BackoffUnpaid}} {
		dir := t.TempDir()
		l := openTest(t, dir, promising())
		first, second, own := answered(0, status), answered(2*time.Second, 404), answered(4*time.Second, 200)
		second.Host, second.URL = "https://b.example", "https://b.example/"
		for _, e := range []*Entry{&first, &second, &own} {
			e.Group = "address:192.0.2.1"
		}
		appendTest(t, l, []Entry{first, second, own}, RobotsVersion{Origin: first.Host, FetchedAt: noon.Add(-1)}, RobotsVersion{Origin: second.Host, FetchedAt: noon.Add(-1)})
		closeTest(t, l)
		expectBreaches(t, auditTest(t, dir, Rules{}), want...)
	}
}

// A robots.txt that is kept on another host is asked for in that host's time,
// and by what its own robots.txt asks for.
func TestRobotsOfAnotherHostTakeItsTime(t *testing.T) {
	text := []byte("User-agent: *\nCrawl-delay: 10\n")
	page := plain(2*time.Second, "/")
	page.RobotsHash, page.Owed = hashOf(text), 10*time.Second
	elsewhere := func(at time.Duration) Entry {
		e := plain(at, "/b/robots.txt")
		e.Kind, e.RobotsHash = Robots, [16]byte{}
		return e
	}
	for at, want := range map[time.Duration][]Breach{
		2500 * time.Millisecond: {WrongOwed, TooSoon}, 11 * time.Second: {WrongOwed, TooSoon}, 13 * time.Second: {WrongOwed},
	} {
		dir := t.TempDir()
		l := openTest(t, dir, testRun())
		appendTest(t, l, []Entry{page, elsewhere(at)},
			RobotsVersion{Origin: page.Host, FetchedAt: noon, Body: text},
			RobotsVersion{Origin: "https://b.example", FetchedAt: noon.Add(at + time.Second)})
		closeTest(t, l)
		r := auditTest(t, dir, Rules{})
		expectBreaches(t, r, want...)
		for _, v := range r.Violations {
			if v.Host != page.Host || v.URL != page.Host+"/b/robots.txt" || !strings.Contains(v.Detail, "Crawl-delay, line 2") {
				t.Errorf("%+v", v)
			}
		}
	}
}

// A ledger of the first format is read and audited as before, and written on in
// the second.
func TestFirstFormat(t *testing.T) {
	data, err := os.ReadFile("testdata/format1.ledger")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	put(t, dir, data)
	got, err := readAll(dir)
	if err != nil || len(got) != 8 {
		t.Fatalf("%d entries, %v", len(got), err)
	}
	for i, e := range got {
		if !e.Answered.IsZero() || !e.Booked.IsZero() || e.Failed || e.Withheld != (i == 6) || e.Status == 0 != e.Withheld {
			t.Errorf("%d: %+v", i, e)
		}
	}
	if got[7].RetryAfter != 3*time.Second || got[6].Reason == "" {
		t.Errorf("%+v", got[7])
	}
	before := auditTest(t, dir, Rules{})
	run := testRun()
	run.Started = noon.Add(time.Hour)
	l := openTest(t, dir, run)
	next := answered(2*time.Hour, 0)
	appendTest(t, l, []Entry{next})
	closeTest(t, l)
	if got, err = readAll(dir); err != nil || len(got) != 9 || !got[8].Failed || !got[8].Booked.Equal(next.Booked) {
		t.Errorf("%d entries, %v: %+v", len(got), err, got[len(got)-1])
	}
	if after := auditTest(t, dir, Rules{}); after.Requests != before.Requests+1 || after.Processes != 2 {
		t.Errorf("%+v", after)
	}
}

func TestHoursThatCannotBeRead(t *testing.T) {
	for _, p := range []Policy{{Hours: "late"}, {Hours: "22:00-06:00", Zone: "Moon/Sea"}} {
		run := testRun()
		run.Policy = p
		dir := t.TempDir()
		simple(t, dir, run)
		if _, err := Audit(t.Context(), dir, Rules{}); err == nil {
			t.Errorf("%+v was taken", p)
		}
	}
}
