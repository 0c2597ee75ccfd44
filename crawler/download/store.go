package download

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/bucket"
)

// Options shape a Store.
type Options struct {
	// Dir is the folder of the files; it is made. Where To is given, files wait there
	// until they are whole.
	Dir string
	// To is the bucket that files go to, nil for none.
	To bucket.Bucket
	// Exchange makes each request to To when politeness lets it, with what is to be said
	// of it; nil: they are made at once, and nothing is.
	Exchange func(ctx context.Context, key string, x bucket.Exchange, do func(context.Context) error) (*crawler.Sent, error)
	Name     *Template
	Type     string // the record type of the manifest
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
	Unsummed  bool          // sums up only what is compared: records have a SHA-256 only where that is
	Sums      *Sums
	// Recall gives what Keep has put, as far as it is committed.
	Recall func(key string) ([]byte, error)
	Log    *slog.Logger
}

// Store is the destination of a crawl's files. It implements crawler.Files.
type Store struct {
	Options
	root     *os.Root
	partials *partials
	placed   map[string]*entry // by an earlier process of the run, and not committed; guarded by mu
	waiting  map[string]*entry // likewise, and not in their places; guarded by mu
	arrivals arrivals
	pending  bool // a batch is kept and not committed
	folders  *folders
	folds    bool // the file system takes names for the same that differ in case

	mu       sync.Mutex
	names    map[string]string  // claimed and not committed: the owner's ID
	contents map[string]content // likewise, by SHA-256
	ends     map[string]string  // likewise, by ID
	reserved int64              // bytes that are under way
	dirs     map[string]bool    // made by this process
	unsynced map[string]bool    // folders in which others were made
	noted    map[string]bool    // folders that files have waited in
	notes    *os.File           // where they are noted, nil while none is

	held     atomic.Int64 // small files that are open until their batch
	mayHold  int64
	whole    *whole // nil where files are synced one by one
	oneByOne int    // so many batches are
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
		dirs: map[string]bool{}, unsynced: map[string]bool{}, noted: map[string]bool{}, folders: newFolders(root), whole: openWhole(root),
		partials: &partials{dir: ownPrefix + o.Crawl, run: o.Run, boot: bootID(), open: map[string]*partial{}, sums: map[string]*following{}},
		mayHold:  min(mostHeld, mayOpen()/shareOfFiles),
	}
	if s.Log == nil {
		s.Log = slog.New(slog.DiscardHandler)
	}
	err = root.MkdirAll(s.partials.dir, 0o700)
	if err == nil {
		s.partials.root, err = root.OpenRoot(s.partials.dir)
	}
	if err == nil {
		s.folds, err = s.probe()
	}
	if err == nil {
		err = s.readJournal()
	}
	if err == nil {
		err = s.readArrivals()
	}
	if err == nil {
		err = s.sweep()
	}
	if err != nil {
		s.closeFolders()
		err = fmt.Errorf("%w: %s: %w", crawler.ErrOutput, o.Dir, err)
		if s.partials.root != nil {
			err = errors.Join(err, s.partials.root.Close())
		}
		return nil, errors.Join(err, root.Close())
	}
	return s, nil
}

// probe finds out whether case counts.
func (s *Store) probe() (folds bool, err error) {
	const name = "probe"
	f, err := s.partials.root.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o600)
	if err != nil {
		return false, err
	}
	_, err = s.partials.root.Stat("PROBE")
	return err == nil, errors.Join(f.Close(), s.partials.root.Remove(name))
}

// sweep removes what a kill has left: data without a state, and states without data.
func (s *Store) sweep() error {
	if err := s.sweepFolders(); err != nil {
		return err
	}
	d, err := s.partials.root.Open(".")
	if err != nil {
		return err
	}
	names, err := d.Readdirnames(-1)
	if err = errors.Join(err, d.Close()); err != nil {
		return err
	}
	for _, name := range names {
		if id, isData := strings.CutSuffix(name, dataSuffix); isData {
			if _, err := s.partials.root.Lstat(s.partials.stateName(id)); errors.Is(err, fs.ErrNotExist) {
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
		s.partials.any = true
		_, err := s.partials.root.Lstat(s.partials.dataName(id))
		end, failed := s.Recall(keyEnd + id)
		if failed != nil {
			return failed
		}
		if errors.Is(err, fs.ErrNotExist) || string(end) == endKept {
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
	if !s.pending && len(s.placed) == 0 {
		_ = s.root.Remove(s.journalPath()) // what stands there is committed
	}
	s.closeArrivals()
	if s.notes != nil {
		_ = s.notes.Close() // it holds what can be done without
	}
	if err := s.sweepFolders(); err != nil {
		s.Log.Warn("what is left of downloads could not be removed", "err", err)
	}
	s.closeFolders()
	_ = s.partials.root.Close() // nothing is written by it
	if err := s.root.Remove(s.partials.dir); err != nil {
		s.Log.Info("files that are not whole wait for the next run", "folder", path.Join(s.Dir, s.partials.dir))
	}
	return s.root.Close()
}

func (s *Store) closeFolders() {
	s.folders.closeAll()
	if s.whole != nil {
		s.whole.close()
	}
}

// Place tells people where files go.
func (s *Store) Place() string { return s.Dir }

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
	s.partials.unfollow(id)
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
