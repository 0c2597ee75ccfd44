package frontier

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/amblecrawl/amble/crawler"
)

// TestMigrate opens a state that the first version of the program made, and one
// on which a process died on the way to the next format.
func TestMigrate(t *testing.T) {
	want := crawler.FrontierStats{Queued: 22, Settled: 8, Seen: 30, Hosts: 3, NextDueUnix: 1767323045000000000}
	for _, name := range []string{"format 1", "just begun", "rows are changed"} {
		t.Run(name, func(t *testing.T) {
			o := Options{Dir: oldState(t), Crawl: "shop"}
			if name == "rows are changed" {
				_ = mustOpen(t, o).Close()
			}
			if name != "format 1" {
				f := folder{fs: Options{}.withDefaults().FS, dir: o.Dir}
				if err := f.identify(Identity{Format: 2, Crawl: "shop", Version: "0.1.0", Migrating: 1}); err != nil {
					t.Fatal(err)
				}
			}
			f := mustOpen(t, o)
			if got := f.Stats(); got != want {
				t.Errorf("it holds %+v, want %+v", got, want)
			}
			if v, err := f.Get("debts/https://h1.example"); string(v) != "owed" || err != nil {
				t.Errorf("a value is %q, %v", v, err)
			}
			mustCommit(t, f, &crawler.Batch{Found: []crawler.Request{req(t, "https://h9.example/"), req(t, "https://h1.example/page/3")}})
			if err := f.Close(); err != nil {
				t.Fatal(err)
			}
			if id, err := Peek(o.Dir); err != nil || id != (Identity{Format: format, Crawl: "shop", Version: "0.1.0"}) {
				t.Errorf("its identity is %+v, %v", id, err)
			}
			checked, r, err := Check(t.Context(), o.Dir)
			if err != nil || len(checked.Problems) > 0 {
				t.Fatalf("check: %+v, %v", checked, err)
			}
			if n, at := r.LastCommit(); n != 1 || at.IsZero() {
				t.Errorf("the last commit is %d of %v", n, at)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func oldState(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "state")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("testdata", "format1"))); err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestReadOld reads a state of an older format and leaves it as it is.
func TestReadOld(t *testing.T) {
	dir := oldState(t)
	checked, r, err := Check(t.Context(), dir)
	if err != nil || len(checked.Problems) > 0 {
		t.Fatalf("check: %+v, %v", checked, err)
	}
	c, err := r.Census(t.Context())
	if err != nil || c.Seen != 30 || c.Settled != 8 || c.Queued != 21 || c.Retry != 1 || c.Outcomes[crawler.ClassFetched] != 8 || c.Busy != 3 {
		t.Errorf("%+v, %v", c, err)
	}
	_ = r.Close()
	if id, err := Peek(dir); err != nil || id.Format != 1 {
		t.Errorf("its identity is %+v, %v", id, err)
	}
}

// Every format before this one has its step.
func TestMigrationsAreThere(t *testing.T) {
	for n := 1; n < format; n++ {
		if migrations[n] == nil {
			t.Errorf("no migration from format %d", n)
		}
	}
}
