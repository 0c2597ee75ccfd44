package cmd

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler/frontier"
	"github.com/amblecrawl/amble/crawler/history"
	"github.com/amblecrawl/amble/crawler/schedule"
	"github.com/amblecrawl/amble/fixtures"
)

// soakMemory is the most that a daemon with five small crawls may take.
const soakMemory = 256 << 20

// judge expects of what is left that nothing was lost, repeated or asked for too early.
func (s *soak) judge(t *testing.T) {
	t.Helper()
	h, err := history.OpenReader(t.Context(), filepath.Join(s.dir, ".amble", "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	calm := s.undisturbed(t)
	for i := range soakCrawls {
		c := &soakCrawls[i]
		runs := s.runs(t, h, c)
		s.judgeTimes(t, h, c, runs)
		s.judgeRecords(t, c, runs, calm[c.name])
		s.judgeState(t, c)
	}
	rules := s.web.Rules("soakbot", soakDelay, 1)
	rules.Delays = map[string]time.Duration{"quotes.example": soakQuotes}
	for _, v := range s.web.Account().Violations(rules) {
		t.Error(v)
	}
	requests := 0
	for _, host := range s.web.Account().Hosts() {
		requests += host.Requests
	}
	tell(t, "requests seen by the servers", requests)
	tell(t, "lives of the daemon", s.lives)
	s.judgeGrowth(t)
}

// runs are all of a crawl, the earliest first.
func (s *soak) runs(t *testing.T, h *history.History, c *soakCrawl) (runs []history.Run) {
	t.Helper()
	runs, err := h.List(t.Context(), history.Filter{Crawl: c.name, Limit: 10_000})
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(runs)
	return runs
}

// judgeTimes expects every occurrence in the history, once, and no run to be left in
// the middle but the last.
func (s *soak) judgeTimes(t *testing.T, h *history.History, c *soakCrawl, runs []history.Run) {
	t.Helper()
	spec := c.spec
	spec.Name = c.name
	sched, err := schedule.Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	data, err := h.Recall(t.Context(), c.name)
	if err != nil {
		t.Fatal(err)
	}
	var state schedule.State
	if err := json.Unmarshal(data, &state); err != nil {
		t.Fatalf("%s: %v in %q", c.name, err, data)
	}
	times, how := map[time.Time]int{}, map[string]int{}
	for _, at := range state.Queue { // its turn is yet to come
		times[at]++
		how["queued at the end"]++
	}
	unended := 0
	for _, r := range runs {
		times[r.Occurrence.UTC()]++
		what := string(r.Status)
		if r.Reason != "" {
			what += " (" + r.Reason + ")"
		}
		how[what]++
		if !r.Ended.IsZero() && r.Status != history.Suspended {
			continue
		}
		if unended++; unended > 1 {
			t.Errorf("%s: run %d is %s beside another that has not ended", c.name, r.Number, r.Status)
		}
	}
	// Each occurrence follows from the one before.
	all := slices.SortedFunc(maps.Keys(times), time.Time.Compare)
	for i, at := range all {
		if times[at] != 1 {
			t.Errorf("%s: %v is accounted for %d times", c.name, at, times[at])
		}
		if i > 0 && !sched.Next(all[i-1]).Equal(at) {
			t.Errorf("%s: after %v comes %v, want %v", c.name, all[i-1], at, sched.Next(all[i-1]))
		}
	}
	if len(all) == 0 || all[0].After(sched.Next(s.began)) || !all[len(all)-1].Equal(state.Seen) {
		t.Errorf("%s: the %d occurrences do not reach from %v to %v", c.name, len(all), s.began, state.Seen)
	}
	tell(t, c.name+": occurrences", len(all))
	for _, what := range slices.Sorted(maps.Keys(how)) {
		tell(t, c.name+": "+what, how[what])
	}
}

// undisturbed gives the records of each crawl when it is left alone.
func (s *soak) undisturbed(t *testing.T) map[string]map[string]int {
	t.Helper()
	web, err := fixtures.Start(t.Context(), fixtures.Options{Hosts: contentHosts})
	if err != nil {
		t.Fatal(err)
	}
	defer web.Close()
	all := map[string]map[string]int{}
	for i := range soakCrawls {
		c := &soakCrawls[i]
		f := &fixtureCrawl{web: web, dir: t.TempDir(), config: filepath.Join(t.TempDir(), "crawl.yaml")}
		if err := os.WriteFile(f.config, []byte(c.config(web)), 0o600); err != nil {
			t.Fatal(err)
		}
		f.run(t, "--set", "politeness.delay=1ms", "--set", "politeness.hosts=null")
		all[c.name] = recordsBelow(t, filepath.Join(filepath.Dir(f.config), c.name, "*"))
		if len(all[c.name]) == 0 {
			t.Errorf("%s has no record", c.name)
		}
	}
	return all
}

// recordsBelow counts the records of a run by what they say.
func recordsBelow(t *testing.T, folder string) map[string]int {
	t.Helper()
	files, _ := filepath.Glob(filepath.Join(folder, "*.jsonl")) // the pattern is a good one
	all := map[string]int{}
	for _, file := range files {
		maps.Copy(all, withoutTimes(t, readLines(t, file))) // the type is part of a record
	}
	return all
}

// judgeRecords expects a run that finished to have the records of an undisturbed one,
// and any other none that it has not, nor one twice.
func (s *soak) judgeRecords(t *testing.T, c *soakCrawl, runs []history.Run, want map[string]int) {
	t.Helper()
	finished := map[string]bool{}
	for _, r := range runs {
		if r.Run != "" {
			finished[r.Run] = finished[r.Run] || r.Status == history.Finished
		}
	}
	whole := 0
	for run, done := range finished {
		got := recordsBelow(t, filepath.Join(s.dir, c.name, run))
		if done {
			whole++
			compareCounts(t, c.name+", run "+run, got, want)
			continue
		}
		for text, n := range got {
			if n > want[text] {
				t.Errorf("%s, run %s: %d of %s, undisturbed %d", c.name, run, n, text, want[text])
			}
		}
	}
	if whole == 0 && c.deadline == "" {
		t.Errorf("%s has never finished", c.name)
	}
	folders, _ := filepath.Glob(filepath.Join(s.dir, c.name, "*")) // the pattern is a good one
	for _, folder := range folders {
		// A run killed before its first commit is begun anew; its files are there, and empty.
		if _, known := finished[filepath.Base(folder)]; !known && len(recordsBelow(t, folder)) > 0 {
			t.Errorf("%s: there are records of run %s, which the history does not know", c.name, filepath.Base(folder))
		}
	}
	tell(t, c.name+": runs with equal records", whole)
}

// judgeState expects the state to be free, and all in it to be accounted for.
func (s *soak) judgeState(t *testing.T, c *soakCrawl) {
	t.Helper()
	f, err := frontier.Open(frontier.Options{Dir: filepath.Join(s.dir, ".amble", c.name), Crawl: c.name})
	if err != nil {
		t.Errorf("%s: its state is not free: %v", c.name, err)
		return
	}
	defer f.Close()
	accounted(t, f)
}

// judgeGrowth expects what the daemon takes to be bounded, and in the life that was left
// alone not to grow: the least of its last third is that of a daemon at rest.
func (s *soak) judgeGrowth(t *testing.T) {
	t.Helper()
	var memory, goroutines int64
	var calm []soakSample
	for _, one := range s.samples {
		memory, goroutines = max(memory, one.memory), max(goroutines, one.goroutines)
		if one.life == s.lives {
			calm = append(calm, one)
		}
	}
	t.Logf("%d samples: at most %d MiB resident and %d goroutines", len(s.samples), memory>>20, goroutines)
	if memory > soakMemory && !raceDetector() {
		t.Errorf("the daemon took %d MiB", memory>>20)
	}
	if goroutines > 1000 || len(s.samples) == 0 {
		t.Errorf("%d goroutines, in %d samples", goroutines, len(s.samples))
	}
	third := len(calm) / 3
	if third < 120 { // all schedules come round, and garbage is collected once at least
		return
	}
	for what, of := range map[string]func(soakSample) int64{
		"goroutines": func(x soakSample) int64 { return x.goroutines },
		"open files": func(x soakSample) int64 { return x.files },
		// Not of what is resident: what the C library keeps of stores that were closed
		// grows to its bound, which takes a while.
		"KiB of heap": func(x soakSample) int64 { return x.heap >> 10 },
	} {
		least := func(part []soakSample) int64 {
			return of(slices.MinFunc(part, func(a, b soakSample) int { return int(of(a) - of(b)) }))
		}
		before, after := least(calm[:third]), least(calm[2*third:])
		t.Logf("left alone for %v, at rest: %d %s in its first third, %d in its last", calm[len(calm)-1].at.Sub(calm[0].at).Round(time.Second), before, what, after)
		if after > before+before/2+20 {
			t.Errorf("it grows: %s at rest were %d and are %d", what, before, after)
		}
	}
}
