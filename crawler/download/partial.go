package download

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"

	"github.com/amblecrawl/amble/crawler"
)

const (
	dataSuffix  = ".part"
	stateSuffix = ".state"
	// atRisk is how much of a part a kill may lose.
	atRisk = 256 << 10
	// worthState is the size from which a file's state is kept: a smaller one is
	// sooner fetched again than its state is written.
	worthState = 8 << 20
)

// partials are the files that are not in their places yet.
type partials struct {
	root *os.Root // the folder of them
	dir  string   // its name in the destination
	run  string
	boot string

	mu   sync.Mutex
	open map[string]*partial   // by ID, those in use
	any  bool                  // there may be others
	sums map[string]*following // likewise, of those in parts
}

// partial is one of them, with its state. It is open while somebody uses it.
type partial struct {
	owner *partials
	id    string
	refs  int // guarded by owner.mu

	file, state *os.File

	mu       sync.Mutex
	head     head
	progress []uint64
}

func (s *partials) dataName(id string) string  { return id + dataSuffix }
func (s *partials) stateName(id string) string { return id + stateSuffix }

// broken is a failure of the disk, after which the run cannot go on.
func broken(doing string, err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return fmt.Errorf("%w: %s a download: %w", crawler.ErrStop, doing, err)
}

// acquire opens what there is of a file, nil where there is nothing to rely on. It
// has to be released.
func (s *partials) acquire(id string) (*partial, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.open[id]; p != nil {
		p.refs++
		return p, nil
	}
	if !s.any {
		return nil, nil
	}
	data, err := s.root.ReadFile(s.stateName(id))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, broken("reading the state of", err)
	}
	h, progress, err := decodeState(data)
	if err != nil {
		return nil, nil // the next one to come replaces it
	}
	if h.Boot != s.boot || s.boot == "" {
		for i, n := range progress {
			if n&synced == 0 {
				progress[i] = 0
			}
		}
	}
	p := &partial{owner: s, id: id, refs: 1, head: *h, progress: progress}
	p.head.Boot = s.boot
	if !p.whole() {
		p.head.Run = s.run // what is missing is asked for in this run, as of the same version
	}
	if err := p.reopen(); err != nil {
		return nil, err
	}
	if p.file == nil {
		return nil, p.close()
	}
	s.open[id] = p
	return p, nil
}

// reopen opens the files of a state.
func (p *partial) reopen() (err error) {
	if p.file, err = p.owner.root.OpenFile(p.owner.dataName(p.id), os.O_RDWR, 0); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return broken("opening", err)
	}
	if err != nil {
		p.file = nil
	}
	if p.state, err = p.owner.root.OpenFile(p.owner.stateName(p.id), os.O_RDWR, 0); err != nil {
		return errors.Join(broken("opening the state of", err), p.close())
	}
	if p.file == nil {
		return nil // it is in its place, or gone
	}
	return p.save() // this process and machine are the ones to rely on now
}

// create begins a file anew, in place of what there was.
func (s *partials) create(id string, h head) (*partial, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	h.Version, h.Run, h.Boot, s.any = stateVersion, s.run, s.boot, true
	if p := s.open[id]; p != nil {
		p.refs++
		p.mu.Lock()
		defer p.mu.Unlock()
		p.head, p.progress = h, make([]uint64, h.Parts)
		if p.file == nil {
			var err error
			if p.file, err = s.root.OpenFile(s.dataName(id), os.O_RDWR|os.O_CREATE, 0o644); err != nil {
				return nil, broken("making", err)
			}
		}
		err := p.begin()
		delete(s.sums, id)
		return p, err
	}
	p := &partial{owner: s, id: id, refs: 1, head: h, progress: make([]uint64, h.Parts)}
	var err error
	if p.file, err = s.root.OpenFile(s.dataName(id), os.O_RDWR|os.O_CREATE, 0o644); err == nil {
		p.state, err = s.root.OpenFile(s.stateName(id), os.O_RDWR|os.O_CREATE, 0o600)
	}
	if err != nil {
		return nil, errors.Join(broken("making", err), p.close())
	}
	if err := p.begin(); err != nil {
		return nil, errors.Join(err, p.close())
	}
	s.open[id] = p
	delete(s.sums, id)
	return p, nil
}

// begin writes the state of a file of which there is nothing yet.
func (p *partial) begin() error {
	if err := errors.Join(p.state.Truncate(0), p.file.Truncate(0)); err != nil {
		return broken("beginning", err)
	}
	return p.save()
}

// save writes the state as a whole.
func (p *partial) save() error {
	text, err := p.head.encode()
	if err != nil {
		return broken("writing the state of", err)
	}
	for _, n := range p.progress {
		text = binary.BigEndian.AppendUint64(text, n)
	}
	if _, err := p.state.WriteAt(text, 0); err != nil {
		return broken("writing the state of", err)
	}
	return nil
}

// advance notes how far a part has come.
func (p *partial) advance(part int, n uint64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if part >= len(p.progress) {
		return nil
	}
	p.progress[part] = n
	var b [partEntry]byte
	binary.BigEndian.PutUint64(b[:], n)
	if _, err := p.state.WriteAt(b[:], headSize+int64(part)*partEntry); err != nil {
		return broken("writing the state of", err)
	}
	return nil
}

// complete notes that a part is there, once it is on the disk.
func (p *partial) complete(part int, length int64) error {
	if err := p.file.Sync(); err != nil {
		return broken("syncing", err)
	}
	return p.advance(part, uint64(length)|synced)
}

// have is how much there is of a part, and whether it is complete.
func (p *partial) have(part int) (n int64, complete bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if part >= len(p.progress) {
		return 0, false
	}
	return int64(p.progress[part] &^ synced), p.progress[part]&synced != 0
}

// whole reports whether all parts are complete.
func (p *partial) whole() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, n := range p.progress {
		if n&synced == 0 {
			return false
		}
	}
	return true
}

// stale reports whether a file is of an earlier run, and nobody says that it is still what
// its server has. One that is not whole is asked for by what it was.
func (p *partial) stale(a *about) bool {
	h := p.about()
	return p.whole() && h.Run != p.owner.run && (a.etag == "" || a.etag != h.ETag || a.size != h.Size)
}

// about is a copy of the head.
func (p *partial) about() head {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.head
}

func (p *partial) close() error {
	var errs []error
	for _, f := range []*os.File{p.file, p.state} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	p.file, p.state = nil, nil
	return errors.Join(errs...)
}

// release ends one use.
func (p *partial) release() {
	s := p.owner
	s.mu.Lock()
	defer s.mu.Unlock()
	if p.refs--; p.refs > 0 {
		return
	}
	delete(s.open, p.id)
	_ = p.close() // what has to be on the disk is synced
}

// remove takes away what there is of a file.
func (s *partials) remove(id string) error {
	s.unfollow(id)
	var errs []error
	for _, name := range []string{s.stateName(id), s.dataName(id)} {
		if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	if err := errors.Join(errs...); err != nil {
		return broken("removing", err)
	}
	return nil
}
