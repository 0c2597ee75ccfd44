package cookies

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// saveAfter is how long a change waits to be written with others.
const saveAfter = 2 * time.Second

// maxFile bounds what is read back: a jar in full, every byte of it escaped.
const maxFile = 8 * Bytes

// kept is the form of the file.
type kept struct {
	Version int      `json:"version"`
	Cookies []cookie `json:"cookies"`
}

// Open makes a jar. Its file is read, and from then on written, by this process
// alone. Close it.
func Open(o Options) (*Jar, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	j := &Jar{opt: o, sites: map[string]*site{}}
	if o.File == "" {
		return j, nil
	}
	if o.Resumed {
		if err := j.read(); err != nil {
			o.Log.Warn("cookies could not be read back; the run goes on without them", "file", o.File, "error", err)
		}
	} else if err := os.Remove(o.File); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("cookies of an earlier run: %w", err)
	}
	j.saver = newSaver(j.save, o.Log)
	return j, nil
}

// Close writes what has changed.
func (j *Jar) Close() error {
	if j.saver == nil {
		return nil
	}
	j.saver.close()
	return j.save()
}

// Finish closes the jar of a run that is complete: nobody needs its cookies any more,
// and they do not stay on the disk.
func (j *Jar) Finish() error {
	if j.saver == nil {
		return nil
	}
	j.saver.close()
	if err := os.Remove(j.opt.File); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (j *Jar) read() error {
	f, err := os.Open(j.opt.File)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read from
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = errors.New("it is too large")
	}
	if err != nil {
		return err
	}
	return j.load(text)
}

// load takes what a file holds. The errors of the library quote it, so they are left
// out.
func (j *Jar) load(text []byte) error {
	var k kept
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&k); err != nil {
		return errors.New("it is damaged")
	}
	if k.Version != 1 {
		return fmt.Errorf("version %d is not known", k.Version)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	now := j.opt.Now()
	for i := range k.Cookies {
		c := &k.Cookies[i]
		if c.Name == "" || c.Domain == "" || c.Path == "" || c.Path[0] != '/' || len(c.Name)+len(c.Value) > PerCookie ||
			len(c.Domain) > attribute || len(c.Path) > attribute || !sendable(c.Name, c.Value) || c.ended(now) {
			continue
		}
		if j.opt.Scope == ScopeHost || !isDomain(c.Domain) || isPublic(c.Domain) {
			c.HostOnly = true
		}
		j.store(c.Domain, c, true, now)
	}
	return nil
}

// sendable reports whether a cookie cannot break out of its field.
func sendable(texts ...string) bool {
	for _, text := range texts {
		for i := range len(text) {
			if b := text[i]; b < ' ' || b >= 0x7f || b == ';' || b == '"' {
				return false
			}
		}
	}
	return true
}

// save writes the jar where it has changed.
func (j *Jar) save() error {
	j.mu.Lock()
	if !j.dirty {
		j.mu.Unlock()
		return nil
	}
	j.dirty = false
	k := kept{Version: 1, Cookies: make([]cookie, 0, j.count)}
	now := j.opt.Now()
	for _, s := range j.sites {
		for _, c := range s.cookies {
			if !c.ended(now) {
				k.Cookies = append(k.Cookies, *c)
			}
		}
	}
	j.mu.Unlock()
	slices.SortFunc(k.Cookies, func(a, b cookie) int { return int(a.order) - int(b.order) })
	text, err := json.Marshal(k)
	if err == nil {
		err = replace(j.opt.File, text)
	}
	if err != nil {
		j.mu.Lock()
		j.dirty = true
		j.mu.Unlock()
		return fmt.Errorf("keeping cookies: %w", err)
	}
	return nil
}

// replace writes a file as a whole.
func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".cookies-*") // for its owner alone
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the error at hand matters more
	}
	return err
}

// saver writes a while after a change, so that many changes are one write.
type saver struct {
	changed chan struct{}
	stop    chan struct{}
	done    chan struct{}
}

func newSaver(save func() error, log *slog.Logger) *saver {
	s := &saver{changed: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(s.done)
		for {
			select {
			case <-s.changed:
			case <-s.stop:
				return
			}
			select {
			case <-time.After(saveAfter):
			case <-s.stop:
				return
			}
			if err := save(); err != nil {
				log.Warn("cookies could not be written; a resumed run would miss them", "error", err)
			}
		}
	}()
	return s
}

// wake tells of a change; a nil saver has nobody to tell.
func (s *saver) wake() {
	if s == nil {
		return
	}
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *saver) close() {
	close(s.stop)
	<-s.done
}
