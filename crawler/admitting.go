package crawler

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"github.com/amblecrawl/amble/crawler/urls"
)

// admitSeed makes a seed a request, or several where rows of its batch go apart. A row
// whose key a row before it has, in the frontier or among those taken, becomes one that
// makes no request.
func (e *Engine) admitSeed(s *Seed, taken map[urls.Key]struct{}, marks map[string][]byte) ([]Request, error) {
	if len(s.Members) > 0 {
		return e.admitBatch(s, marks)
	}
	r := s.request(e)
	if s.Key == "" {
		return []Request{r}, nil
	}
	_, twice := taken[r.Key]
	if fault, err := urls.Parse(rowURL); !twice && err == nil {
		for _, host := range []string{r.Host(), fault.Origin()} {
			standing, err := e.Frontier.Lookup(host, r.Key)
			if err != nil {
				return nil, err
			}
			twice = twice || standing.State != "unknown"
		}
	}
	if !twice {
		taken[r.Key] = struct{}{}
		return []Request{r}, nil
	}
	again := *s
	return []Request{e.twice(&again)}, nil
}

// twice makes the request, which none is made for, of a row whose key another row has.
func (e *Engine) twice(s *Seed) Request {
	s.Row, s.Fault = s.Spare, fmt.Errorf("%s: the key %s stands twice", s.Place, s.Key)
	e.Log.Warn("a row's key stands twice", "row", s.Place, "key", e.hide(s.Key))
	return s.request(e)
}

// keyRow, followed by what a row with a key is known by, is where it stands that a batch
// has it, and in which place of its dataset it stood.
const keyRow = "row/"

// admitBatch makes a batch a request without the rows whose key a row of an earlier batch
// has. A row that was taken from the same place before, in batches of another size, is
// left out.
func (e *Engine) admitBatch(s *Seed, marks map[string][]byte) (found []Request, err error) {
	rest := make([]Member, 0, len(s.Members))
	for _, m := range s.Members {
		if m.Key == "" {
			rest = append(rest, m)
			continue
		}
		name := fmt.Sprintf("%s%016x", keyRow, m.Row)
		place := binary.LittleEndian.AppendUint64(nil, m.Spare)
		before := marks[name]
		if before == nil {
			if before, err = e.Frontier.Get(name); err != nil {
				return nil, err
			}
		}
		switch {
		case before == nil:
			marks[name] = place
			rest = append(rest, m)
		case !bytes.Equal(before, place):
			found = append(found, e.twice(&Seed{Types: s.Types, Carry: notOwn(m.Fields), Key: m.Key, Spare: m.Spare, Place: m.Place}))
		}
	}
	if len(rest) == len(s.Members) {
		return []Request{s.request(e)}, nil
	}
	if len(rest) == 0 {
		return found, nil
	}
	rule, err := e.batch(s.Batch)
	if err != nil {
		return nil, err
	}
	for _, again := range rule.Seeds(rest) {
		found = append(found, again.request(e))
	}
	return found, nil
}

// sow makes requests of the seeds that an answer holds.
func (w *worker) sow(seeds []Seed, f *finished) error {
	taken := map[urls.Key]struct{}{}
	for i := range seeds {
		if f.marks == nil && len(seeds[i].Members) > 0 {
			f.marks = map[string][]byte{}
		}
		admitted, err := w.engine.admitSeed(&seeds[i], taken, f.marks)
		if err != nil {
			return err
		}
		for _, r := range admitted {
			f.found = append(f.found, r)
			f.size += int64(len(r.URL.String())) + requestOverhead + r.heldSize()
		}
	}
	return nil
}
