package cmd

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/amblecrawl/amble/crawler/history"
)

// A daemon is killed between the last commit of a run and the history's word of it: the
// next one tells how that run ended, and does not crawl a second time for it.
func TestServeOwesAnEnd(t *testing.T) {
	t.Parallel()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprintf(w, "<h1>%s</h1>", r.URL.Path)
	}))
	defer web.Close()
	dir := t.TempDir()
	config := `
seeds: ["` + web.URL + `/"]
politeness: {contact: a@b.example, delay: 0s}
fetch: {allow_private: true}
extract: {page: {fields: {title: {css: h1}}}}
output: [{jsonl: "out/{run}.jsonl"}]
schedule: {cron: "%s"}
`
	write := func(cron string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, "a.yaml"), fmt.Appendf(nil, config, cron), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	finished := func() (runs []history.Run) {
		return slices.DeleteFunc(runsOf(t, dir, "--no-skipped"), func(r history.Run) bool { return r.Status != history.Finished })
	}
	write("* * * * * *")
	s := startServe(t, dir)
	awaiting(t, "a run", func() bool { return len(finished()) > 0 })
	write("0 0 1 1 *")
	if err := s.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	awaiting(t, "the new schedule, and an end of all runs", func() bool {
		runs := runsOf(t, dir, "--no-skipped")
		return strings.Contains(s.err.String(), "the configs were read again") && len(runs) == len(finished())
	})
	if err := s.stop(syscall.SIGTERM); err != nil {
		t.Errorf("%v\n%s", err, &s.err)
	}
	runs := finished()
	last := runs[len(runs)-1]
	db, err := sql.Open("sqlite", filepath.Join(dir, ".amble", "history.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(`UPDATE runs SET status = 'running', ended = 0, summary = NULL WHERE number = ?`, last.Number); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}

	s = startServe(t, dir)
	awaiting(t, "its end\n"+s.err.String(), func() bool { return len(finished()) == len(runs) })
	if err := s.stop(syscall.SIGTERM); err != nil {
		t.Errorf("%v\n%s", err, &s.err)
	}
	got := finished()[len(runs)-1]
	if got.Number != last.Number || got.Run != last.Run {
		t.Errorf("run %d of the history is %s, want number %d, %s", got.Number, got.Run, last.Number, last.Run)
	}
	var was, is struct{ Pages, Requests int64 }
	if err := errors.Join(json.Unmarshal(last.Summary, &was), json.Unmarshal(got.Summary, &is)); err != nil {
		t.Fatal(err)
	}
	if was != is || is.Pages != 1 {
		t.Errorf("its summary tells of %+v, and told of %+v", is, was)
	}
	if files, _ := filepath.Glob(filepath.Join(dir, "out", "*.jsonl")); len(files) != len(runs) {
		t.Errorf("%d runs have left %d files", len(runs), len(files))
	}
}
