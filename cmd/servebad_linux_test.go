package cmd

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler/history"
)

// onePageEachSecond is a folder with a crawl of one page, due each second, whose records
// lie in a file for each run.
func onePageEachSecond(t *testing.T) (dir string) {
	t.Helper()
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		fmt.Fprint(w, "<h1>x</h1>")
	}))
	t.Cleanup(web.Close)
	dir = t.TempDir()
	write(t, filepath.Join(dir, "a.yaml"), "seeds: ['"+web.URL+"/']\npoliteness: {contact: a@b.example, delay: 1ms}\nfetch: {allow_private: true}\n"+
		"extract: {page: {fields: {title: {css: h1}}}}\noutput: [{jsonl: 'out/{run}.jsonl'}]\nschedule: '* * * * * *'\n")
	return dir
}

func runsWritten(dir string) int {
	files, _ := filepath.Glob(filepath.Join(dir, "out", "*.jsonl")) // the pattern is a good one
	return len(files)
}

// A history that cannot be written to stops no crawl, and is written again once there is
// room.
func TestServeFullDisk(t *testing.T) {
	t.Parallel()
	dir := onePageEachSecond(t)
	disk := filepath.Join(dir, "disk")
	grow := mountSmall(t, disk, "size=1m")
	file := filepath.Join("disk", "history.db")
	s := startServe(t, dir, "--history", file)
	awaiting(t, "a run", func() bool { return len(runsOf(t, dir, "--history", file, "--no-skipped")) > 0 })
	filler, err := os.Create(filepath.Join(disk, "filler"))
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 4096)
	for err == nil {
		_, err = filler.Write(block)
	}
	_ = filler.Close() // it is as full as it gets
	awaiting(t, "word of the full disk\n"+tail(&s.err), func() bool { return strings.Contains(s.err.String(), "the history of runs could not be written") })
	before := runsWritten(dir)
	awaiting(t, "runs that go on\n"+tail(&s.err), func() bool { return runsWritten(dir) >= before+2 })
	grow()
	kept := len(runsOf(t, dir, "--history", file))
	awaiting(t, "runs in the history again\n"+tail(&s.err), func() bool {
		runs := runsOf(t, dir, "--history", file)
		return len(runs) >= kept+3 && runs[len(runs)-2].Status == history.Finished
	})
	if err := s.stop(syscall.SIGTERM); err != nil {
		t.Errorf("%v\n%s", err, tail(&s.err))
	}
	eachSecond(t, runsOf(t, dir, "--history", file, "--limit", "10000"))
	for line := range strings.Lines(s.err.String()) {
		if strings.Contains(line, "panic") || strings.Contains(line, "a fault in amble") {
			t.Error(line)
		}
	}
}

// eachSecond checks that a crawl of each second has each occurrence once, and that none
// but the last may have been cut off.
func eachSecond(t *testing.T, runs []history.Run) {
	t.Helper()
	slices.SortFunc(runs, func(a, b history.Run) int { return a.Occurrence.Compare(b.Occurrence) })
	for i, r := range runs {
		if i > 0 && r.Occurrence.Sub(runs[i-1].Occurrence) != time.Second {
			t.Errorf("run %d was due %v, the one before %v", r.Number, r.Occurrence, runs[i-1].Occurrence)
		}
		if r.Ended.IsZero() || r.Status == history.Suspended && i < len(runs)-1 {
			t.Errorf("run %d has no end: %+v", r.Number, r)
		}
	}
}

// A damaged history is kept, and a new one begins.
func TestServeDamagedHistory(t *testing.T) {
	t.Parallel()
	dir := onePageEachSecond(t)
	rubbish := strings.Repeat("this is no history of runs\n", 100)
	if err := os.MkdirAll(filepath.Join(dir, ".amble"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, ".amble", "history.db"), rubbish)
	s := startServe(t, dir)
	awaiting(t, "a run in a new history\n"+tail(&s.err), func() bool { return len(runsOf(t, dir, "--no-skipped")) > 1 })
	if err := s.stop(syscall.SIGTERM); err != nil {
		t.Errorf("%v\n%s", err, tail(&s.err))
	}
	kept, _ := filepath.Glob(filepath.Join(dir, ".amble", "history.db.broken-*")) // the pattern is a good one
	if len(kept) != 1 || !strings.Contains(s.err.String(), "damaged") {
		t.Fatalf("%v is kept\n%s", kept, tail(&s.err))
	}
	if text, err := os.ReadFile(kept[0]); err != nil || string(text) != rubbish {
		t.Errorf("what is kept is not what there was: %v", err)
	}
}
