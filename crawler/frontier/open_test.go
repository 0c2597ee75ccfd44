package frontier

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

func mustOpen(t testing.TB, o Options) *Frontier {
	t.Helper()
	if o.Crawl == "" {
		o.Crawl = "shop"
	}
	f, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func req(t testing.TB, raw string) crawler.Request {
	t.Helper()
	r, err := parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func parse(raw string) (crawler.Request, error) {
	u, err := urls.Parse(raw)
	return crawler.Request{URL: u, Key: (&urls.Canon{}).Key(u)}, err
}

func mustCommit(t testing.TB, f *Frontier, b *crawler.Batch) crawler.CommitResult {
	t.Helper()
	res, err := f.Commit(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return res
}

// expect checks an error's kind and that its text has all the words.
func expect(t *testing.T, err, kind error, words ...string) {
	t.Helper()
	if !errors.Is(err, kind) {
		t.Fatalf("got %v, want %v", err, kind)
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("error %q does not name %q", err, w)
		}
	}
}

func TestForeignStates(t *testing.T) {
	t.Run("another crawl", func(t *testing.T) {
		o := Options{Dir: filepath.Join(t.TempDir(), "a", "b"), Crawl: "shop"}
		_ = mustOpen(t, o).Close()
		o.Crawl = "news"
		_, err := Open(o)
		expect(t, err, crawler.ErrForeignState, o.Dir, `"shop"`, `"news"`)
		o.Fresh = true // discards only what is its own
		_, err = Open(o)
		expect(t, err, crawler.ErrForeignState)
	})
	t.Run("newer version", func(t *testing.T) {
		o := Options{Dir: t.TempDir(), Crawl: "shop"}
		_ = mustOpen(t, o).Close()
		identity := fmt.Sprintf(`{"format":%d,"crawl":"shop","version":"9.1.0","more":true}`, format+1)
		write(t, filepath.Join(o.Dir, identityFile), identity)
		_, err := Open(o)
		expect(t, err, crawler.ErrForeignState, "newer version", "9.1.0")
	})
	t.Run("not a state", func(t *testing.T) {
		o := Options{Dir: t.TempDir(), Crawl: "shop", Fresh: true}
		precious := filepath.Join(o.Dir, "thesis.tex")
		write(t, precious, "years of work")
		_, err := Open(o)
		expect(t, err, ErrNotState, "thesis.tex")
		if _, err := os.Stat(precious); err != nil {
			t.Error("a folder that is no state was changed")
		}
	})
	t.Run("damaged identity", func(t *testing.T) {
		for _, text := range []string{"{", "", "gone"} {
			o := Options{Dir: t.TempDir(), Crawl: "shop"}
			_ = mustOpen(t, o).Close()
			write(t, filepath.Join(o.Dir, identityFile), text)
			if text == "gone" {
				_ = os.Remove(filepath.Join(o.Dir, identityFile))
			}
			_, err := Open(o)
			expect(t, err, ErrDamaged, o.Dir, identityFile)
			o.Fresh = true // gives up what is surely a state
			precious := filepath.Join(o.Dir, storeDir, "thesis.tex")
			write(t, precious, "years of work")
			_, err = Open(o)
			expect(t, err, ErrNotState, identityFile, "thesis.tex")
			if err := os.Remove(precious); err != nil {
				t.Fatal(err)
			}
			if s := mustOpen(t, o).Stats(); s.Seen != 0 {
				t.Errorf("fresh kept %+v", s)
			}
		}
	})
	t.Run("a file", func(t *testing.T) {
		o := Options{Dir: filepath.Join(t.TempDir(), "file"), Crawl: "shop"}
		write(t, o.Dir, "")
		_, err := Open(o)
		if err == nil || !strings.Contains(err.Error(), o.Dir) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no name", func(t *testing.T) {
		if _, err := Open(Options{Dir: t.TempDir()}); err == nil {
			t.Error("opened without the name of a crawl")
		}
	})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestDamagedStore overwrites each kind of store file in turn.
func TestDamagedStore(t *testing.T) {
	for _, pattern := range []string{"MANIFEST-*", "*.sst", "OPTIONS-*", "marker.manifest*"} {
		t.Run(pattern, func(t *testing.T) {
			o := Options{Dir: t.TempDir(), Crawl: "shop"}
			f := mustOpen(t, o)
			mustCommit(t, f, &crawler.Batch{Found: []crawler.Request{req(t, "https://h.example/")}})
			if err := f.store.db.Flush(); err != nil {
				t.Fatal(err)
			}
			_ = f.Close()
			files, _ := filepath.Glob(filepath.Join(o.Dir, storeDir, pattern))
			if len(files) == 0 {
				t.Fatalf("the store has no %s", pattern)
			}
			for _, name := range files {
				if strings.HasPrefix(pattern, "marker") {
					if err := os.Rename(name, name[:len(name)-1]+"9"); err != nil {
						t.Fatal(err)
					}
					continue
				}
				write(t, name, strings.Repeat("not what it was ", 100))
			}
			f, err := Open(o)
			if err == nil { // some damage shows at the first read
				_, err = f.Lease(t.Context(), 1)
				_ = f.Close()
			}
			if err == nil || !strings.Contains(err.Error(), o.Dir) {
				t.Fatalf("a damaged store gave %v", err)
			}
			o.Fresh = true
			if got := mustOpen(t, o).Stats(); got.Seen != 0 {
				t.Errorf("fresh kept %+v", got)
			}
		})
	}
}

func TestFresh(t *testing.T) {
	o := Options{Dir: t.TempDir(), Crawl: "shop", Version: "1.2.3"}
	f := mustOpen(t, o)
	mustCommit(t, f, &crawler.Batch{Found: []crawler.Request{req(t, "https://h.example/")}, Put: map[string][]byte{"a": {1}}})
	_ = f.Close()
	f = mustOpen(t, o)
	if f.Stats().Seen != 1 {
		t.Fatal("the state was not kept")
	}
	_ = f.Close()
	// A process that died while discarding leaves this.
	if err := os.Rename(filepath.Join(o.Dir, identityFile), filepath.Join(o.Dir, discardFile)); err != nil {
		t.Fatal(err)
	}
	f = mustOpen(t, o)
	if f.Stats().Seen != 0 {
		t.Fatal("a discarded state came back")
	}
	mustCommit(t, f, &crawler.Batch{Found: []crawler.Request{req(t, "https://h.example/")}, Put: map[string][]byte{"a": {1}}})
	_ = f.Close()
	o.Fresh = true
	f = mustOpen(t, o)
	if v, err := f.Get("a"); f.Stats() != (crawler.FrontierStats{}) || v != nil || err != nil {
		t.Fatalf("fresh kept %+v, %v, %v", f.Stats(), v, err)
	}
	id, err := Peek(o.Dir)
	if err != nil || id != (Identity{Format: format, Crawl: "shop", Version: "1.2.3"}) {
		t.Errorf("peek gave %+v, %v", id, err)
	}
	if _, err := Peek(t.TempDir()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("peek into an empty folder gave %v", err)
	}
}

func TestModes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	mustOpen(t, Options{Dir: dir})
	for name, want := range map[string]fs.FileMode{".": 0o700, identityFile: 0o600, pidFile: 0o600} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != want {
			t.Errorf("%s: mode %v, %v, want %v", name, info.Mode(), err, want)
		}
	}
}

// TestLocked holds a state in this process, then in another.
func TestLocked(t *testing.T) {
	o := Options{Dir: t.TempDir(), Crawl: "shop"}
	if os.Getenv("FRONTIER_LOCK_DIR") != "" {
		o.Dir = os.Getenv("FRONTIER_LOCK_DIR")
		_, err := Open(o)
		fmt.Printf("locked=%v error=%v\n", errors.Is(err, crawler.ErrLocked), err)
		return
	}
	f := mustOpen(t, o)
	_, err := Open(o)
	pid := "process " + strconv.Itoa(os.Getpid()) + " since "
	expect(t, err, crawler.ErrLocked, o.Dir, pid)

	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestLocked$")
	cmd.Env = append(os.Environ(), "FRONTIER_LOCK_DIR="+o.Dir)
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "locked=true") || !strings.Contains(string(out), pid) {
		t.Errorf("the other process said %s, %v", out, err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err := mustOpen(t, o).Close(); err != nil {
		t.Fatal(err)
	}
}

// TestStaleLock: the lock of a process that was killed holds nobody up, though
// its PID file is still there.
func TestStaleLock(t *testing.T) {
	if dir := os.Getenv("FRONTIER_KILL_DIR"); dir != "" {
		f := mustOpen(t, Options{Dir: dir, Crawl: "shop"})
		mustCommit(t, f, &crawler.Batch{Found: []crawler.Request{req(t, "https://h.example/")}})
		fmt.Println("open")
		select {}
	}
	o := Options{Dir: t.TempDir(), Crawl: "shop"}
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestStaleLock$")
	cmd.Env = append(os.Environ(), "FRONTIER_KILL_DIR="+o.Dir)
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	_, err = Open(o)
	expect(t, err, crawler.ErrLocked, "process "+strconv.Itoa(cmd.Process.Pid))
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if _, err := os.Stat(filepath.Join(o.Dir, pidFile)); err != nil {
		t.Fatal(err)
	}
	if s := mustOpen(t, o).Stats(); s.Seen != 1 {
		t.Errorf("%+v", s)
	}
}

// Fresh with Keep forgets the run and nothing of what it is told to keep.
func TestFreshKeeps(t *testing.T) {
	o := Options{Dir: t.TempDir(), Crawl: "shop"}
	put := map[string][]byte{"run": {1}, "debts/a": {2}, "debts/z": {3}, "robots/a": {4}, "zzz": {5}}
	f := mustOpen(t, o)
	mustCommit(t, f, &crawler.Batch{Found: []crawler.Request{req(t, "http://a.example/")}, Put: put})
	_ = f.Close()
	o.Fresh, o.Keep = true, []string{"robots/", "debts/"}
	f = mustOpen(t, o)
	for name, want := range put {
		got, err := f.Get(name)
		if err != nil {
			t.Fatal(err)
		}
		if kept := strings.Contains(name, "/"); kept != (got != nil) || kept && string(got) != string(want) {
			t.Errorf("%s is %q after a fresh start", name, got)
		}
	}
	if s := f.Stats(); s.Seen != 0 || s.Queued != 0 || s.Hosts != 0 {
		t.Errorf("the old run is still there: %+v", s)
	}
	if _, err := f.Lease(t.Context(), 1); !errors.Is(err, crawler.ErrDrained) {
		t.Errorf("leasing gave %v", err)
	}
}
