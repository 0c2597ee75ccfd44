package download

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"golang.org/x/text/unicode/norm"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
)

// Options shape a Store.
type Options struct {
	// Dir is the folder of the files; it is made. Where To is given, files wait there
	// until they are whole.
	Dir string
	// To is the bucket that files go to, nil for none.
	To   bucket.Bucket
	Name *Template
	Type string // the record type of the manifest
	// Crawl names the folder of what is not whole, so that crawls can share a Dir.
	Crawl string
	Run   string // its ID, the same where it goes on

	MaxSize   int64         // of a file; 0: no bound
	PartSize  int64         // bytes of a part
	PartsFrom int64         // the size from which a file is fetched in parts; 0: never
	MinFree   int64         // bytes that have to stay free
	Timeout   time.Duration // of one exchange
	Overwrite bool          // fetches also what is there with the same size and time
	Dedup     bool          // keeps what has the same content once
	Sums      *Sums
	// Recall gives what Keep has put, as far as it is committed.
	Recall func(key string) ([]byte, error)
	Log    *slog.Logger
}

// Where a batch notes what is in its place: the owner of a name, the first file of a
// content, and how a file ended that was fetched in parts.
const (
	keyName = "download/name/"
	keySum  = "download/sum/"
	keyEnd  = "download/end/"
)

// endKept is the end of a file that was kept; others are classes of failures.
const endKept = "kept"

// Store is the destination of a crawl's files. It implements crawler.Files.
type Store struct {
	Options
	root     *os.Root
	partials *partials
	placed   map[string]*entry // by an earlier process of the run, and not committed
	pending  bool              // a batch is kept and not committed
	folds    bool              // the file system takes names for the same that differ in case

	mu       sync.Mutex
	names    map[string]string  // claimed and not committed: the owner's ID
	contents map[string]content // likewise, by SHA-256
	ends     map[string]string  // likewise, by ID
	reserved int64              // bytes that are under way
	dirs     map[string]bool    // made by this process
	unsynced map[string]bool    // folders in which others were made
}

// content is where some content was first kept.
type content struct {
	Name string `json:"name"`
	URL  string `json:"url"`
}

var _ crawler.Files = (*Store)(nil)

// Open makes the destination ready. Errors name the folder.
func Open(o Options) (*Store, error) {
	if err := os.MkdirAll(o.Dir, 0o755); err != nil {
		return nil, fmt.Errorf("%w: %w", crawler.ErrOutput, err)
	}
	root, err := os.OpenRoot(o.Dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", crawler.ErrOutput, err)
	}
	s := &Store{
		Options: o, root: root, names: map[string]string{}, contents: map[string]content{}, ends: map[string]string{},
		dirs: map[string]bool{}, unsynced: map[string]bool{},
		partials: &partials{root: root, dir: ownPrefix + o.Crawl, run: o.Run, boot: bootID(), open: map[string]*partial{}},
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	err = root.MkdirAll(s.partials.dir, 0o700)
	if err == nil {
		s.folds, err = s.probe()
	}
	if err == nil {
		err = s.readJournal()
	}
	if err == nil {
		err = s.sweep()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s: %w", crawler.ErrOutput, o.Dir, err), root.Close())
	}
	return s, nil
}

// probe finds out whether case counts.
func (s *Store) probe() (folds bool, err error) {
	name := path.Join(s.partials.dir, "probe")
	f, err := s.root.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return false, err
	}
	_, err = s.root.Stat(path.Join(s.partials.dir, "PROBE"))
	return err == nil, errors.Join(f.Close(), s.root.Remove(name))
}

// sweep removes what a kill has left: data without a state, and states without data.
func (s *Store) sweep() error {
	d, err := s.root.Open(s.partials.dir)
	if err != nil {
		return err
	}
	names, err := d.Readdirnames(-1)
	if err = errors.Join(err, d.Close()); err != nil {
		return err
	}
	for _, name := range names {
		if id, isData := strings.CutSuffix(name, dataSuffix); isData {
			if _, err := s.root.Lstat(s.partials.stateName(id)); errors.Is(err, fs.ErrNotExist) {
				err = s.partials.remove(id)
				if err != nil {
					return err
				}
			}
			continue
		}
		id, isState := strings.CutSuffix(name, stateSuffix)
		if !isState {
			continue
		}
		if _, err := s.root.Lstat(s.partials.dataName(id)); errors.Is(err, fs.ErrNotExist) {
			if err := s.partials.remove(id); err != nil {
				return err
			}
		}
	}
	return nil
}

// Close ends the use of the destination. The folder of what is not whole goes with it
// where that is empty.
func (s *Store) Close() error {
	if !s.pending {
		_ = s.root.Remove(s.journalPath()) // what stands there is committed
	}
	if err := s.root.Remove(s.partials.dir); err != nil {
		s.Log.Info("files that are not whole wait for the next run", "folder", path.Join(s.Dir, s.partials.dir))
	}
	return s.root.Close()
}

// Place tells people where files go.
func (s *Store) Place() string { return s.Dir }

// fold is the form of a name by which it is claimed.
func (s *Store) fold(name string) string {
	if !s.folds {
		return name
	}
	return norm.NFC.String(strings.ToLower(name))
}

// claim makes a name that of a file, unless it is another's.
func (s *Store) claim(name, id string) error {
	if err := s.free(name, id); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	fold := s.fold(name)
	if owner := s.names[fold]; owner != "" && owner != id {
		return taken(name)
	}
	s.names[fold] = id
	return nil
}

func noPlace(format string, args ...any) error {
	return &crawler.FetchError{Class: crawler.ClassFile, Err: fmt.Errorf(format, args...)}
}

// free reports a name that is another's already.
func (s *Store) free(name, id string) error {
	fold := s.fold(name)
	s.mu.Lock()
	owner := s.names[fold]
	s.mu.Unlock()
	if owner == "" {
		noted, err := s.Recall(keyName + fold)
		if err != nil {
			return fmt.Errorf("%w: looking up a name: %w", crawler.ErrStop, err)
		}
		owner = string(noted)
	}
	if owner != "" && owner != id {
		return taken(name)
	}
	return nil
}

func taken(name string) error {
	return noPlace("another file has the name %s: add {id} to downloads.name, or what else tells them apart", name)
}

// unclaim gives a name back that no file is going to have.
func (s *Store) unclaim(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.names, s.fold(name))
}

// first notes where content goes, or finds where it was kept first.
func (s *Store) first(sum string, here content) (content, bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.contents[sum]; ok {
		return c, c.URL == here.URL, nil
	}
	noted, err := s.Recall(keySum + sum)
	if err != nil {
		return content{}, false, fmt.Errorf("%w: looking up a content: %w", crawler.ErrStop, err)
	}
	var c content
	if noted != nil && json.Unmarshal(noted, &c) == nil {
		return c, c.URL == here.URL, nil
	}
	s.contents[sum] = here
	return here, true, nil
}

// end tells how a file has ended, "" while it has not.
func (s *Store) end(id string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if end := s.ends[id]; end != "" {
		return end, nil
	}
	noted, err := s.Recall(keyEnd + id)
	if err != nil {
		return "", fmt.Errorf("%w: looking up a file: %w", crawler.ErrStop, err)
	}
	return string(noted), nil
}

// finish makes the caller the one who ends a file; it is one only.
func (s *Store) finish(id, how string) (mine bool, err error) {
	if end, err := s.end(id); err != nil || end != "" {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ends[id] != "" {
		return false, nil
	}
	s.ends[id] = how
	return true, nil
}

// unfinish takes that back.
func (s *Store) unfinish(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.ends, id)
}

// room is what is kept free on the disk for a body that is under way.
type room struct {
	store *Store
	left  int64
}

// reserve makes sure that there is room.
func (s *Store) reserve(n int64) (*room, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if free, ok := space(s.Dir); ok && free-s.reserved-n < s.MinFree {
		return nil, fmt.Errorf("%w: %s has %d MiB free, %d MiB are needed and downloads.min_free keeps %d MiB: make room and run again",
			crawler.ErrStop, s.Dir, max(free-s.reserved, 0)>>20, n>>20, s.MinFree>>20)
	}
	s.reserved += n
	return &room{s, n}, nil
}

// use gives back what was written.
func (r *room) use(n int64) {
	n = min(n, r.left)
	r.left -= n
	r.store.mu.Lock()
	defer r.store.mu.Unlock()
	r.store.reserved -= n
}

// end gives back the rest.
func (r *room) end() { r.use(r.left) }

// maxDirs bounds what is remembered of folders.
const maxDirs = 10_000

// makeDir makes the folder of a name.
func (s *Store) makeDir(name string) error {
	dir := path.Dir(name)
	s.mu.Lock()
	made := s.dirs[dir]
	s.mu.Unlock()
	if dir == "." || made {
		return nil
	}
	if err := s.root.MkdirAll(dir, 0o755); err != nil {
		return placing(name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.dirs) >= maxDirs {
		clear(s.dirs)
	}
	for d := dir; d != "."; d = path.Dir(d) {
		if s.dirs[d] {
			break
		}
		s.dirs[d] = true
		s.unsynced[path.Dir(d)] = true
	}
	return nil
}

// Begin implements crawler.Files.
func (s *Store) Begin(r *crawler.Request) (crawler.Transfer, error) {
	t, err := s.begin(r)
	if err != nil {
		return nil, err
	}
	return t, nil
}

// Failed implements crawler.Files. Of a file in parts the first that fails speaks.
func (s *Store) Failed(r *crawler.Request, o crawler.Outcome) crawler.FileEnd {
	a, others := aboutOf(r.Carry)
	id := idOf(r)
	s.mu.Lock()
	said := s.ends[id] != "" && s.ends[id] != endKept
	s.ends[id] = string(o.Class)
	s.mu.Unlock()
	noted, err := s.Recall(keyEnd + id)
	if said || err == nil && noted != nil {
		return crawler.FileEnd{}
	}
	switch o.Class {
	case crawler.ClassFile, crawler.ClassTooLarge, crawler.ClassChecksum: // another attempt would not go on with it
		if err := s.partials.remove(id); err != nil {
			s.Log.Warn("what is left of a download could not be removed", "err", err)
		}
	}
	m := manifest{status: "failed", reason: string(o.Class), detail: o.Detail, size: a.size}
	if o.Class == crawler.ClassDisallowed || o.Class == crawler.ClassOutOfScope || o.Class == crawler.ClassRedirected {
		m.status = "skipped"
	}
	return crawler.FileEnd{Fields: m.fields(others), Kept: &kept{id: id, end: string(o.Class)}}
}

// Type implements crawler.Files.
func (s *Store) Type() crawler.RecordType {
	return crawler.RecordType{Name: s.Options.Type, Fields: ManifestFields}
}

// ManifestFields are those of a file's record, in order. Values that its link carried
// follow.
var ManifestFields = []string{"path", "bytes", "sha256", "type", "status", "reason", "detail", "deduplicated_of", "etag", "modified"}

// manifest is what a file's record says.
type manifest struct {
	name, sum, mediaType   string
	size                   int64 // -1 where it is unknown
	status, reason, detail string
	deduplicatedOf         string
	etag                   string
	modified               time.Time
}

func (m *manifest) fields(others []crawler.Field) []crawler.Field {
	text := func(s string) any {
		if s == "" {
			return nil
		}
		return s
	}
	var size, modified any
	if m.size >= 0 {
		size = m.size
	}
	if !m.modified.IsZero() {
		modified = m.modified.UTC().Format(time.RFC3339)
	}
	values := []any{text(m.name), size, text(m.sum), text(m.mediaType), m.status, text(m.reason), text(m.detail), text(m.deduplicatedOf), text(m.etag), modified}
	out := make([]crawler.Field, 0, len(values)+len(others))
	for i, v := range values {
		out = append(out, crawler.Field{Name: ManifestFields[i], Value: v})
	}
	return append(out, others...)
}
