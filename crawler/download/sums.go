package download

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"path"
	"strings"
)

// Sums are the SHA-256 of files, from a file as sha256sum writes it.
type Sums struct {
	byName map[string][]byte
	last   map[string]int // how many names end with this segment
}

// maxSums bounds the lines of a file of sums.
const maxSums = 1_000_000

// MaxSumsFile bounds what is read of one, in bytes.
const MaxSumsFile = 64 << 20

// ReadSums reads lines of a sum and a name, in either form that sha256sum writes: with
// two spaces, a space and a star, or as "SHA256 (name) = sum". The error names the line.
func ReadSums(r io.Reader) (*Sums, error) {
	s := &Sums{byName: map[string][]byte{}, last: map[string]int{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<10)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r")
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "-----") {
			continue
		}
		name, text, ok := cutSum(line)
		sum, err := hex.DecodeString(text)
		switch {
		case ok && err == nil && len(sum) != 32 && sumNames[len(sum)] != "":
			return nil, fmt.Errorf("line %d has %s, and SHA-256 is wanted", n, sumNames[len(sum)])
		case !ok || err != nil || len(sum) != 32:
			return nil, fmt.Errorf("line %d is not the SHA-256 of a file and its name", n)
		}
		if len(s.byName) >= maxSums {
			return nil, fmt.Errorf("there are more than %d lines", maxSums)
		}
		s.add(name, sum)
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(s.byName) == 0 {
		return nil, fmt.Errorf("there is no line in it")
	}
	return s, nil
}

// sumNames are other sums, by their length.
var sumNames = map[int]string{16: "an MD5", 20: "a SHA-1", 28: "a SHA-224", 48: "a SHA-384", 64: "a SHA-512"}

func cutSum(line string) (name, sum string, ok bool) {
	if rest, tagged := strings.CutPrefix(line, "SHA256 ("); tagged {
		i := strings.LastIndex(rest, ") = ")
		if i < 0 {
			return "", "", false
		}
		return rest[:i], rest[i+4:], true
	}
	line = strings.TrimPrefix(line, `\`)
	sum, name, ok = strings.Cut(line, " ")
	if !ok || len(name) < 2 || name[0] != ' ' && name[0] != '*' {
		return "", "", false
	}
	return name[1:], sum, true
}

func (s *Sums) add(name string, sum []byte) {
	name = path.Clean("/" + name)[1:]
	if s.byName[name] == nil {
		s.last[path.Base(name)]++
	}
	s.byName[name] = sum
}

// of is the sum for a URL's path or a key, by the longest end of it that the file names
// with its folders. A name without one stands for every file of that name, unless other
// lines have it with folders: then nobody knows which it is.
func (s *Sums) of(whole string) []byte {
	if s == nil {
		return nil
	}
	whole = strings.TrimPrefix(whole, "/")
	for rest := whole; ; {
		below := strings.IndexByte(rest, '/') + 1
		if sum := s.byName[rest]; sum != nil && (below > 0 || rest == whole || s.last[rest] == 1) {
			return sum
		}
		if below == 0 {
			return nil
		}
		rest = rest[below:]
	}
}
