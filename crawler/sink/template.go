package sink

import (
	"fmt"
	"hash/crc32"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"

	"github.com/amblecrawl/amble/crawler"
)

// maxName bounds a cleaned name in bytes. File systems allow 255 for a path
// component; the rest is left to what the template puts around it.
const maxName = 120

var placeholders = []string{"{type}", "{run}", "{date}"}

// checkPath reports what is wrong with a path template, as one ConfigError. It may
// hold the usual placeholders and those named beside them.
func checkPath(path string, also ...string) error {
	bad := func(msg, hint string) error {
		return &crawler.ConfigError{Path: []string{"path"}, Msg: msg, Hint: hint}
	}
	switch {
	case strings.TrimSpace(path) == "":
		return bad("no path is given", "write a file name such as out/{type}.jsonl")
	case strings.ContainsRune(path, 0):
		return bad("the path holds a NUL byte", "")
	case strings.Contains(path, "://"):
		return bad(fmt.Sprintf("%q is an address, not a file", path), "this output writes to local files only")
	case strings.HasSuffix(path, "/") || strings.HasSuffix(path, string(filepath.Separator)):
		return bad(fmt.Sprintf("%q is a folder, not a file", path), "add a file name such as {type}.jsonl")
	}
	if i := strings.IndexByte(path, '{'); i >= 0 && slices.Contains(strings.Split(filepath.ToSlash(path[i:]), "/"), "..") {
		return bad(fmt.Sprintf("%q goes up again by .. behind a name that varies", path), "write the path without ..")
	}
	for rest := path; ; {
		i := strings.IndexAny(rest, "{}")
		if i < 0 {
			return nil
		}
		rest = rest[i:]
		end := strings.IndexByte(rest, '}')
		if end <= 0 || !slices.Contains(placeholders, rest[:end+1]) && !slices.Contains(also, rest[:end+1]) {
			known := append(slices.Clone(placeholders), also...)
			last := len(known) - 1
			return bad(fmt.Sprintf("%q holds a brace that is none of %s and %s", path, strings.Join(known[:last], ", "), known[last]), "")
		}
		rest = rest[end+1:]
	}
}

// expand gives the file of one record type, by its cleaned name.
func expand(path string, run crawler.RunInfo, name string) string {
	return strings.NewReplacer(
		"{type}", name,
		"{run}", cleanName(run.ID),
		"{date}", run.Started.UTC().Format("2006-01-02"),
	).Replace(path)
}

// root is the folder that all files of a template lie in. Positions name files
// relative to it, so that a crawl's folder can be moved with its state.
func root(path string) string {
	if i := strings.IndexByte(path, '{'); i >= 0 {
		path = path[:i] + "x"
	}
	return filepath.Dir(path)
}

// FileName is a record type as it stands for {type} in a path.
func FileName(recordType string) string { return cleanName(recordType) }

// cleanName makes a name safe as part of a file name on every system. A name
// that is safe already is returned as it is.
func cleanName(name string) string {
	clean := strings.Map(func(r rune) rune {
		if r == utf8.RuneError || !safeRune(r) {
			return '_'
		}
		return r
	}, name)
	if len(clean) > maxName {
		cut := maxName
		for !utf8.RuneStart(clean[cut]) {
			cut--
		}
		clean = clean[:cut]
	}
	if clean == "" || clean[0] == '.' || reserved(clean) {
		clean = "_" + clean
	}
	if last := clean[len(clean)-1]; last == '.' || last == ' ' {
		clean = clean[:len(clean)-1] + "_"
	}
	if clean != name {
		return checked(clean, name)
	}
	return clean
}

// checked tells a cleaned name from others like it by a checksum.
func checked(clean, name string) string {
	return fmt.Sprintf("%s-%08x", clean, crc32.ChecksumIEEE([]byte(name)))
}

// fold is the same for names that some file system takes for one: those that
// differ in case, or in how a character is composed.
func fold(key string) string {
	return norm.NFC.String(cases.Fold().String(norm.NFKC.String(key)))
}

func safeRune(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) || strings.ContainsRune("-_. +=@", r)
}

// reserved reports names that Windows keeps for devices, whatever follows a dot.
// Of a cleaned name only: the digits in superscript that it also keeps are gone.
func reserved(name string) bool {
	stem, _, _ := strings.Cut(name, ".")
	stem = strings.ToUpper(strings.TrimSpace(stem))
	switch stem {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	device := strings.TrimPrefix(strings.TrimPrefix(stem, "COM"), "LPT")
	return device != stem && len(device) == 1 && device[0] >= '0' && device[0] <= '9'
}
