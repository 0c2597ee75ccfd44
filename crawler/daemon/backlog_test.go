package daemon

import (
	"database/sql"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amblecrawl/amble/crawler/history"
	"github.com/amblecrawl/amble/crawler/schedule"
)

// stuck lets a history take nothing more, as a full disk does, until the returned
// function is called.
func stuck(t *testing.T, path string) (mend func()) {
	t.Helper()
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	do := func(statement string) {
		t.Helper()
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	for _, op := range []string{"INSERT ON runs", "UPDATE ON runs", "INSERT ON crawls"} {
		do(`CREATE TRIGGER "` + op + `" BEFORE ` + op + ` BEGIN SELECT RAISE(ABORT, 'no room'); END`)
	}
	return func() {
		for _, op := range []string{"INSERT ON runs", "UPDATE ON runs", "INSERT ON crawls"} {
			do(`DROP TRIGGER "` + op + `"`)
		}
		_ = db.Close()
	}
}

// accounted checks that every occurrence of a schedule of each ten seconds is there
// once, and that runs that finished have what they came to.
func accounted(t *testing.T, runs []history.Run) {
	t.Helper()
	slices.SortFunc(runs, func(a, b history.Run) int { return a.Occurrence.Compare(b.Occurrence) })
	for i, r := range runs {
		if i > 0 && r.Occurrence.Sub(runs[i-1].Occurrence) != 10*time.Second {
			t.Errorf("run %d was due %v, the one before %v", r.Number, r.Occurrence, runs[i-1].Occurrence)
		}
		if r.Status == history.Finished && (r.Run == "" || string(r.Summary) != `{"pages":1}` || r.Ended.Sub(r.Started) != 2*time.Second) {
			t.Errorf("run %d has not all that it came to: %+v", r.Number, r)
		}
	}
}

// What a history could not take for a while is in it afterwards: runs that ended
// meanwhile, runs that began, and what was skipped.
func TestHistoryStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "history.db")
		h := opened(t, path)
		defer func() { _ = h.Close() }()
		crawl := Crawl{Name: "a", Run: takes(2 * time.Second), Schedule: scheduled(t, schedule.Spec{Cron: "@every 10s"})}
		live(t, h, 4, []Crawl{crawl}, func(d *Daemon) {
			time.Sleep(21 * time.Second) // the second run goes on
			mend := stuck(t, path)
			time.Sleep(15 * time.Second)
			if s := d.Status()[0]; !strings.Contains(s.Unkept, "no room") {
				t.Errorf("the status says %+v, not that the history is stuck", s)
			}
			if err := d.Pause("a"); err != nil {
				t.Error(err)
			}
			time.Sleep(10 * time.Second)
			if err := d.Resume("a"); err != nil {
				t.Error(err)
			}
			mend()
			time.Sleep(11 * time.Second)
			if s := d.Status()[0]; s.Unkept != "" {
				t.Errorf("the status still says %q", s.Unkept)
			}
			time.Sleep(10 * time.Second)
		})
		runs := listed(t, h, history.Filter{Crawl: "a"})
		accounted(t, runs)
		const want = "finished, finished, finished, skipped (paused), finished, finished"
		if got := told(t, h, "a"); got != want {
			t.Errorf("the history has %s; want %s", got, want)
		}
	})
}

// A daemon that ends before its history takes anything loses no occurrence either:
// the next one finds them missed.
func TestEndsWhileHistoryStuck(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "history.db")
		h := opened(t, path)
		defer func() { _ = h.Close() }()
		crawl := Crawl{Name: "a", Run: takes(2 * time.Second), Schedule: scheduled(t, schedule.Spec{Cron: "@every 10s"})}
		var mend func()
		live(t, h, 4, []Crawl{crawl}, func(*Daemon) {
			time.Sleep(15 * time.Second)
			mend = stuck(t, path)
			time.Sleep(120 * time.Second)
		})
		mend()
		live(t, h, 4, []Crawl{crawl}, func(*Daemon) { time.Sleep(15 * time.Second) })
		accounted(t, listed(t, h, history.Filter{Crawl: "a"}))
		if got := told(t, h, "a"); !strings.HasPrefix(got, "finished, skipped (missed), ") {
			t.Errorf("the history has %s", got)
		}
	})
}
