package cache

import (
	"container/list"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/klauspost/compress/zstd"
)

// key names an entry.
type key [16]byte

func (k key) String() string { return hex.EncodeToString(k[:]) }

// store keeps entries as files of a folder, bounded by their bytes. Several processes
// may share it; the bound is then that of each.
type store struct {
	dir  string
	most int64
	log  *slog.Logger
	pack *zstd.Encoder
	read *zstd.Decoder

	mu    sync.Mutex
	used  *list.List // of *item, the latest first
	items map[key]*list.Element
	bytes int64
}

type item struct {
	key  key
	size int64
}

// block is what a file takes of a disk beyond its bytes, about.
const block = 4 << 10

// openStore finds what is there, the latest used first.
func openStore(dir string, most int64, log *slog.Logger) (*store, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	s := &store{dir: dir, most: most, log: log, used: list.New(), items: map[key]*list.Element{}}
	var err error
	if s.pack, err = zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1)); err != nil {
		return nil, err
	}
	if s.read, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxPlain)); err != nil {
		return nil, err
	}
	type found struct {
		item
		at time.Time
	}
	var all []found
	err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return nil // gone since
		}
		name := d.Name()
		if strings.HasPrefix(name, ".new-") && time.Since(info.ModTime()) > time.Hour {
			_ = os.Remove(path) // of a process that died
		}
		raw, err := hex.DecodeString(name)
		if err == nil && len(raw) == len(key{}) {
			all = append(all, found{item{key(raw), info.Size() + block}, info.ModTime()})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b found) int { return b.at.Compare(a.at) })
	for _, f := range all {
		s.items[f.key] = s.used.PushBack(&item{f.key, f.size})
		s.bytes += f.size
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shrink()
	return s, nil
}

func (s *store) close() error {
	s.read.Close()
	return s.pack.Close()
}

func (s *store) path(k key) string {
	name := k.String()
	return filepath.Join(s.dir, name[:2], name)
}

// stored is an entry whose body was not read yet.
type stored struct {
	*head
	file  *os.File
	first []byte
	size  int // of the packed body
}

func (e *stored) close() { _ = e.file.Close() } // only read from

// get finds an entry; nil when there is none, or none that can be used.
func (s *store) get(k key) *stored {
	s.mu.Lock()
	at, ok := s.items[k]
	if ok {
		s.used.MoveToFront(at)
	}
	s.mu.Unlock()
	if !ok {
		return nil
	}
	f, err := os.Open(s.path(k))
	if err != nil {
		s.forget(k)
		return nil
	}
	e, err := readFirst(f)
	if err != nil {
		_ = f.Close()
		s.drop(k, err)
		return nil
	}
	return e
}

func readFirst(f *os.File) (*stored, error) {
	first := make([]byte, fixed)
	if _, err := io.ReadFull(f, first); err != nil {
		return nil, errDamaged
	}
	n, packed, err := lengths(first)
	if err != nil {
		return nil, err
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(f, text); err != nil {
		return nil, errDamaged
	}
	h, err := readHead(first, text)
	if err != nil {
		return nil, err
	}
	return &stored{h, f, first, packed}, nil
}

// packed reads the body as it is stored.
func (e *stored) packed() ([]byte, error) {
	data := make([]byte, e.size)
	if _, err := io.ReadFull(e.file, data); err != nil {
		return nil, errDamaged
	}
	return data, nil
}

// put stores an entry. What cannot be written is not stored, which is told.
func (s *store) put(k key, h *head, packed []byte) {
	data, err := write(h, packed)
	if err == nil && int64(len(data))+block > s.most/8 {
		return // one answer is not to push all others out
	}
	if err == nil {
		err = s.replace(s.path(k), data)
	}
	if err != nil {
		s.log.Warn("an answer could not be stored in the cache", "error", err)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(k)
	size := int64(len(data)) + block
	s.items[k] = s.used.PushFront(&item{k, size})
	s.bytes += size
	s.shrink()
}

func (s *store) replace(path string, data []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*")
	if errors.Is(err, fs.ErrNotExist) {
		if err = os.MkdirAll(dir, 0o700); err == nil {
			f, err = os.CreateTemp(dir, ".new-*")
		}
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data) // not synced: the checksums tell what a power cut left
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name()) // the error at hand matters more
	}
	return err
}

// shrink removes what was used longest ago until the bound holds.
func (s *store) shrink() {
	for s.bytes > s.most && s.used.Len() > 0 {
		k := s.used.Back().Value.(*item).key
		s.remove(k)
		_ = os.Remove(s.path(k)) // what is left is found by the next process
	}
}

func (s *store) remove(k key) {
	if at, ok := s.items[k]; ok {
		s.bytes -= s.used.Remove(at).(*item).size
		delete(s.items, k)
	}
}

func (s *store) forget(k key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remove(k)
}

// drop removes an entry, for a reason that is told, or nil.
func (s *store) drop(k key, why error) {
	s.mu.Lock()
	_, there := s.items[k]
	s.remove(k)
	s.mu.Unlock()
	if !there {
		return
	}
	if why != nil {
		s.log.Warn("an entry of the cache is not used", "entry", k.String(), "error", why)
	}
	if err := os.Remove(s.path(k)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("an entry of the cache could not be removed", "error", fmt.Sprint(err))
	}
}
