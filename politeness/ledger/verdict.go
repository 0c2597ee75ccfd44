package ledger

import (
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/amblecrawl/amble/politeness/robots"
)

// maxRules bounds the rules kept in memory, in octets.
const maxRules = 64 << 20

// library finds the rules of each version of robots.txt.
type library struct {
	dir   string
	dec   *zstd.Decoder
	agent string
	mode  robots.Mode
	at    map[[16]byte]place
	rules map[[16]byte]*robots.Rules
	size  int
}

func newLibrary(dir string) (*library, error) {
	dec, err := newDecoder()
	if err != nil {
		return nil, fmt.Errorf("ledger: %w", err)
	}
	return &library{
		dir: dir, dec: dec,
		at: make(map[[16]byte]place), rules: make(map[[16]byte]*robots.Rules),
	}, nil
}

// reading sets for whom and how the files are read.
func (l *library) reading(agent string, mode robots.Mode) {
	if l.agent != agent || l.mode != mode {
		clear(l.rules)
		l.agent, l.mode, l.size = agent, mode, 0
	}
}

// find returns the rules of a version, nil when the ledger does not hold it.
func (l *library) find(hash [16]byte) (*robots.Rules, error) {
	if r := l.rules[hash]; r != nil {
		return r, nil
	}
	at, held := l.at[hash]
	if !held {
		return nil, nil
	}
	text, err := body(l.dir, at, hash, l.dec)
	if err != nil || text == nil {
		return nil, err
	}
	r := robots.Parse(text, l.mode).Agent(l.agent)
	if l.size > maxRules {
		clear(l.rules)
		l.size = 0
	}
	l.size += r.Size()
	l.rules[hash] = r
	return r, nil
}

// maxReadings is how many readings of a robots.txt are remembered per host.
const maxReadings = 4

// reading is that a version of robots.txt was read.
type reading struct {
	hash [16]byte
	at   time.Time
}

func (h *hostAudit) read(v *version) {
	if len(h.readings) == maxReadings {
		copy(h.readings, h.readings[1:])
		h.readings = h.readings[:maxReadings-1]
	}
	h.readings = append(h.readings, reading{v.Hash, v.FetchedAt})
}

// standing says how a version stood when a request was decided: in force, or
// not for the breach and reason given. Of instants within one Precision either
// may have been first.
func (h *hostAudit) standing(hash [16]byte, decided time.Time, lifetime time.Duration) (ok bool, b Breach, why string) {
	newest := -1
	for i, r := range h.readings {
		if r.at.Before(decided) {
			newest = i
		}
	}
	b, why = UnknownRobots, fmt.Sprintf("rests on robots.txt %x, which was not read before", hash[:4])
	for i, r := range h.readings {
		if r.hash != hash || r.at.After(decided) {
			continue
		}
		age := decided.Sub(r.at)
		switch {
		case i < newest:
			next := h.readings[i+1]
			b, why = StaleRobots, fmt.Sprintf("rests on robots.txt %x, replaced by %x %v before", hash[:4], next.hash[:4], decided.Sub(next.at))
		case age > lifetime+Precision:
			b, why = StaleRobots, fmt.Sprintf("rests on robots.txt %x read %v before, good for %v", hash[:4], age, lifetime)
		default:
			return true, 0, ""
		}
	}
	return false, b, why
}

// current are the versions of which one was in force for a request, read by the
// process that began at an instant; none when that is not certain.
func (h *hostAudit) current(decided, start, process time.Time, lifetime time.Duration) (hashes [][16]byte) {
	for _, r := range h.readings {
		switch {
		case r.at.After(start):
		case !r.at.Before(decided): // perhaps
			if len(hashes) > 0 {
				hashes = append(hashes, r.hash)
			}
		case r.at.Before(process) || decided.Sub(r.at) > lifetime:
			hashes = nil
		default:
			hashes = append(hashes[:0], r.hash)
		}
	}
	return hashes
}

// latest is the version in force at an instant, for certain.
func (h *hostAudit) latest(at time.Time) (hash [16]byte) {
	for _, r := range h.readings {
		if r.at.Before(at) {
			hash = r.hash
		}
	}
	return hash
}

// judge checks an entry against the robots.txt that it rests on, and returns
// the rules; nil when there are none to go by.
func (a *auditor) judge(h *hostAudit, e *Entry) (*robots.Rules, error) {
	if !a.run.Policy.robots(e.Host) || !web(e.Host) || e.Kind == Robots {
		return nil, nil
	}
	if e.RobotsHash == [16]byte{} {
		if !e.Withheld {
			a.found(h, e, NoRobots, "requested before robots.txt was read")
		}
		return nil, nil
	}
	decided := decidedAt(e)
	if ok, breach, why := h.standing(e.RobotsHash, decided, a.run.Policy.lifetime()); !ok {
		a.found(h, e, breach, why)
	}
	rules, err := a.library.find(e.RobotsHash)
	if err != nil {
		return nil, err
	}
	if rules == nil {
		a.found(h, e, UnknownRobots, fmt.Sprintf("the text of robots.txt %x is not in the ledger", e.RobotsHash[:4]))
		return nil, nil
	}
	v := rules.Check(e.URL)
	if !v.Allowed && !e.Withheld {
		a.found(h, e, Disallowed, fmt.Sprintf("robots.txt line %d: %s", v.Line, v.Text))
	}
	if v.Line != e.Line {
		a.found(h, e, WrongLine, fmt.Sprintf("the ledger says line %d of robots.txt, the file line %d", e.Line, v.Line))
	}
	return rules, nil
}
