package politeness

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"strings"
	"time"
)

// memory reads what was kept, a field at a time. Past its end it gives zeros,
// and short is true.
type memory struct {
	b     []byte
	short bool
}

// openMemory checks version and checksum.
func openMemory(data []byte, version byte) (memory, bool) {
	if len(data) < 5 || data[0] != version {
		return memory{}, false
	}
	end := len(data) - 4
	if !bytes.Equal(checksum(data[:end]), data[end:]) {
		return memory{}, false
	}
	return memory{b: data[1:end]}, true
}

func checksum(b []byte) []byte {
	return binary.BigEndian.AppendUint32(nil, crc32.ChecksumIEEE(b))
}

func (m *memory) octets(n int) []byte {
	if n < 0 || n > len(m.b) {
		m.b, m.short = nil, true
		return nil
	}
	out := m.b[:n]
	m.b = m.b[n:]
	return out
}

func (m *memory) octet() byte {
	if b := m.octets(1); b != nil {
		return b[0]
	}
	return 0
}

func (m *memory) varint() int64 {
	v, n := binary.Varint(m.b)
	if n <= 0 {
		m.b, m.short = nil, true
		return 0
	}
	m.b = m.b[n:]
	return v
}

func (m *memory) text(most int) string {
	n := m.varint()
	if n < 0 || n > int64(most) {
		m.b, m.short = nil, true
		return ""
	}
	return string(m.octets(int(n)))
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendVarint(b, int64(len(s))), s...)
}

// cut shortens a text without breaking a character.
func cut(s string, most int) string {
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "")
	}
	return s
}

func unix(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func instant(n int64) time.Time {
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n)
}

// past turns a remembered instant of the outside clock into one of this clock
// that is not ahead of it.
func (c *clock) past(t, now time.Time) time.Time {
	if t.IsZero() {
		return t
	}
	if t = c.inside(t); t.After(now) {
		return now
	}
	return t
}

// future does the same for an instant that may lie ahead, but no further than
// most.
func (c *clock) future(t, now time.Time, most time.Duration) time.Time {
	if t.IsZero() {
		return t
	}
	if t = c.inside(t); t.After(now.Add(most)) {
		return now.Add(most)
	}
	return t
}
