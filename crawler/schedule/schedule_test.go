package schedule

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func compiled(t interface {
	Helper()
	Fatalf(string, ...any)
}, spec Spec) *Schedule {
	t.Helper()
	s, err := Compile(spec)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return s
}

func at(text string) time.Time {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		panic(err)
	}
	return t
}

// The days on which the clock is changed, and others, in zones that do so in
// their own ways.
func TestNext(t *testing.T) {
	for _, c := range []struct {
		cron, zone, after string
		want              string
	}{
		{"0 6 * * *", "Europe/Berlin", "2026-11-30T00:00:00Z", "2026-11-30T05:00:00Z 2026-12-01T05:00:00Z"},
		{"30 0 6 * * *", "", "2026-11-30T00:00:00Z", "2026-11-30T06:00:30Z"},
		{"@daily", "America/New_York", "2026-11-30T00:00:00Z", "2026-11-30T05:00:00Z"},
		{"@every 90m", "Europe/Berlin", "2026-11-30T00:10:00Z", "2026-11-30T01:40:00Z 2026-11-30T03:10:00Z"},
		// 2026-03-29, 02:00 to 03:00 is skipped in Berlin.
		{"30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-30T00:30:00Z"},
		{"0,15,30,45 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-30T00:00:00Z"},
		{"30 1,2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T00:30:00Z 2026-03-29T01:00:00Z 2026-03-29T01:30:00Z"},
		{"0 * * * *", "Europe/Berlin", "2026-03-28T23:59:00Z", "2026-03-29T00:00:00Z 2026-03-29T01:00:00Z 2026-03-29T02:00:00Z"},
		// 2026-10-25, 02:00 to 03:00 comes twice in Berlin.
		{"30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"},
		{"30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", "2026-10-26T01:30:00Z"},
		{"0 * * * *", "Europe/Berlin", "2026-10-24T23:59:00Z", "2026-10-25T00:00:00Z 2026-10-25T01:00:00Z 2026-10-25T02:00:00Z"},
		{"0 1-4 * * *", "Europe/Berlin", "2026-10-24T22:59:00Z", "2026-10-24T23:00:00Z 2026-10-25T00:00:00Z 2026-10-25T02:00:00Z 2026-10-25T03:00:00Z"},
		// Half an hour, in October; a change at midnight.
		{"15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z 2026-10-04T15:15:00Z"},
		{"0 0 * * *", "America/Asuncion", "2023-09-30T12:00:00Z", "2023-10-01T04:00:00Z 2023-10-02T03:00:00Z"},
		{"0 12 29 2 *", "", "2026-01-01T00:00:00Z", "2028-02-29T12:00:00Z"},
	} {
		s := compiled(t, Spec{Cron: c.cron, Timezone: c.zone})
		now := at(c.after)
		for i, want := range strings.Fields(c.want) {
			if now = s.Next(now); !now.Equal(at(want)) {
				t.Errorf("%s in %s after %s: occurrence %d is %s, want %s", c.cron, c.zone, c.after, i, now.Format(time.RFC3339), want)
				break
			}
		}
	}
}

func TestMistakes(t *testing.T) {
	for _, c := range []struct {
		spec Spec
		want string
	}{
		{Spec{Cron: ""}, "cron: "},
		{Spec{Cron: "61 * * * *"}, "cron: "},
		{Spec{Cron: "* * *"}, "cron: "},
		{Spec{Cron: "0 0 31 2 *"}, "never"},
		{Spec{Cron: "TZ=0"}, "timezone"},
		{Spec{Cron: "CRON_TZ=Europe/Berlin 0 6 * * *"}, "timezone"},
		{Spec{Cron: "@every 5"}, "cron: "},
		{Spec{Cron: "@every -5s"}, "cron: "},
		{Spec{Cron: "@daily", Timezone: "Europe/Berlni"}, "Europe/Berlni"},
		{Spec{Cron: "@daily", Timezone: "Local"}, "Local"},
		{Spec{Cron: "@daily", Timezone: "../etc"}, "timezone"},
		{Spec{Cron: "@daily", Jitter: -1}, "jitter"},
	} {
		if _, err := Compile(c.spec); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+v: %v, want %q", c.spec, err, c.want)
		}
	}
}

func FuzzCompile(f *testing.F) {
	for _, s := range []string{"0 6 * * *", "@every 1h", "TZ=x 1", "*/5 1-3,4 ? * MON", "CRON_TZ=", "60-1/0 * * * *", "@every 9999999h"} {
		f.Add(s, "Europe/Berlin")
	}
	f.Fuzz(func(t *testing.T, cron, zone string) {
		s, err := Compile(Spec{Cron: cron, Timezone: zone})
		if err != nil {
			return
		}
		now := at("2026-03-28T23:00:00Z")
		for range 5 {
			next := s.Next(now)
			if next.IsZero() {
				return
			}
			if !next.After(now) {
				t.Fatalf("%q: %v after %v", cron, next, now)
			}
			now = next
		}
	})
}

var specs = []string{"0 6 * * *", "*/20 * * * *", "30 2 * * *", "@every 37m", "0 */3 * * *", "5,50 1,2,3 * * 0", "0 0 1 * *"}

// The occurrences of a schedule do not depend on where one begins to count.
func TestNextFromAnywhere(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := compiled(t, Spec{
			Cron:     rapid.SampledFrom(specs[:3]).Draw(t, "cron"),
			Timezone: rapid.SampledFrom([]string{"Europe/Berlin", "Australia/Lord_Howe", "America/Santiago", "Africa/Casablanca", "UTC"}).Draw(t, "zone"),
		})
		start := at("2026-01-01T00:00:00Z").Add(time.Duration(rapid.IntRange(0, 365*24*60).Draw(t, "minutes")) * time.Minute)
		next := s.Next(start)
		between := start.Add(time.Duration(rapid.Int64Range(0, int64(next.Sub(start))-1).Draw(t, "between")))
		if got := s.Next(between); !got.Equal(next) {
			t.Fatalf("after %v it is %v, after %v it is %v", start, next, between, got)
		}
	})
}

// A daemon lives through weeks with runs of any length, absences, and a clock that
// is set: each occurrence is decided once.
func TestEachOccurrenceIsDecidedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		spec := Spec{
			Cron: rapid.SampledFrom(specs).Draw(t, "cron"), Timezone: "Europe/Berlin", Name: "x",
			Jitter:  time.Duration(rapid.IntRange(0, 9).Draw(t, "jitter")) * time.Minute,
			Overlap: rapid.SampledFrom([]Overlap{"", Skip, Queue, Cancel}).Draw(t, "overlap"),
			CatchUp: rapid.SampledFrom([]CatchUp{"", None, One, All}).Draw(t, "catch up"),
		}
		s := compiled(t, spec)
		now := at("2026-03-20T00:00:00Z").Add(time.Duration(rapid.IntRange(0, 1440).Draw(t, "begin")) * time.Minute)
		begin := now
		var st State
		fates := map[time.Time]string{}
		decide := func(at time.Time, fate string) {
			if before, twice := fates[at]; twice {
				t.Fatalf("%v is %s, and was %s", at, fate, before)
			}
			fates[at] = fate
		}
		running := false
		var ends, last time.Time
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			if running && !ends.After(now) {
				running = false
			}
			var d Decision
			st, d = s.Step(st, now, running)
			if d.Passed > 0 || d.Reset {
				t.Fatalf("%+v", d)
			}
			for _, f := range d.Skipped {
				decide(f.Occurrence, string(f.Reason))
			}
			if d.Cancel {
				ends = now
			}
			if !d.Start.IsZero() {
				if running {
					t.Fatalf("a run starts beside another")
				}
				if s.Start(d.Start).After(now) {
					t.Fatalf("%v starts at %v", d.Start, now)
				}
				decide(d.Start, "started")
				running, ends, last = true, now.Add(time.Duration(rapid.IntRange(1, 300).Draw(t, "length"))*time.Minute), d.Start
			}
			wake := d.Wake
			if running && ends.Before(wake) {
				wake = ends
			}
			if wake.Before(now) {
				wake = now
			}
			now = wake
			if rapid.IntRange(0, 4).Draw(t, "absent") == 0 {
				now = now.Add(time.Duration(rapid.IntRange(1, 3*24*60).Draw(t, "minutes")) * time.Minute)
			}
		}
		for _, at := range st.Queue {
			decide(at, "queued")
		}
		n := 0
		for at := s.Next(begin); !at.After(st.Seen); at = s.Next(at) {
			n++
			if fates[at] == "" {
				t.Fatalf("nothing was decided about %v; the last start was of %v", at, last)
			}
		}
		if n != len(fates) {
			t.Fatalf("%d occurrences and %d decisions", n, len(fates))
		}
	})
}

func TestRules(t *testing.T) {
	start := at("2026-06-01T00:00:30Z")
	for _, c := range []struct {
		name    string
		spec    Spec
		after   time.Duration
		running bool
		want    string
	}{
		{"on time", Spec{}, time.Hour, false, "start 01:00"},
		{"running, skip", Spec{}, time.Hour, true, "skip 01:00 overlap"},
		{"running, queue", Spec{Overlap: Queue}, time.Hour, true, "queue 01:00"},
		{"running, cancel", Spec{Overlap: Cancel}, time.Hour, true, "cancel queue 01:00"},
		{"missed, one", Spec{}, 3*time.Hour + 10*time.Minute, false, "start 03:00 skip 01:00 missed skip 02:00 missed"},
		{"missed, none", Spec{CatchUp: None}, 2*time.Hour + 10*time.Minute, false, "skip 01:00 missed skip 02:00 missed"},
		{"missed, all", Spec{CatchUp: All}, 3*time.Hour + 10*time.Minute, false, "start 01:00 queue 02:00 queue 03:00"},
		{"missed, none but the last is on time", Spec{CatchUp: None}, 2 * time.Hour, false, "start 02:00 skip 01:00 missed"},
		{"missed while running, cancel", Spec{CatchUp: All, Overlap: Cancel}, 2*time.Hour + 10*time.Minute, true, "cancel queue 02:00 skip 01:00 overlap"},
	} {
		c.spec.Cron = "0 * * * *"
		s := compiled(t, c.spec)
		st, _ := s.Step(State{}, start, false)
		st, d := s.Step(st, start.Truncate(time.Hour).Add(c.after), c.running)
		var words []string
		if d.Cancel {
			words = append(words, "cancel")
		}
		if !d.Start.IsZero() {
			words = append(words, "start", d.Start.Format("15:04"))
		}
		for _, q := range st.Queue {
			words = append(words, "queue", q.Format("15:04"))
		}
		for _, f := range d.Skipped {
			words = append(words, "skip", f.Occurrence.Format("15:04"), string(f.Reason))
		}
		if got := strings.Join(words, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// A clock that was set back a day does not silence a schedule for that day; one
// that is slewed does not repeat anything.
func TestClockSetBack(t *testing.T) {
	s := compiled(t, Spec{Cron: "0 * * * *"})
	st, _ := s.Step(State{}, at("2026-06-02T11:30:00Z"), false)
	st, d := s.Step(st, at("2026-06-02T12:00:00Z"), false)
	if d.Start.IsZero() {
		t.Fatal("nothing starts")
	}
	st, d = s.Step(st, at("2026-06-02T11:59:59Z"), true)
	if d.Reset || !d.Wake.Equal(at("2026-06-02T13:00:00Z")) {
		t.Errorf("a second back: %+v", d)
	}
	st, d = s.Step(st, at("2026-06-01T12:10:00Z"), false)
	if !d.Reset || !d.Wake.Equal(at("2026-06-01T13:00:00Z")) {
		t.Errorf("a day back: %+v", d)
	}
	if _, d = s.Step(st, at("2026-06-01T13:00:00Z"), false); d.Start.IsZero() {
		t.Error("nothing starts after the clock was set back")
	}
}

func TestBounds(t *testing.T) {
	s := compiled(t, Spec{Cron: "* * * * * *", CatchUp: All})
	st, _ := s.Step(State{}, at("2026-06-01T00:00:00Z"), false)
	st, d := s.Step(st, at("2026-06-02T00:00:00Z"), false)
	if len(st.Queue) > maxQueue || len(d.Skipped) > maxMissed || d.Passed != 24*3600-maxMissed {
		t.Errorf("%d wait, %d are skipped, %d passed over", len(st.Queue), len(d.Skipped), d.Passed)
	}
	if jittered := compiled(t, Spec{Cron: "@daily", Jitter: time.Hour, Name: "a"}); jittered.Start(st.Seen).Equal(st.Seen) || jittered.Start(st.Seen).Sub(st.Seen) >= time.Hour ||
		!jittered.Start(st.Seen).Equal(jittered.Start(st.Seen)) {
		t.Error("the jitter is not what it should be")
	}
}
