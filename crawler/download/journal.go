package download

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"os"
	"path"
	"time"

	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler"
)

// What a batch is about to put in its places is written down first. A process that
// was killed between that and the commit leaves files in their places of which the
// frontier does not know: the next one finds them here, and does not fetch them again.

// placing is a line of the journal: a file, its place and what its record says.
type entry struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	URL      string    `json:"url,omitempty"`
	SHA256   string    `json:"sha256"`
	Size     int64     `json:"size"`
	ETag     string    `json:"etag,omitempty"`
	Modified time.Time `json:"modified,omitzero"`
	Type     string    `json:"type,omitempty"`
	Status   string    `json:"status"`
	State    bool      `json:"state,omitempty"`
	Parts    bool      `json:"parts,omitempty"`
	Placed   bool      `json:"placed,omitempty"`  // it was there before
	Carried  bool      `json:"carried,omitempty"` // from the journal of an earlier process
}

func (k *kept) entry() entry {
	return entry{
		ID: k.id, Name: k.name, URL: k.url, SHA256: k.sum, Size: k.about.size, ETag: k.about.etag, Modified: k.about.modified, Type: k.about.mediaType,
		Status: k.about.status, State: k.state, Parts: k.parts, Placed: k.placed,
	}
}

// journalHead is the first line.
type journalHead struct {
	Run string `json:"run"`
}

const journalName = "batch"

func (s *Store) journalPath() string { return path.Join(s.partials.dir, journalName) }

// keyBatch is where a batch notes the sum of its journal: that of which it is not noted
// was not committed.
const keyBatch = "download/batch"

func journalSum(text []byte) []byte {
	sum := xxh3.Hash128(text).Bytes()
	return sum[:]
}

// writeJournal writes the journal of a batch, in place of that of the last. What an
// earlier process has placed and nobody has committed since stays in it.
func (s *Store) writeJournal(all []*kept, put map[string][]byte) error {
	var entries []entry
	for _, k := range all {
		if k.end == endKept && !k.elsewhere {
			entries = append(entries, k.entry())
		}
	}
	if len(entries) == 0 {
		return nil // nothing in it is untrue
	}
	text, err := s.encodeJournal(entries)
	if err != nil {
		return broken("noting", err)
	}
	put[keyBatch] = journalSum(text)
	return s.replaceJournal(text)
}

func (s *Store) encodeJournal(entries []entry) ([]byte, error) {
	var b bytes.Buffer
	out := json.NewEncoder(&b)
	err := out.Encode(journalHead{s.Run})
	s.mu.Lock()
	for _, e := range s.placed {
		e.Carried = true
		err = errors.Join(err, out.Encode(e))
	}
	s.mu.Unlock()
	for i := range entries {
		err = errors.Join(err, out.Encode(&entries[i]))
	}
	return b.Bytes(), err
}

func (s *Store) replaceJournal(text []byte) error {
	temp := s.journalPath() + ".new"
	f, err := s.root.OpenFile(temp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return broken("noting", err)
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = s.root.Rename(temp, s.journalPath())
	}
	if err == nil {
		return s.syncDir(s.partials.dir)
	}
	return broken("noting", err)
}

// readJournal reads what the last batch of this run was about to place.
func (s *Store) readJournal() error {
	data, err := s.root.ReadFile(s.journalPath())
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	noted, err := s.Recall(keyBatch)
	if err != nil {
		return err
	}
	committed := bytes.Equal(noted, journalSum(data))
	s.placed = decodeJournal(data, s.Run)
	waiting := false
	for id, e := range s.placed {
		switch {
		case committed && !e.Carried:
			delete(s.placed, id)
		case !e.Placed && s.waits(e.Name, id): // what has the place is another file
			delete(s.placed, id)
			waiting = true
		case s.Dedup && s.found(id) != nil:
			s.contents[e.SHA256] = content{e.Name, e.URL}
		}
	}
	if !waiting {
		return nil
	}
	// Nothing tells them from those that were placed, once they are swept.
	text, err := s.encodeJournal(nil)
	if err != nil {
		return err
	}
	return s.replaceJournal(text)
}

// decodeJournal gives the entries of a run's journal by ID. What cannot be read was not
// placed: the journal was synced before.
func decodeJournal(data []byte, run string) map[string]*entry {
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	var head journalHead
	if !lines.Scan() || json.Unmarshal(lines.Bytes(), &head) != nil || head.Run != run {
		return nil
	}
	return entries(lines)
}

func entries(lines *bufio.Scanner) map[string]*entry {
	all := map[string]*entry{}
	for lines.Scan() {
		e := &entry{}
		if json.Unmarshal(lines.Bytes(), e) != nil || e.ID == "" || !fs.ValidPath(e.Name) {
			break
		}
		all[e.ID] = e
	}
	return all
}

// found is the entry of a file that is in its place; nil where it is not.
func (s *Store) found(id string) *entry {
	s.mu.Lock()
	e := s.placed[id]
	s.mu.Unlock()
	if e == nil {
		return nil
	}
	info, err := s.root.Lstat(e.Name)
	if err != nil || info.Size() != e.Size {
		return nil
	}
	return e
}

// adopt ends a file that this run has put in its place, or fetched, before it was killed.
func (t *transfer) adopt() crawler.FileEnd {
	e := t.entry
	mine, err := t.finish(t.id, endKept)
	if err != nil {
		return crawler.FileEnd{Err: err}
	}
	if !mine {
		return settled("another request has ended it")
	}
	err = t.claim(e.Name, t.id)
	if err == nil && t.Dedup {
		_, _, err = t.first(e.SHA256, content{e.Name, t.request.Origin()})
	}
	if err != nil {
		t.unfinish(t.id)
		if t.moves {
			t.arrivals.forget(t.id)
			err = errors.Join(err, t.drop(t.waitingSpot(e.Name, t.id)))
		}
		return crawler.FileEnd{Err: err}
	}
	m := manifest{name: e.Name, sum: e.SHA256, mediaType: e.Type, size: e.Size, status: e.Status, etag: e.ETag, modified: e.Modified}
	k := &kept{id: t.id, end: endKept, parts: e.Parts, name: e.Name, sum: e.SHA256, url: t.request.Origin(), about: m, state: e.State, placed: !t.moves}
	if t.moves {
		k.at = t.waitingSpot(e.Name, t.id)
	}
	return crawler.FileEnd{Outcome: crawler.Outcome{Class: crawler.ClassFetched, Status: http.StatusOK}, Fields: m.fields(t.others), Kept: k}
}
