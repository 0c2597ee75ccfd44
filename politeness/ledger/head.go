package ledger

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// headSuffix is that of the files which say what a ledger held before its first segment,
// named by the last segment that they speak of. The one with the highest number counts;
// segments up to that number are no part of the ledger any more, whether they are still
// there or not. So the renaming of one file is the whole of what Prune does.
const headSuffix = ".head"

// unfinished ends the name of a file that is being written.
const unfinished = ".new"

// Before is what a ledger says of the entries that it no longer holds.
type Before struct {
	// Through is the number of the last file that was put away.
	Through   int   `json:"through"`
	Processes int   `json:"processes"`
	Requests  int64 `json:"requests"`
	Withheld  int64 `json:"withheld"`
	// First and Last are the instants of the first entry and of the last.
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	// Violations were found by the audit that was made of them before.
	Violations int64 `json:"violations"`
	// Digest is SHA-256 over the digest before, empty at first, and the content of the
	// files that went, in hexadecimal: who has kept copies can show that they are those.
	Digest string `json:"sha256"`
}

type head struct {
	Before
	Sum string `json:"sum"` // of the rest
}

func (b *Before) sum() string {
	text, _ := json.Marshal(b) // nothing in it can fail
	return fmt.Sprintf("%08x", crc32.Checksum(text, castagnoli))
}

func headFile(dir string, through int) string {
	return filepath.Join(dir, fmt.Sprintf("%06d%s", through, headSuffix))
}

// readHead reads one; it is a *CorruptError where it is not what was written.
func readHead(file string) (*Before, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	var h head
	if json.Unmarshal(text, &h) != nil || h.Sum != h.sum() || h.Through < 1 || filepath.Base(file) != filepath.Base(headFile("", h.Through)) {
		return nil, &CorruptError{File: file, Detail: "it does not say what went before"}
	}
	return &h.Before, nil
}

// listing is what lies in the folder of a ledger.
type listing struct {
	numbers []int    // of its segments, in order
	before  *Before  // what it no longer holds, nil for nothing
	gone    []string // files that are no part of it any more
}

// errMoved means that a file was put away after it was listed.
var errMoved = errors.New("ledger: its beginning was put away meanwhile")

// listTries is how often a folder is looked at that changes meanwhile.
const listTries = 5

// list reads a folder. Where another process puts segments away at the same moment it
// is read again.
func list(dir string) (l listing, err error) {
	for range listTries {
		l, err = listOnce(dir)
		if err == nil || !errors.Is(err, errMoved) {
			return l, err
		}
	}
	return l, err
}

func listOnce(dir string) (l listing, err error) {
	files, err := os.ReadDir(dir)
	if err != nil {
		return l, fmt.Errorf("ledger: %w", err)
	}
	all, heads := numbered(files, suffix), numbered(files, headSuffix)
	through := 0
	if n := len(heads); n > 0 {
		through = heads[n-1]
		if l.before, err = readHead(headFile(dir, through)); errors.Is(err, fs.ErrNotExist) {
			return l, errMoved // a later one has taken its place
		} else if err != nil {
			return l, err
		}
		for _, h := range heads[:n-1] {
			l.gone = append(l.gone, headFile(dir, h))
		}
	}
	for _, n := range numbered(files, headSuffix+unfinished) {
		l.gone = append(l.gone, headFile(dir, n)+unfinished)
	}
	for _, n := range all {
		if n <= through {
			l.gone = append(l.gone, segmentFile(dir, n))
			continue
		}
		if k := len(l.numbers); k > 0 && n != l.numbers[k-1]+1 {
			return l, missing(dir, l.numbers[k-1]+1)
		}
		l.numbers = append(l.numbers, n)
	}
	if through > 0 && (len(l.numbers) == 0 || l.numbers[0] != through+1) {
		return l, missing(dir, through+1)
	}
	return l, nil
}

// missing is a *CorruptError, or errMoved where a file has been put away by now.
func missing(dir string, n int) error {
	if moved(dir, n) {
		return errMoved
	}
	return &CorruptError{File: segmentFile(dir, n), Detail: "the file is missing"}
}

// moved reports whether a segment is one of those that were put away.
func moved(dir string, n int) bool {
	files, err := os.ReadDir(dir)
	if err != nil {
		return false
	}
	heads := numbered(files, headSuffix)
	return len(heads) > 0 && heads[len(heads)-1] >= n
}

// numbered gives the numbers of the files with an ending, in order.
func numbered(files []os.DirEntry, ending string) (out []int) {
	for _, f := range files {
		name, ok := strings.CutSuffix(f.Name(), ending)
		n, err := strconv.Atoi(name)
		if ok && err == nil && n > 0 && f.Name() == fmt.Sprintf("%06d%s", n, ending) {
			out = append(out, n)
		}
	}
	slices.Sort(out)
	return out
}
