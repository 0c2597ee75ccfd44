package frontier

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// first is the first row with a prefix.
func first(t *testing.T, s *store, prefix byte) (key, value []byte) {
	t.Helper()
	err := s.scan([]byte{prefix}, []byte{prefix + 1}, func(k, v []byte) (bool, error) {
		key, value = slices.Clone(k), slices.Clone(v)
		return false, nil
	})
	if err != nil || key == nil {
		t.Fatalf("no %c row: %v", prefix, err)
	}
	return key, value
}

// TestCheckRows breaks what the rows promise one another, one promise at a time.
func TestCheckRows(t *testing.T) {
	tale, clean, _ := tell(t)
	remove := func(prefix byte) func(*testing.T, *store) error {
		return func(t *testing.T, s *store) error {
			k, _ := first(t, s, prefix)
			return s.db.Delete(k, nil)
		}
	}
	garbage := func(prefix byte) func(*testing.T, *store) error {
		return func(t *testing.T, s *store) error {
			k, _ := first(t, s, prefix)
			return s.db.Set(k, []byte{0xff}, nil)
		}
	}
	for name, c := range map[string]struct {
		harm func(*testing.T, *store) error
		want string
	}{
		"a request is gone":        {remove(queueRow), "queue rows: "},
		"a retry is gone":          {remove(dueRow), "queue rows: "},
		"a state is gone":          {remove(stateRow), "counts: "},
		"a turn is gone":           {remove(readyRow), "ready rows: https://www.host-"},
		"a host is gone":           {remove(hostRow), "not known"},
		"a request is garbage":     {garbage(queueRow), "queue rows: "},
		"a retry is garbage":       {garbage(dueRow), "retry rows: "},
		"a state is garbage":       {garbage(stateRow), "state rows: "},
		"a host is garbage":        {garbage(hostRow), "host rows: "},
		"a request without state":  {func(t *testing.T, s *store) error { return swapRequest(t, s) }, "not the same"},
		"a turn at the wrong time": {func(t *testing.T, s *store) error { return moveTurn(t, s) }, "ready rows: "},
		"nothing":                  {func(*testing.T, *store) error { return nil }, ""},
	} {
		o := tale.o
		disk := copied(clean)
		o.FS = disk
		f, err := Open(o)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.harm(t, f.store); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		checked, r, err := check(t.Context(), disk, o.Dir)
		if err != nil {
			t.Fatal(err)
		}
		_ = r.Close()
		var all []string
		for _, p := range checked.Problems {
			all = append(all, p.Where+": "+p.What)
		}
		if found := strings.Join(all, "\n"); c.want == "" && found != "" || !strings.Contains(found, c.want) {
			t.Errorf("%s: the check found %q, want %q", name, found, c.want)
		}
	}
}

// swapRequest gives a request another fingerprint: the numbers stay the same.
func swapRequest(t *testing.T, s *store) error {
	k, v := first(t, s, queueRow)
	if err := s.db.Delete(k, nil); err != nil {
		return err
	}
	k[len(k)-1] ^= 1
	return s.db.Set(k, v, nil)
}

func moveTurn(t *testing.T, s *store) error {
	k, _ := first(t, s, readyRow)
	p, _ := splitReadyKey(k)
	return s.db.Set(readyKey(p.at+1, p.id), nil, nil)
}

// pendingOf lists what a reader says is pending.
func pendingOf(t *testing.T, r *Reader) map[string]string {
	t.Helper()
	out := map[string]string{}
	for p, err := range r.Pending(t.Context()) {
		if err != nil {
			continue
		}
		if _, twice := out[p.URL.Fetch()]; twice {
			t.Errorf("%s is there twice", p.URL)
		}
		out[p.URL.Fetch()] = fmt.Sprint(p.Name, p.Depth, p.Attempt, p.NotBefore.IsZero(), p.Class)
	}
	return out
}

// TestPending compares the list with what the frontier leases in the end.
func TestPending(t *testing.T) {
	tale, clean, _ := tell(t)
	f, err := holdFolder(clean, tale.o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.read()
	if err != nil {
		t.Fatal(err)
	}
	listed := pendingOf(t, r)
	census, err := r.Census(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var settled, largest int64
	for _, n := range census.Outcomes {
		settled += n
	}
	for _, l := range census.Largest {
		largest += l.Queued
	}
	if want := tale.said[tale.last]; census.Seen != want.Seen || census.Settled != want.Settled || settled != want.Settled ||
		census.Queued+census.Retry != int64(len(listed)) || census.Hosts != want.Hosts || census.Busy != 7 || largest+census.Retry < int64(len(listed)) {
		t.Errorf("%+v, of which %d are listed; committed was %+v", census, len(listed), want)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	o := tale.o
	fr := mustOpen(t, o)
	for {
		ls, err := fr.Lease(t.Context(), 100)
		if err != nil {
			break
		}
		var b crawler.Batch
		for _, l := range ls {
			if _, ok := listed[l.URL.Fetch()]; !ok {
				t.Errorf("%s was pending and is not listed", l.URL)
			}
			delete(listed, l.URL.Fetch())
			b.Outcomes = append(b.Outcomes, crawler.Outcome{Lease: l.ID, Class: crawler.ClassFetched})
		}
		mustCommit(t, fr, &b)
	}
	if len(listed) > 0 {
		t.Errorf("%d URLs were listed and never left: %v", len(listed), listed)
	}
}

// TestSalvage: of a whole state all is salvaged, also without its table of
// contents; of a damaged table all but a few blocks; and a run that was given up
// does not come back.
func TestSalvage(t *testing.T) {
	tale, clean, killed := tell(t)
	salvaged := func(disk *vfs.MemFS) (map[string]string, *Reader, []Problem) {
		r, lost, err := salvageFrom(t.Context(), disk, tale.o.Dir, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		})
		return pendingOf(t, r), r, lost
	}
	f, err := holdFolder(copied(clean), tale.o.Dir)
	if err != nil {
		t.Fatal(err)
	}
	r, err := f.read()
	if err != nil {
		t.Fatal(err)
	}
	want := pendingOf(t, r)
	_ = r.Close()
	for name, disk := range map[string]*vfs.MemFS{"closed": clean, "killed": killed} {
		got, r, lost := salvaged(copied(disk))
		// A killed process may leave a table that it had not finished.
		if v, err := r.Get("n"); !maps.Equal(got, want) || name == "closed" && len(lost) > 0 || string(v) != tale.last || err != nil {
			t.Errorf("%s: %d of %d URLs; %v is lost; %s, %v", name, len(got), len(want), lost, v, err)
		}
	}
	rng := rand.New(rand.NewPCG(5, 6))
	for _, name := range stateFiles(t, clean, tale.o.Dir) {
		disk := copied(clean)
		part := name[strings.LastIndexByte(name, '/')+1:]
		switch kindOf(part) {
		case manifestFile, markerFile, optionsFile:
			damage(t, disk, name, nil)
			if got, _, _ := salvaged(disk); !maps.Equal(got, want) {
				t.Errorf("without %s: %d of %d URLs", name, len(got), len(want))
			}
		case tableFile:
			damage(t, disk, name, func(b []byte) []byte { b[rng.IntN(len(b)/2)] ^= 0x10; return b })
			got, _, lost := salvaged(disk)
			known := 0
			for u := range want {
				if _, ok := got[u]; ok {
					known++
				}
			}
			if len(lost) == 0 || !strings.Contains(lost[0].Where, part) || known == 0 {
				t.Errorf("%s damaged: %d of %d URLs; lost: %v", name, known, len(want), lost)
			}
		}
	}
	o := tale.o
	o.FS, o.Fresh, o.Keep = copied(clean), true, []string{"robots/"}
	fresh := mustOpen(t, o)
	mustCommit(t, fresh, &crawler.Batch{Found: []crawler.Request{req(t, "https://new.example/")}})
	if err := fresh.Close(); err != nil {
		t.Fatal(err)
	}
	if got, _, _ := salvaged(o.FS.(*vfs.MemFS)); len(got) != 1 || got["https://new.example/"] == "" {
		t.Errorf("of a new run: %v", got)
	}
}

// TestCompact: compacting loses nothing and gives room back.
func TestCompact(t *testing.T) {
	o := Options{Dir: t.TempDir(), Crawl: "shop", MemTable: 64 << 10}
	f := mustOpen(t, o)
	seedPages(t, f, 10, 3000)
	if n := crawlSome(t, f, 100, 2000); n < 2000 {
		t.Fatal(n)
	}
	want := f.Stats()
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	c, err := Compact(t.Context(), o.Dir, "9")
	if err != nil || c.After <= 0 || c.After >= c.Before {
		t.Errorf("%+v, %v", c, err)
	}
	checked, r, err := Check(t.Context(), o.Dir)
	if err != nil || len(checked.Problems) > 0 {
		t.Fatal(checked, err)
	}
	if standing, err := r.Lookup(hostName(1), (&urls.Canon{}).Key(numberedRequest(t, hostName(1), 1).URL)); err != nil || standing.State != "settled" {
		t.Errorf("%+v, %v", standing, err)
	}
	use, err := r.DiskUse()
	if err != nil || use.Spaces[0].Bytes == 0 || use.Files["tables"] == 0 || use.Total < use.Files["tables"] {
		t.Errorf("%+v, %v", use, err)
	}
	_ = r.Close()
	if got := mustOpen(t, o).Stats(); got.Seen != want.Seen || got.Settled != want.Settled {
		t.Errorf("%+v, want %+v", got, want)
	}
}
