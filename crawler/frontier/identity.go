package frontier

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"path/filepath"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Errors of a folder that cannot be opened.
var (
	// ErrDamaged means that a state is broken: run fresh, or name another folder.
	ErrDamaged = errors.New("not a usable state")
	// ErrNotState means that something else lies in the folder, which is never
	// touched: name another one.
	ErrNotState = errors.New("not a folder for a state")
	// ErrNoState means that a state that is to be read is not there.
	ErrNoState = errors.New("it holds no state")
)

// format is the version of the rows. A newer one is refused, an older one is
// brought up to it, see migrate.go.
const format = 5

// Names in a state folder.
const (
	identityFile = "STATE"     // the Identity; written before the store is made
	discardFile  = "DISCARDED" // the Identity of a state being removed
	closedFile   = "CLOSED"    // the last commit; there while no process has the state open
	pidFile      = "PID"       // the Holder of LOCK
	lockFile     = "LOCK"
	probeFile    = "PROBE" // made and removed to see whether the folder can be written
	storeDir     = "store"
	ledgerDir    = "ledger"
)

// Identity says whose state a folder holds.
type Identity struct {
	Format  int    `json:"format"`
	Crawl   string `json:"crawl"`
	Version string `json:"version"` // of the program that made the state
	// Migrating is the format that some rows may still have, after a process
	// died on the way from it to Format; zero without such a thing.
	Migrating int `json:"migrating,omitempty"`
}

// rows is the oldest format that rows may have.
func (id *Identity) rows() int {
	if id.Migrating > 0 {
		return id.Migrating
	}
	return id.Format
}

// Peek reads whose state dir holds without taking the lock. A missing state is
// fs.ErrNotExist.
func Peek(dir string) (Identity, error) {
	id, err := readIdentity(vfs.Default, filepath.Join(dir, identityFile))
	if err != nil {
		return Identity{}, fmt.Errorf("state folder %s: %w", dir, err)
	}
	return id, nil
}

func readIdentity(fsys vfs.FS, path string) (Identity, error) {
	b, err := readFile(fsys, path)
	if err != nil {
		return Identity{}, err
	}
	var id Identity
	text, sum := unseal(b)
	if err := json.Unmarshal(text, &id); err != nil || id.Format < 1 || sum == wrongSum ||
		sum == noSum && id.Format > 1 && id.Format <= format {
		return Identity{}, fmt.Errorf("%w: its %s file is damaged", ErrDamaged, identityFile)
	}
	return id, nil
}

// A small file of ours is a JSON object whose last member is the checksum of
// the object without it, so that people can read it and a changed octet shows.
const (
	sumBefore = `,"sum":"`
	sumAfter  = "\"}\n"
	sumLen    = len(sumBefore) + 8 + len(sumAfter)
)

type sumState int

const (
	goodSum sumState = iota
	noSum            // as format 1 had it
	wrongSum
)

func seal(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return append(b[:len(b)-1], sumBefore+sumOf(b)+sumAfter...), nil
}

// unseal gives the object without its checksum.
func unseal(b []byte) ([]byte, sumState) {
	at := len(b) - sumLen
	if at < 0 || !bytes.HasPrefix(b[at:], []byte(sumBefore)) || !bytes.HasSuffix(b, []byte(sumAfter)) {
		return b, noSum
	}
	text := append(bytes.Clone(b[:at]), '}')
	if string(b[at+len(sumBefore):len(b)-len(sumAfter)]) != sumOf(text) {
		return text, wrongSum
	}
	return text, goodSum
}

func sumOf(text []byte) string { return fmt.Sprintf("%08x", crc32.Checksum(text, castagnoli)) }

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// maxFile bounds the small files read whole.
const maxFile = 64 << 10

func readFile(fsys vfs.FS, path string) ([]byte, error) {
	file, err := fsys.Open(path)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(io.LimitReader(file, maxFile))
	return b, errors.Join(err, file.Close())
}
