package sink

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// errPower is what every operation gives once the power is cut.
var errPower = errors.New("the power is cut")

// lossy is a disk that works in a folder and knows what of it would survive a
// power cut: what was synced, and of the rest as much as chance has it. Data
// and names are synced apart, as POSIX has it.
type lossy struct {
	base string
	tick func() error // called before each operation that writes

	mu    sync.Mutex
	files map[string]*lossyData
	names map[string]bool // of files and folders: whether durable
}

// lossyData is what of a file's content is durable, and what was done to it
// since.
type lossyData struct {
	durable []byte
	pending []lossyOp
}

// lossyOp is a write, or a truncation where data is nil.
type lossyOp struct {
	at   int64
	data []byte
}

func newLossy(base string, tick func() error) *lossy {
	return &lossy{base: base, tick: tick, files: map[string]*lossyData{}, names: map[string]bool{}}
}

func (l *lossy) Stat(path string) (os.FileInfo, error) { return os.Stat(path) }

func (l *lossy) Mkdir(path string, perm os.FileMode) error {
	if err := l.tick(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	err := os.Mkdir(path, perm)
	if err == nil {
		l.names[path] = false
	}
	return err
}

func (l *lossy) Empty(path string) (bool, error) { return realDisk{}.Empty(path) }

func (l *lossy) SyncFolder(path string) error {
	if err := l.tick(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for name := range l.names {
		if filepath.Dir(name) == path {
			l.names[name] = true
		}
	}
	return nil
}

func (l *lossy) OpenFile(path string, flag int, perm os.FileMode) (handle, error) {
	if flag&os.O_CREATE != 0 {
		if err := l.tick(); err != nil {
			return nil, err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	f, err := os.OpenFile(path, flag, perm)
	if err != nil {
		return nil, err
	}
	if l.files[path] == nil {
		l.files[path], l.names[path] = &lossyData{}, false
	}
	return &lossyFile{File: f, disk: l, data: l.files[path]}, nil
}

// lossyFile is an open file of a lossy disk.
type lossyFile struct {
	*os.File
	disk *lossy
	data *lossyData
}

func (f *lossyFile) WriteAt(p []byte, at int64) (int, error) {
	if err := f.disk.tick(); err != nil {
		return 0, err
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.data.pending = append(f.data.pending, lossyOp{at, slices.Clone(p)})
	return f.File.WriteAt(p, at)
}

func (f *lossyFile) Truncate(size int64) error {
	if err := f.disk.tick(); err != nil {
		return err
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	f.data.pending = append(f.data.pending, lossyOp{at: size})
	return f.File.Truncate(size)
}

func (f *lossyFile) Sync() error {
	if err := f.disk.tick(); err != nil {
		return err
	}
	f.disk.mu.Lock()
	defer f.disk.mu.Unlock()
	content, err := os.ReadFile(f.Name())
	f.data.durable, f.data.pending = content, nil
	return err
}

// cut decides what a power cut now would leave; the content of a folder is nil.
func (l *lossy) cut(random *rand.Rand) map[string][]byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	left := map[string][]byte{}
	lost := map[string]bool{}
	for _, name := range slices.Sorted(keysOf(l.names)) { // folders come before what is in them
		if lost[filepath.Dir(name)] || !l.names[name] && random.IntN(2) == 0 {
			lost[name] = true
			continue
		}
		if data := l.files[name]; data != nil {
			left[name] = data.after(random)
		} else {
			left[name] = nil
		}
	}
	return left
}

// after is the content with as much of what was not synced as chance has it:
// each write may have arrived, in part, as zeros or not at all, whatever became
// of the others.
func (d *lossyData) after(random *rand.Rand) []byte {
	content := append([]byte{}, d.durable...)
	for _, op := range d.pending {
		chance := random.IntN(4)
		switch {
		case chance == 0: // it never arrived
		case op.data == nil:
			content = resized(content, op.at)
		default:
			data := op.data
			if chance == 1 {
				data = data[:random.IntN(len(data)+1)]
			} else if chance == 2 {
				data = make([]byte, len(data))
			}
			content = resized(content, max(int64(len(content)), op.at+int64(len(data))))
			copy(content[op.at:], data)
		}
	}
	return content
}

func resized(b []byte, size int64) []byte {
	if int64(len(b)) >= size {
		return b[:size]
	}
	return append(b, make([]byte, size-int64(len(b)))...)
}

// restart makes the folder hold what a cut has left.
func (l *lossy) restart(left map[string][]byte) error {
	entries, err := os.ReadDir(l.base)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := os.RemoveAll(filepath.Join(l.base, e.Name())); err != nil {
			return err
		}
	}
	l.files, l.names = map[string]*lossyData{}, map[string]bool{}
	for path, content := range left {
		l.names[path] = true
		if content == nil {
			if err := os.MkdirAll(path, 0o755); err != nil {
				return err
			}
			continue
		}
		l.files[path] = &lossyData{durable: content}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, content, 0o644)); err != nil {
			return err
		}
	}
	return nil
}

func keysOf[V any](m map[string]V) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// The disk of the power tests must forget what was not synced, or they prove
// nothing.
func TestLossyDiskForgets(t *testing.T) {
	base := t.TempDir()
	l := newLossy(base, func() error { return nil })
	folder := filepath.Join(base, "out")
	if err := l.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	var handles []handle
	for _, name := range []string{"named", "nameless"} {
		f, err := l.OpenFile(filepath.Join(folder, name), os.O_RDWR|os.O_CREATE, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if _, err := f.WriteAt([]byte("synced"), 0); err != nil {
			t.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			t.Fatal(err)
		}
		handles = append(handles, f)
		if name == "named" {
			if err := errors.Join(l.SyncFolder(folder), l.SyncFolder(base)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if _, err := handles[0].WriteAt([]byte(" and not"), 6); err != nil {
		t.Fatal(err)
	}
	lostName, lostData := 0, 0
	for n := range uint64(64) {
		left := l.cut(rand.New(rand.NewPCG(n, 0)))
		named, ok := left[filepath.Join(folder, "named")]
		if !ok || !strings.HasPrefix(string(named), "synced") {
			t.Fatalf("what was synced is gone: %q", left)
		}
		if string(named) != "synced and not" {
			lostData++
		}
		if _, ok := left[filepath.Join(folder, "nameless")]; !ok {
			lostName++
		}
	}
	if lostName == 0 || lostData == 0 {
		t.Errorf("of 64 cuts %d lost the name and %d the data that was not synced", lostName, lostData)
	}
	if err := l.restart(l.cut(rand.New(rand.NewPCG(1, 1)))); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(folder, "named")); errors.Is(err, fs.ErrNotExist) {
		t.Error("the restart lost what was synced")
	}
}
