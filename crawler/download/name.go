package download

import (
	"errors"
	"fmt"
	"net/url"
	"path"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/zeebo/xxh3"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// Template makes the names of files.
type Template struct {
	text  string
	parts []piece
	late  bool // the content is part of the name
}

// piece is literal text, or a placeholder with the most characters of it.
type piece struct {
	literal, holder string
	most            int
}

const (
	maxSegment = 255  // bytes of a name, on most file systems
	maxName    = 3000 // of a path below the folder
	// ownPrefix begins names that amble keeps for itself in a destination.
	ownPrefix = ".amble-"
)

// Holders are the placeholders of a template.
const Holders = "{path}, {host}, {dir}, {name}, {stem}, {ext}, {id} and {sha256}"

// errTemplate is a template that cannot be used.
var errTemplate = errors.New("not a template for names")

// ParseTemplate reads a template such as "{host}/{path}" or "{sha256:2}/{sha256}{ext}".
func ParseTemplate(text string) (*Template, error) {
	t := &Template{text: text}
	telling := false
	for rest := text; rest != ""; {
		before, after, ok := strings.Cut(rest, "{")
		if before != "" {
			t.parts = append(t.parts, piece{literal: before})
		}
		if !ok {
			break
		}
		name, behind, closed := strings.Cut(after, "}")
		if !closed {
			return nil, fmt.Errorf("%w: a { is not closed", errTemplate)
		}
		p := piece{holder: name}
		if holder, most, cut := strings.Cut(name, ":"); cut {
			n, err := strconv.Atoi(most)
			if err != nil || n < 1 || n > 64 {
				return nil, fmt.Errorf("%w: {%s}: want a number of characters from 1 to 64 behind the colon", errTemplate, name)
			}
			p = piece{holder: holder, most: n}
		}
		switch p.holder {
		case "path", "name", "id":
			telling = true
		case "sha256":
			telling, t.late = true, true
		case "host", "dir", "stem", "ext":
		default:
			return nil, fmt.Errorf("%w: there is no {%s}; there are %s", errTemplate, name, Holders)
		}
		t.parts, rest = append(t.parts, p), behind
	}
	switch {
	case !telling:
		return nil, fmt.Errorf("%w: all files would have one name; add {path}, {name}, {id} or {sha256}", errTemplate)
	case strings.HasPrefix(text, "/"), strings.ContainsRune(text, 0):
		return nil, fmt.Errorf("%w: names are below the destination and do not begin with a slash", errTemplate)
	}
	for segment := range strings.SplitSeq(text, "/") {
		if segment == ".." || segment == "." {
			return nil, fmt.Errorf("%w: it leads out of the destination", errTemplate)
		}
	}
	return t, nil
}

// source is what a name is made of.
type source struct {
	host string
	dirs []string
	last string
	id   string
	sum  string // sha256 in hexadecimal
}

// sourceOf takes a URL apart. Of what is in a bucket the first base bytes of the key
// are not part of the name.
func sourceOf(r *crawler.Request, base int, id string) source {
	u := r.URL
	if parsed, err := urls.Parse(r.Origin()); err == nil {
		u = parsed
	}
	s := source{host: hostOf(u), id: id}
	if key, ok := KeyOf(u); ok {
		segments := strings.Split(key[min(max(base, 0), len(key)):], "/")
		s.dirs, s.last = segments[:len(segments)-1], segments[len(segments)-1]
		return s
	}
	segments := strings.Split(strings.TrimPrefix(u.Path(), "/"), "/")
	for i, segment := range segments {
		if plain, err := url.PathUnescape(segment); err == nil {
			segments[i] = plain
		}
	}
	s.dirs, s.last = segments[:len(segments)-1], segments[len(segments)-1]
	if s.last == "" {
		s.last = "index.html"
	}
	if q := u.Query(); q != "" {
		s.last += "@" + q
	}
	return s
}

// NeedsSum reports whether the SHA-256 of the content is part of the name.
func (t *Template) NeedsSum() bool { return t.late }

// Of is the name of the file of a URL, or the template where the content is part of
// the name. Of an object the first base bytes of the key are no part of it.
func (t *Template) Of(u urls.URL, base int) (string, error) {
	if t.late {
		return t.text, nil
	}
	r := &crawler.Request{URL: u}
	return t.name(sourceOf(r, base, idOf(r)))
}

// name is the path below the destination, with slashes. It is safe: no segment leads
// up, is empty, too long or hidden from people, and none is amble's own.
func (t *Template) name(s source) (string, error) {
	ext := path.Ext(s.last)
	if len(ext) > 16 || ext == s.last {
		ext = ""
	}
	last := safe(s.last)
	dirs := make([]string, len(s.dirs))
	for i, d := range s.dirs {
		dirs[i] = safe(d)
	}
	values := map[string]string{
		"host": safe(s.host), "dir": strings.Join(dirs, "/"), "name": last, "path": strings.Join(append(dirs, last), "/"),
		"stem": safe(strings.TrimSuffix(s.last, ext)), "ext": safeExt(ext), "id": s.id, "sha256": s.sum,
	}
	var b strings.Builder
	for _, p := range t.parts {
		v := p.literal + values[p.holder]
		if p.most > 0 {
			v = firstRunes(v, p.most)
		}
		b.WriteString(v)
	}
	var segments []string
	for segment := range strings.SplitSeq(b.String(), "/") {
		if segment != "" { // of a holder without a value
			segments = append(segments, short(safe(segment)))
		}
	}
	if len(segments) == 0 {
		return "", errors.New("the name is empty")
	}
	for i, segment := range segments {
		if strings.HasPrefix(segment, ownPrefix) {
			segments[i] = "%2E" + segment[1:]
		}
	}
	name := strings.Join(segments, "/")
	if len(name) > maxName {
		return "", fmt.Errorf("its name of %d bytes is longer than the %d that a path may have", len(name), maxName)
	}
	return name, nil
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// safe writes what cannot be part of a name as %XX: control characters, slashes, what
// is no UTF-8, and the dots of names that lead elsewhere.
func safe(segment string) string {
	switch segment {
	case "":
		return "%"
	case ".":
		return "%2E"
	case "..":
		return "%2E%2E"
	}
	var b strings.Builder
	for i := 0; i < len(segment); {
		r, n := utf8.DecodeRuneInString(segment[i:])
		if r == utf8.RuneError && n == 1 || r < ' ' || r == 0x7f || r == '/' || r >= 0x80 && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			for _, c := range []byte(segment[i : i+n]) {
				fmt.Fprintf(&b, "%%%02X", c)
			}
		} else {
			b.WriteString(segment[i : i+n])
		}
		i += n
	}
	return b.String()
}

func safeExt(ext string) string {
	if ext == "" {
		return ""
	}
	return safe(ext)
}

// short keeps a name within what file systems take, and apart from others that begin
// alike.
func short(segment string) string {
	if len(segment) <= maxSegment {
		return segment
	}
	ext := path.Ext(segment)
	if len(ext) > 16 {
		ext = ""
	}
	cut := 200
	for !utf8.RuneStart(segment[cut]) {
		cut--
	}
	return fmt.Sprintf("%s~%016x%s", segment[:cut], xxh3.HashString(segment), ext)
}

// hostOf is a URL's host, with its port where it has one.
func hostOf(u urls.URL) string {
	if port := u.Port(); port != "" {
		return u.Hostname() + ":" + port
	}
	return u.Hostname()
}
