package ledger

import (
	"errors"
	"math"
	"time"
)

// Entries are written column by column, since a column's values resemble each
// other. Strings that come again (hosts, rules, hashes of robots.txt) are
// written once and then named by number; the numbers begin anew with every run
// frame, and when the table is full.
const (
	maxTable   = 1 << 15
	maxString  = 512      // of a string in the table
	maxURL     = 64 << 10 // longer ones are cut
	maxEntries = 4096     // in a frame
	frameFill  = 1 << 20  // octets of strings from which a frame is full
	robotsFill = 64 << 10 // octets from which a frame of robots.txt is full: one is read back alone
)

var errFormat = errors.New("a frame does not follow the format")

// table numbers strings from 1; 0 is the empty string.
type table struct {
	ids   map[string]uint64 // of the writer
	all   []string          // of the reader
	fresh []string          // not yet written
	reset bool              // the next frame begins anew
}

func (t *table) clear() {
	t.ids, t.all, t.fresh, t.reset = make(map[string]uint64), nil, nil, true
}

func (t *table) id(s string) uint64 {
	if s == "" {
		return 0
	}
	s = s[:min(len(s), maxString)]
	id := t.ids[s]
	if id == 0 {
		id = uint64(len(t.ids) + 1)
		t.ids[s] = id
		t.fresh = append(t.fresh, s)
	}
	return id
}

func (t *table) name(id uint64) (string, error) {
	if id == 0 {
		return "", nil
	}
	if id > uint64(len(t.all)) {
		return "", errFormat
	}
	return t.all[id-1], nil
}

// codec is the state of one direction of coding.
type codec struct {
	table  table
	base   time.Time
	last   int64 // the start before, in units of Precision since base
	format int   // of the reader
}

// since is floored, so that order survives.
func (c *codec) since(t time.Time) int64 { return floor(t.Sub(c.base)) }

func (c *codec) at(n int64) time.Time {
	return time.UnixMicro(c.base.UnixMicro() + n).UTC()
}

func floor(d time.Duration) int64 {
	n := int64(d / Precision)
	if d%Precision < 0 {
		n--
	}
	return n
}

// span is the duration of n units, or the longest there is.
func span(n int64) time.Duration {
	const most = math.MaxInt64 / int64(Precision)
	return time.Duration(max(-most, min(n, most))) * Precision
}

func zigzag(n int64) uint64   { return uint64(n<<1) ^ uint64(n>>63) }
func unzigzag(n uint64) int64 { return int64(n>>1) ^ -int64(n&1) }

const (
	flagKind     = 3
	flagWithheld = 1 << (iota + 1)
	flagEnd
	flagDecided
	flagBelow // the URL is stored without its host
	flagAnswered
	flagFailed
)

func flags(e *Entry) (f uint64) {
	f = uint64(e.Kind) & flagKind
	if e.Withheld {
		f |= flagWithheld
	}
	if !e.End.IsZero() {
		f |= flagEnd
	}
	if !e.Decided.IsZero() {
		f |= flagDecided
	}
	if within(e.Host, e.URL) {
		f |= flagBelow
	}
	if !e.Answered.IsZero() {
		f |= flagAnswered
	}
	if e.Failed {
		f |= flagFailed
	}
	return f
}

// column is one field of all entries of a frame that have it.
type column struct {
	has func(flags uint64) bool // nil: all have it
	// format is the first that has the column, 0 for the first of all.
	format int
	get    func(c *codec, e *Entry) uint64
	set    func(c *codec, e *Entry, v uint64) error
}

func sent(f uint64) bool { return f&flagWithheld == 0 }

func text(field func(*Entry) *string) column {
	return column{
		get: func(c *codec, e *Entry) uint64 { return c.table.id(*field(e)) },
		set: func(c *codec, e *Entry, v uint64) (err error) {
			*field(e), err = c.table.name(v)
			return err
		},
	}
}

func duration(has func(uint64) bool, field func(*Entry) *time.Duration) column {
	return column{
		has: has,
		get: func(_ *codec, e *Entry) uint64 { return zigzag(floor(*field(e))) },
		set: func(_ *codec, e *Entry, v uint64) error {
			*field(e) = span(unzigzag(v))
			return nil
		},
	}
}

// instant is stored as its distance from another one of the entry.
func instant(format int, has func(uint64) bool, from, field func(*Entry) *time.Time) column {
	return column{
		has: has, format: format,
		get: func(c *codec, e *Entry) uint64 { return zigzag(c.since(*field(e)) - c.since(*from(e))) },
		set: func(_ *codec, e *Entry, v uint64) error {
			*field(e) = time.UnixMicro(from(e).UnixMicro() + unzigzag(v)).UTC()
			return nil
		},
	}
}

func startOf(e *Entry) *time.Time { return &e.Start }
func endOf(e *Entry) *time.Time   { return &e.End }

func has(flag uint64) func(uint64) bool { return func(f uint64) bool { return f&flag != 0 } }

func number(has func(uint64) bool, field func(*Entry) *int) column {
	return column{
		has: has,
		get: func(_ *codec, e *Entry) uint64 { return uint64(*field(e)) },
		set: func(_ *codec, e *Entry, v uint64) error {
			*field(e) = int(v)
			return nil
		},
	}
}

// columns, in the order of the file.
var columns = []column{
	text(func(e *Entry) *string { return &e.Host }),
	text(func(e *Entry) *string { return &e.Group }),
	text(func(e *Entry) *string { return &e.Reason }),
	text(func(e *Entry) *string { return &e.By }),
	text(func(e *Entry) *string { return &e.Class }),
	{
		get: func(c *codec, e *Entry) uint64 {
			if e.RobotsHash == [16]byte{} {
				return 0
			}
			return c.table.id(string(e.RobotsHash[:]))
		},
		set: func(c *codec, e *Entry, v uint64) error {
			name, err := c.table.name(v)
			if err == nil && name != "" && copy(e.RobotsHash[:], name) != len(name) {
				err = errFormat
			}
			return err
		},
	},
	number(nil, func(e *Entry) *int { return &e.Line }),
	{
		get: func(c *codec, e *Entry) uint64 {
			n := c.since(e.Start)
			step := n - c.last
			c.last = n
			return zigzag(step)
		},
		set: func(c *codec, e *Entry, v uint64) error {
			c.last += unzigzag(v)
			e.Start = c.at(c.last)
			return nil
		},
	},
	instant(0, has(flagEnd), startOf, endOf),
	{
		has: has(flagDecided),
		get: func(c *codec, e *Entry) uint64 { return zigzag(c.since(e.Start) - c.since(e.Decided)) },
		set: func(_ *codec, e *Entry, v uint64) error {
			e.Decided = time.UnixMicro(e.Start.UnixMicro() - unzigzag(v)).UTC()
			return nil
		},
	},
	duration(nil, func(e *Entry) *time.Duration { return &e.Owed }),
	duration(sent, func(e *Entry) *time.Duration { return &e.Paid }),
	duration(sent, func(e *Entry) *time.Duration { return &e.RetryAfter }),
	number(nil, func(e *Entry) *int { return &e.Concurrency }),
	number(nil, func(e *Entry) *int { return &e.Attempt }),
	number(sent, func(e *Entry) *int { return &e.Status }),
	{
		has: sent,
		get: func(_ *codec, e *Entry) uint64 { return uint64(e.Bytes) },
		set: func(_ *codec, e *Entry, v uint64) error {
			e.Bytes = int64(v)
			return nil
		},
	},
	instant(2, has(flagAnswered), endOf, func(e *Entry) *time.Time { return &e.Answered }),
	instant(2, has(flagEnd), endOf, func(e *Entry) *time.Time { return &e.Booked }),
	since(3, text(func(e *Entry) *string { return &e.Method })),
	since(3, column{
		get: func(_ *codec, e *Entry) uint64 { return e.Call },
		set: func(_ *codec, e *Entry, v uint64) error {
			e.Call = v
			return nil
		},
	}),
}

// since is a column that a format brought.
func since(format int, col column) column {
	col.format = format
	return col
}

// in reports whether an entry with these flags has the column in a format.
func (col *column) in(format int, flags byte) bool {
	return format >= col.format && (col.has == nil || col.has(uint64(flags)))
}

// encode appends the payload of a frame of entries to dst.
func (c *codec) encode(dst []byte, entries []Entry) []byte {
	if len(c.table.ids)+7*len(entries) > maxTable {
		c.table.clear()
	}
	c.last = 0
	var body, urls []byte
	body = appendUint(body, uint64(len(entries)))
	all := make([]uint64, len(entries))
	for i := range entries {
		all[i] = flags(&entries[i])
		body = append(body, byte(all[i]))
	}
	for _, col := range columns {
		for i := range entries {
			if col.in(formatVersion, byte(all[i])) {
				body = appendUint(body, col.get(c, &entries[i]))
			}
		}
	}
	for i := range entries {
		url := entries[i].URL
		if all[i]&flagBelow != 0 {
			url = url[len(entries[i].Host):]
		}
		body = appendUint(body, uint64(len(url)))
		urls = append(urls, url...)
	}
	reset := byte(0)
	if c.table.reset {
		reset = 1
	}
	dst = append(dst, reset)
	dst = appendUint(dst, uint64(len(c.table.fresh)))
	for _, s := range c.table.fresh {
		dst = appendString(dst, s)
	}
	c.table.fresh, c.table.reset = nil, false
	return append(append(dst, body...), urls...)
}

// decode appends the entries of a payload to out.
func (c *codec) decode(payload []byte, out []Entry) ([]Entry, error) {
	in := input{rest: payload}
	if in.byte() != 0 {
		c.table.clear()
	}
	for range in.count(maxTable) {
		if len(c.table.all) >= maxTable {
			return out, errFormat
		}
		c.table.all = append(c.table.all, string(in.bytes(maxString)))
	}
	n := in.count(maxEntries)
	first := len(out)
	all := in.take(n)
	if in.bad {
		return out, errFormat
	}
	out = append(out, make([]Entry, n)...)
	entries := out[first:]
	for i := range entries {
		entries[i].Kind = Kind(all[i] & flagKind)
		entries[i].Withheld = !sent(uint64(all[i]))
		entries[i].Failed = all[i]&flagFailed != 0
	}
	c.last = 0
	for _, col := range columns {
		for i := range entries {
			if col.in(c.format, all[i]) {
				if err := col.set(c, &entries[i], in.uvarint()); err != nil {
					return out[:first], err
				}
			}
		}
	}
	lengths := make([]int, n)
	for i := range lengths {
		lengths[i] = in.count(maxURL)
	}
	for i := range entries {
		url := string(in.take(lengths[i]))
		if all[i]&flagBelow != 0 {
			url = entries[i].Host + url
		}
		entries[i].URL = url
	}
	if in.bad || len(in.rest) != 0 {
		return out[:first], errFormat
	}
	return out, nil
}
