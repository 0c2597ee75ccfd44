package cmd

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// A run that had ended when its process was killed is told of by the next one, which
// fetches nothing; the one after begins anew.
func TestEndOfAKilledRunIsTold(t *testing.T) {
	t.Parallel()
	var asked atomic.Int64
	var slow atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		if slow.Load() && r.URL.Path != "/robots.txt" {
			time.Sleep(time.Minute)
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = fmt.Fprint(w, "<h1>x</h1>")
	}))
	defer server.CloseClientConnections()
	dir := t.TempDir()
	text := "name: told\nseeds: ['" + server.URL + "/']\npoliteness: {contact: a@b.example, delay: 0s}\nfetch: {allow_private: true}\nextract: {page: {fields: {title: {css: h1}}}}\nrevisit: {mode: adaptive, output: changes}\noutput: [{jsonl: out.jsonl}]\n"
	if err := os.WriteFile(filepath.Join(dir, "c.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	marker := filepath.Join(dir, ".amble", "told", "untold")
	run := func(flags ...string) (id, said string) {
		t.Helper()
		said, err := ambleIn(t, dir, nil, append([]string{"run", "c.yaml", "--summary", "sum.json"}, flags...)...)
		if err != nil {
			t.Fatalf("%v\n%s", err, said)
		}
		var s struct{ Run, Status string }
		if data, err := os.ReadFile(filepath.Join(dir, "sum.json")); err != nil || json.Unmarshal(data, &s) != nil || s.Status != "finished" {
			t.Fatalf("%v, %+v", err, s)
		}
		if _, err := os.Stat(marker); err == nil {
			t.Error("a run that was told of is still to be told of")
		}
		return s.Run, said
	}
	first, _ := run()
	requests := asked.Load()
	if err := os.WriteFile(marker, []byte(first), 0o600); err != nil { // as a kill before the exit leaves it
		t.Fatal(err)
	}
	again, said := run()
	records, err := os.ReadFile(filepath.Join(dir, "out.jsonl"))
	if again != first || asked.Load() != requests || !strings.Contains(said, "had ended when its process was killed") || err != nil || strings.Count(string(records), "\n") != 1 {
		t.Errorf("run %s after %s, %d requests: %s\n%v %s", again, first, asked.Load()-requests, said, err, records)
	}
	if next, said := run(); next == first || strings.Contains(said, "killed") {
		t.Errorf("the one after is %s: %s", next, said)
	}
	// It is noted before the first request; a run that is to begin anew does.
	slow.Store(true)
	cmd := exec.Command("amble", "run", "c.yaml", "--fresh")
	cmd.Dir = dir
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for began := time.Now(); ; time.Sleep(10 * time.Millisecond) {
		if noted, err := os.ReadFile(marker); err == nil && len(noted) > 0 {
			break
		}
		if time.Since(began) > time.Minute {
			t.Fatal("nothing is noted")
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	slow.Store(false)
	server.CloseClientConnections()
	resumed, said := run()
	if strings.Contains(said, "had ended") {
		t.Errorf("an unfinished run is told of as ended: %s", said)
	}
	if err := os.WriteFile(marker, []byte(resumed), 0o600); err != nil {
		t.Fatal(err)
	}
	if fresh, _ := run("--fresh"); fresh == resumed {
		t.Error("--fresh tells of an earlier run")
	}
}
