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
	// twice are last names that several lines have, with different sums.
	byLast map[string][]byte
}

// maxSums bounds the lines of a file of sums.
const maxSums = 1_000_000

// ReadSums reads lines of a sum and a name, in either form that sha256sum writes: with
// two spaces, a space and a star, or as "SHA256 (name) = sum". The error names the line.
func ReadSums(r io.Reader) (*Sums, error) {
	s := &Sums{byName: map[string][]byte{}, byLast: map[string][]byte{}}
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 64<<10)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimRight(lines.Text(), "\r")
		if line == "" || strings.HasPrefix(line, "#") || strings.HasPrefix(line, "-----") {
			continue
		}
		name, text, ok := cutSum(line)
		sum, err := hex.DecodeString(text)
		if !ok || err != nil || len(sum) != 32 {
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
	s.byName[name] = sum
	last := path.Base(name)
	if known, twice := s.byLast[last]; twice && string(known) != string(sum) {
		sum = nil
	}
	s.byLast[last] = sum
}

// of is the sum for a URL's path or a key, by the end of it that the file names.
func (s *Sums) of(whole string) []byte {
	if s == nil {
		return nil
	}
	for rest := strings.TrimPrefix(whole, "/"); ; {
		if sum := s.byName[rest]; sum != nil {
			return sum
		}
		_, below, ok := strings.Cut(rest, "/")
		if !ok {
			break
		}
		rest = below
	}
	return s.byLast[path.Base(whole)]
}
