package daemon

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amblecrawl/amble/crawler/history"
	"github.com/amblecrawl/amble/crawler/schedule"
)

// realClock is the clock of the bubble that a test runs in, whose time passes
// when everybody waits.
type realClock struct{}

func (realClock) Now() time.Time                         { return time.Now() }
func (realClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

func opened(t *testing.T, path string) *history.History {
	t.Helper()
	h, err := history.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func scheduled(t *testing.T, spec schedule.Spec) *schedule.Schedule {
	t.Helper()
	s, err := schedule.Compile(spec)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// takes is a crawl that takes some time and then ends well.
func takes(d time.Duration) func(context.Context, Occasion) Result {
	return func(ctx context.Context, o Occasion) Result {
		o.Named(fmt.Sprint("run-", o.Number))
		select {
		case <-time.After(d):
			return Result{Status: history.Finished, Summary: []byte(`{"pages":1}`)}
		case <-ctx.Done():
			return Result{Status: history.Stopped}
		}
	}
}

// live runs a daemon for a while, as a process that is told to stop would.
func live(t *testing.T, h *history.History, atOnce int, crawls []Crawl, do func(d *Daemon)) {
	t.Helper()
	d := New(Options{History: h, Clock: realClock{}, AtOnce: atOnce})
	if err := d.Set(t.Context(), crawls); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error)
	go func() { over <- d.Run(ctx) }()
	synctest.Wait()
	do(d)
	synctest.Wait()
	cancel()
	if err := <-over; err != nil {
		t.Error(err)
	}
}

func listed(t *testing.T, h *history.History, f history.Filter) []history.Run {
	t.Helper()
	f.Limit = 10_000
	runs, err := h.List(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	slices.Reverse(runs)
	return runs
}

// told is the history in short: status and reason.
func told(t *testing.T, h *history.History, crawl string) string {
	t.Helper()
	var out []string
	for _, r := range listed(t, h, history.Filter{Crawl: crawl}) {
		s := string(r.Status)
		if r.Reason != "" {
			s += " (" + r.Reason + ")"
		}
		out = append(out, s)
	}
	return strings.Join(out, ", ")
}

// Five crawls live through a week in which the daemon is stopped and started at
// any time: every occurrence is accounted for, once.
func TestWeek(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := opened(t, filepath.Join(t.TempDir(), "history.db"))
		defer h.Close()
		random := rand.New(rand.NewPCG(1, 2))
		specs := map[string]schedule.Spec{
			"hourly": {Cron: "0 * * * *", CatchUp: schedule.All}, "daily": {Cron: "30 6 * * *", Timezone: "Europe/Berlin"},
			"often": {Cron: "*/30 * * * *", Overlap: schedule.Queue, CatchUp: schedule.None}, "every": {Cron: "@every 77m", Overlap: schedule.Cancel},
			"jitter": {Cron: "15 */2 * * *", Jitter: 20 * time.Minute, Name: "jitter"},
		}
		var crawls []Crawl
		for name, spec := range specs {
			long := time.Duration(10+random.IntN(80)) * time.Minute
			if name == "often" {
				long = 35 * time.Minute
			}
			crawls = append(crawls, Crawl{Name: name, Schedule: scheduled(t, spec), Run: takes(long)})
		}
		begin := time.Now()
		for time.Since(begin) < 7*24*time.Hour {
			live(t, h, 3, crawls, func(*Daemon) { time.Sleep(time.Duration(1+random.IntN(40*60)) * time.Minute) })
			if random.IntN(3) == 0 {
				time.Sleep(time.Duration(random.IntN(5*60)) * time.Minute)
			}
		}
		lived := time.Now()
		for name, spec := range specs {
			s := scheduled(t, spec)
			seen := map[time.Time]int{}
			data, err := h.Recall(t.Context(), name)
			if err != nil {
				t.Fatal(err)
			}
			var left job
			if err := left.recall(data, time.Time{}); err != nil {
				t.Fatal(err)
			}
			for _, at := range left.state.Queue { // their turn is yet to come
				seen[at]++
			}
			counts := map[history.Status]int{}
			for _, r := range listed(t, h, history.Filter{Crawl: name}) {
				seen[r.Occurrence]++
				counts[r.Status]++
			}
			missing, n := 0, 0
			for at := s.Next(begin); s.Start(at).Before(lived.Add(-24 * time.Hour)); at = s.Next(at) {
				n++
				if seen[at] == 0 {
					missing++
				}
			}
			for at, times := range seen {
				if times != 1 {
					t.Errorf("%s: %v is accounted for %d times", name, at, times)
				}
			}
			if missing > 0 || counts[history.Finished] == 0 {
				t.Errorf("%s: %d of %d occurrences are not accounted for; %v", name, missing, n, counts)
			}
			t.Logf("%s: %v", name, counts)
		}
	})
}

func TestOneAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := opened(t, filepath.Join(t.TempDir(), "history.db"))
		defer h.Close()
		going, most := 0, 0
		lock := make(chan struct{}, 1)
		run := func(ctx context.Context, o Occasion) Result {
			lock <- struct{}{}
			going++
			most = max(most, going)
			<-lock
			defer func() { lock <- struct{}{}; going--; <-lock }()
			return takes(time.Minute)(ctx, o)
		}
		var crawls []Crawl
		for i := range 12 {
			crawls = append(crawls, Crawl{Name: fmt.Sprint("c", i), Schedule: scheduled(t, schedule.Spec{Cron: "@hourly"}), Run: run})
		}
		live(t, h, 3, crawls, func(*Daemon) { time.Sleep(70 * time.Minute) })
		runs := listed(t, h, history.Filter{})
		if len(runs) != 12 || most != 3 {
			t.Errorf("%d runs, at most %d at once", len(runs), most)
		}
		for _, r := range runs {
			if r.Status != history.Finished || string(r.Summary) != `{"pages":1}` || r.Run != fmt.Sprint("run-", r.Number) {
				t.Errorf("%+v", r)
			}
		}
	})
}

// What a daemon cuts off by ending goes on with the next one, as the same run;
// also when it died.
func TestCutOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "history.db")
		h := opened(t, path)
		defer h.Close()
		var again []bool
		crawl := Crawl{Name: "a", Run: func(ctx context.Context, o Occasion) Result {
			again = append(again, o.Again)
			return takes(2*time.Hour)(ctx, o)
		}}
		live(t, h, 1, []Crawl{crawl}, func(d *Daemon) {
			if err := d.Start("a"); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Hour)
		})
		if got := told(t, h, "a"); got != "suspended (the daemon ended)" {
			t.Error(got)
		}
		if err := h.Name(t.Context(), 1, "as if it had died", time.Now()); err != nil { // which says that it runs
			t.Error(err)
		}
		live(t, h, 1, []Crawl{crawl}, func(*Daemon) { time.Sleep(3 * time.Hour) })
		if got := told(t, h, "a"); got != "finished" || !slices.Equal(again, []bool{false, true}) {
			t.Errorf("%s; again: %v", got, again)
		}
	})
}

func TestCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := opened(t, filepath.Join(t.TempDir(), "history.db"))
		defer h.Close()
		crawls := []Crawl{
			{Name: "a", Schedule: scheduled(t, schedule.Spec{Cron: "@hourly"}), Run: takes(time.Minute)},
			{Name: "late", Deadline: time.Minute, Run: takes(time.Hour)},
			{Name: "panics", Run: func(context.Context, Occasion) Result { panic("bug") }},
		}
		live(t, h, 5, crawls, func(d *Daemon) {
			expect := func(err, want error) {
				t.Helper()
				if !errors.Is(err, want) {
					t.Errorf("%v, want %v", err, want)
				}
			}
			expect(d.Stop("a"), ErrIdle)
			expect(d.Start("b"), ErrUnknown)
			expect(d.Pause("a"), nil)
			time.Sleep(150 * time.Minute) // two occurrences pass
			expect(d.Resume("a"), nil)
			time.Sleep(60 * time.Minute)
			expect(d.Start("a"), nil)
			synctest.Wait()
			expect(d.Start("a"), ErrRunning)
			if s := d.Status()[0]; s.Running == 0 || s.Paused || s.Next.IsZero() {
				t.Errorf("%+v", s)
			}
			expect(d.Stop("a"), nil)
			expect(d.Start("late"), nil)
			expect(d.Start("panics"), nil)
			time.Sleep(2 * time.Minute)
			if err := d.Set(t.Context(), crawls[1:]); err != nil {
				t.Error(err)
			}
			expect(d.Start("a"), ErrUnknown)
			time.Sleep(2 * time.Hour)
		})
		for name, want := range map[string]string{
			"a":      "skipped (paused), skipped (paused), finished, interrupted (somebody stopped it)",
			"late":   "interrupted (it took longer than its deadline)",
			"panics": "failed (a fault in amble: bug)",
		} {
			if got := told(t, h, name); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
	})
}

// Each crawl has its own bounds of what is remembered.
func TestForgets(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := opened(t, filepath.Join(t.TempDir(), "history.db"))
		defer h.Close()
		hourly := scheduled(t, schedule.Spec{Cron: "@hourly"})
		live(t, h, 3, []Crawl{
			{Name: "few", Schedule: hourly, Run: takes(time.Minute), KeepRuns: 2},
			{Name: "short", Schedule: hourly, Run: takes(time.Minute), KeepFor: 4*time.Hour + time.Minute},
			{Name: "all", Schedule: hourly, Run: takes(time.Minute)},
		}, func(*Daemon) { time.Sleep(9*time.Hour + 30*time.Minute) })
		for name, want := range map[string]int{"few": 2, "short": 5, "all": 10} {
			if got := len(listed(t, h, history.Filter{Crawl: name})); got < want-1 || got > want {
				t.Errorf("%s: %d runs are left, want %d", name, got, want)
			}
		}
	})
}

// A new schedule counts from when it came: what it would have had before is not
// missed.
func TestRescheduled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := opened(t, filepath.Join(t.TempDir(), "history.db"))
		defer h.Close()
		at := func(cron string) []Crawl {
			return []Crawl{{Name: "a", Schedule: scheduled(t, schedule.Spec{Cron: cron}), Run: takes(time.Minute)}}
		}
		live(t, h, 1, at("0 6 * * *"), func(d *Daemon) {
			time.Sleep(12 * time.Hour)
			if err := d.Set(t.Context(), at("0 9 * * *")); err != nil {
				t.Error(err)
			}
			time.Sleep(time.Hour)
		})
		live(t, h, 1, at("0 10 * * *"), func(*Daemon) { time.Sleep(time.Hour) })
		if got := told(t, h, "a"); got != "finished" {
			t.Errorf("%s", got)
		}
	})
}

// A crawl that no config has any more is forgotten, also by a daemon that nobody touches.
func TestForgetsStrangers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := opened(t, filepath.Join(t.TempDir(), "history.db"))
		defer h.Close()
		hourly := scheduled(t, schedule.Spec{Cron: "@hourly"})
		here := Crawl{Name: "here", Schedule: hourly, Run: takes(time.Minute)}
		gone := Crawl{Name: "gone", Schedule: hourly, Run: takes(time.Minute)}
		live(t, h, 3, []Crawl{here, gone}, func(*Daemon) { time.Sleep(150 * time.Minute) })
		d := New(Options{History: h, Clock: realClock{}, KeepFor: 12 * time.Hour})
		if err := d.Set(t.Context(), []Crawl{here}); err != nil {
			t.Fatal(err)
		}
		if n := len(listed(t, h, history.Filter{Crawl: "gone"})); n < 2 {
			t.Errorf("%d runs are known while they are young", n)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Hour)
		defer cancel()
		if err := d.Run(ctx); err != nil {
			t.Error(err)
		}
		if n := len(listed(t, h, history.Filter{Crawl: "gone"})); n > 0 {
			t.Errorf("%d runs are known a day later", n)
		}
		if n := len(listed(t, h, history.Filter{Crawl: "here"})); n < 12 {
			t.Errorf("%d runs of the other are known", n)
		}
	})
}
