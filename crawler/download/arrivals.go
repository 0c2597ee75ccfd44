package download

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path"
	"sync"
)

// A small file that has come waits for its batch, and a kill would have it fetched
// again. So it is noted when it is whole, with what its record says, and a later process
// of the run that finds it where it waited takes it as it is. Notes are not synced: like
// the progress of parts they count only until the machine starts anew.

// arrivals are the notes of files that wait, and are not committed.
type arrivals struct {
	mu    sync.Mutex
	file  *os.File // nil while there is none
	lines map[string][]byte
	live  int // bytes of the lines
	size  int // of the file
}

// arrivalsHead is the first line.
type arrivalsHead struct {
	Run  string `json:"run"`
	Boot string `json:"boot"`
}

const (
	arrivalsName = "arrivals"
	// leastArrivals is from what size on the notes are written anew, without those of
	// files that are committed.
	leastArrivals = 1 << 20
)

func (s *Store) arrivalsPath() string { return path.Join(s.partials.dir, arrivalsName) }

// arrived notes a file that is whole, dated, and where it waits.
func (s *Store) arrived(k *kept) error {
	if k.state || k.elsewhere || k.placed || k.at != s.waitingSpot(k.name, k.id) || k.about.modified.IsZero() || s.partials.boot == "" {
		return nil
	}
	line, err := json.Marshal(k.entry())
	if err != nil {
		return broken("noting", err)
	}
	a := &s.arrivals
	a.mu.Lock()
	defer a.mu.Unlock()
	a.add(k.id, append(line, '\n'))
	if a.file == nil || a.size > max(leastArrivals, 4*a.live) {
		return s.writeArrivals()
	}
	if _, err := a.file.Write(a.lines[k.id]); err != nil {
		return broken("noting", err)
	}
	a.size += len(a.lines[k.id])
	return nil
}

func (a *arrivals) add(id string, line []byte) {
	a.live += len(line) - len(a.lines[id])
	a.lines[id] = line
}

// forget is told of a file that is committed, or does not wait any more.
func (a *arrivals) forget(id string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.live -= len(a.lines[id])
	delete(a.lines, id)
}

func (a *arrivals) has(id string) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.lines[id] != nil
}

func (a *arrivals) any() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.lines) > 0
}

// closeArrivals ends the notes. Those of files that are not committed stay for a later process.
func (s *Store) closeArrivals() {
	if s.arrivals.file != nil {
		_ = s.arrivals.file.Close() // a note that is not there costs a request
	}
	_ = s.root.Remove(s.arrivalsPath() + ".new") // of a process that was killed
	if !s.arrivals.any() {
		_ = s.root.Remove(s.arrivalsPath())
	}
}

// writeArrivals writes the notes anew. arrivals.mu is held.
func (s *Store) writeArrivals() error {
	a := &s.arrivals
	head, err := json.Marshal(arrivalsHead{s.Run, s.partials.boot})
	if err != nil {
		return broken("noting", err)
	}
	b := append(head, '\n')
	for _, line := range a.lines {
		b = append(b, line...)
	}
	temp := s.arrivalsPath() + ".new"
	f, err := s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return broken("noting", err)
	}
	if _, err = f.Write(b); err == nil {
		err = s.root.Rename(temp, s.arrivalsPath())
	}
	if err != nil {
		return broken("noting", errors.Join(err, f.Close()))
	}
	if a.file != nil {
		_ = a.file.Close() // what it held is in the new one
	}
	a.file, a.size = f, len(b)
	return nil
}

// readArrivals reads which files wait since an earlier process of the run.
func (s *Store) readArrivals() error {
	s.arrivals.lines = map[string][]byte{}
	data, err := s.root.ReadFile(s.arrivalsPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	s.waiting = decodeArrivals(data, arrivalsHead{s.Run, s.partials.boot})
	for id, e := range s.waiting {
		if !s.stillWaits(e) {
			delete(s.waiting, id)
			continue
		}
		line, err := json.Marshal(e)
		if err != nil {
			return err
		}
		s.arrivals.add(id, append(line, '\n'))
	}
	return nil
}

// decodeArrivals gives the entries of a run's notes by ID. The last line may be cut off.
func decodeArrivals(data []byte, of arrivalsHead) map[string]*entry {
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	var head arrivalsHead
	if of.Boot == "" || !lines.Scan() || json.Unmarshal(lines.Bytes(), &head) != nil || head != of {
		return nil
	}
	return entries(lines)
}

func (s *Store) waitingSpot(name, id string) spot { return spot{path.Dir(name), s.waitingName(id)} }

// stillWaits reports whether a file is there as it was when it was noted. One that was
// begun anew since has no date yet.
func (s *Store) stillWaits(e *entry) bool {
	info, err := s.look(s.waitingSpot(e.Name, e.ID).path())
	return err == nil && info.Mode().IsRegular() && info.Size() == e.Size && !e.Modified.IsZero() && sameTime(info.ModTime(), e.Modified)
}

// waited is the entry of a file that an earlier process of the run has fetched and that
// waits under the name that it is to have; nil where there is none.
func (t *transfer) waited() (*entry, error) {
	t.mu.Lock()
	e := t.waiting[t.id]
	delete(t.waiting, t.id)
	t.mu.Unlock()
	if e == nil {
		return nil, nil
	}
	if e.Name == t.early && t.To == nil && !t.Dedup && t.stillWaits(e) {
		return e, t.makeDir(e.Name)
	}
	t.arrivals.forget(t.id)
	return nil, t.drop(t.waitingSpot(e.Name, t.id))
}
