package politeness

import (
	"bytes"
	"compress/flate"
	"container/list"
	"encoding/binary"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/amblecrawl/amble/politeness/robots"
)

// How long a copy of robots.txt serves: as its answer says, within bounds, or
// 24 hours where it says nothing (RFC 9309 section 2.4). The lower bound keeps a
// site that forbids caching from having it fetched for each page.
const (
	robotsLifetime = 24 * time.Hour
	robotsLeast    = 5 * time.Minute
)

// copyKind says what a copy rests on.
type copyKind uint8

const (
	copyFile    copyKind = iota // a 2xx answer
	copyNone                    // a 4xx answer: there is none
	copyAssumed                 // unreachable for so long that policy allows
)

// robotsCopy is what is known of one robots.txt. What each of a million hosts
// needs while it is not asked about stands here, the rest in its text. Only got,
// lifetime and text change.
type robotsCopy struct {
	hash      [16]byte
	got       time.Time // when it was fetched, or last found current
	lifetime  time.Duration
	delay     time.Duration // its Crawl-delay, capped
	delayLine int32
	kind      copyKind
	text      *robotsText   // nil while it is put away
	place     *list.Element // of the text on the shelf, nil when it is not there
}

// robotsText is what is read out of a file, and does not change once it is part
// of a copy.
type robotsText struct {
	rules    *robots.Rules
	digest   any    // what Policy.Digest made of the body
	etag     string // validators (RFC 9110 section 8.8), "" without
	modified string
	from     string // the URL that they are good for, "" for the usual one
	size     int    // octets of memory, about
}

// fresh reports whether it may still be relied on.
func (c *robotsCopy) fresh(now time.Time) bool {
	return c != nil && now.Before(c.got.Add(c.lifetime))
}

// refresh is the instant from which a new copy is asked for while the old one
// still serves.
func (c *robotsCopy) refresh() time.Time { return c.got.Add(c.lifetime / 8 * 7) }

// same reports whether two copies need not be told apart in memory.
func (c *robotsCopy) same(d *robotsCopy) bool {
	if c == nil || c.text == nil || c.kind != d.kind || c.hash != d.hash {
		return false
	}
	s, t := c.text, d.text
	return s.etag == t.etag && s.modified == t.modified && s.from == t.from
}

// away reports whether the copy's text was put away.
func (c *robotsCopy) away() bool { return c != nil && c.text == nil }

// textOverhead is what a text takes beside its rules.
const textOverhead = 300

// newCopy reads the body of a robots.txt.
func newCopy(body []byte, p *Policy) *robotsCopy {
	f := robots.Parse(body, p.Mode)
	t := &robotsText{rules: f.Agent(p.Agent)}
	t.size = t.rules.Size() + textOverhead
	c := &robotsCopy{hash: f.Hash(), lifetime: robotsLifetime, text: t}
	if p.Digest != nil {
		t.digest = p.Digest(body)
	}
	if delay, line, ok := t.rules.CrawlDelay(); ok {
		c.delay, c.delayLine = min(delay, p.MaxCrawlDelay), int32(line)
	}
	return c
}

// emptyCopy is the copy of a file that does not exist. All of them share one
// text.
func (g *Gate) emptyCopy(kind copyKind) *robotsCopy {
	return &robotsCopy{hash: g.noRules.hash, kind: kind, lifetime: robotsLifetime, text: g.noRules.text}
}

// validate keeps what makes the copy's next fetch cheap, of a file that is there.
func (c *robotsCopy) validate(header http.Header, from string) {
	if c.kind != copyFile {
		return
	}
	if etag := header.Get("ETag"); len(etag) <= maxValidator && strings.HasSuffix(etag, `"`) && printable(etag) {
		c.text.etag = strings.Clone(etag)
	}
	modified := header.Get("Last-Modified")
	if _, err := http.ParseTime(modified); err == nil {
		c.text.modified = strings.Clone(modified)
	}
	c.text.from = from
}

// maxValidator bounds an ETag, which each host keeps in memory.
const maxValidator = 128

func printable(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 0x7f {
			return false
		}
	}
	return true
}

// conditions returns the fields that ask for the copy only if it changed (RFC
// 9110 section 13.1), nil where the URL is not the one it came from.
func (c *robotsCopy) conditions(from string) http.Header {
	if c == nil || c.kind != copyFile || c.away() {
		return nil
	}
	t := c.text
	if t.from != from || t.etag == "" && t.modified == "" {
		return nil
	}
	header := http.Header{}
	if t.etag != "" {
		header.Set("If-None-Match", t.etag)
	}
	if t.modified != "" {
		header.Set("If-Modified-Since", t.modified)
	}
	return header
}

// lifetime reads how long an answer may serve (RFC 9111 section 4.2.1), within
// our bounds; stated is false when it says nothing. What cannot be read counts
// as stale, as the RFC says: the next look is early rather than late.
func lifetime(header http.Header) (d time.Duration, stated bool) {
	age, _ := seconds(strings.TrimSpace(header.Get("Age")))
	best := time.Duration(-1)
	for _, line := range header.Values("Cache-Control") {
		for _, directive := range strings.Split(line, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			switch strings.ToLower(name) {
			case "no-cache", "no-store":
				return robotsLeast, true
			case "max-age":
				n, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
				if err != nil && !strings.Contains(err.Error(), strconv.ErrRange.Error()) {
					return robotsLeast, true
				}
				if d := time.Duration(n) * time.Second; best < 0 || d < best {
					best = d
				}
			}
		}
	}
	if best >= 0 {
		return bounded(best - age), true
	}
	if header.Get("Expires") == "" {
		return robotsLifetime, false
	}
	expires, err := http.ParseTime(header.Get("Expires"))
	date, errDate := http.ParseTime(header.Get("Date"))
	if err != nil || errDate != nil {
		return robotsLeast, true
	}
	return bounded(expires.Sub(date) - age), true
}

func bounded(d time.Duration) time.Duration { return min(max(d, robotsLeast), robotsLifetime) }

const robotsVersion = 1

// write packs a copy with its body, which the copy itself does not keep.
func (c *robotsCopy) write(packed []byte, got time.Time) []byte {
	t := c.text
	b := make([]byte, 0, 64+len(t.etag)+len(t.modified)+len(t.from)+len(packed))
	b = append(b, robotsVersion, byte(c.kind))
	b = binary.AppendVarint(b, unix(got))
	b = binary.AppendVarint(b, int64(c.lifetime))
	b = append(b, c.hash[:]...)
	b = appendText(b, t.etag)
	b = appendText(b, t.modified)
	b = appendText(b, t.from)
	b = append(b, packed...)
	return append(b, checksum(b)...)
}

// readRobots reads it back for this policy, with got by the outside clock; nil
// when it is damaged, so that robots.txt is fetched anew.
func readRobots(data []byte, p *Policy) *robotsCopy {
	m, ok := openMemory(data, robotsVersion)
	if !ok {
		return nil
	}
	kind, got, life := copyKind(m.octet()), instant(m.varint()), m.varint()
	hash := m.octets(16)
	etag, modified, from := m.text(maxValidator), m.text(maxValidator), m.text(maxURL)
	if m.short || kind > copyNone {
		return nil
	}
	body, ok := unpack(m.b)
	if !ok {
		return nil
	}
	c := newCopy(body, p)
	if !bytes.Equal(c.hash[:], hash) || kind == copyNone && len(body) > 0 {
		return nil
	}
	c.kind, c.got, c.lifetime = kind, got, bounded(time.Duration(life))
	c.text.etag, c.text.modified, c.text.from = etag, modified, from
	return c
}

var packers = sync.Pool{New: func() any {
	w, _ := flate.NewWriter(nil, flate.BestSpeed) // fails for unknown levels only
	return w
}}

// pack compresses what is read of a body.
func pack(body []byte) []byte {
	var out bytes.Buffer
	w := packers.Get().(*flate.Writer)
	defer packers.Put(w)
	w.Reset(&out)
	_, _ = w.Write(body[:min(len(body), robots.MaxSize)]) // a bytes.Buffer takes it
	_ = w.Close()
	return out.Bytes()
}

func unpack(packed []byte) ([]byte, bool) {
	r := flate.NewReader(bytes.NewReader(packed))
	body, err := io.ReadAll(io.LimitReader(r, robots.MaxSize+1))
	return body, err == nil && len(body) <= robots.MaxSize
}
