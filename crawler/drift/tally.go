package drift

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/amblecrawl/amble/crawler"
)

// The names under which a state keeps profiles.
const (
	keyRun  = "profile/"    // followed by the record type: of the run in the state
	keyMeta = "profiles"    // what the run's profiles have in common
	keyGood = "drift/good/" // followed by the record type: of the last good run
	keyPast = "drift/past"  // figures of the last runs

	// KeyKept begins the names of what outlives a run.
	KeyKept = "drift/"
)

// Options say what a tally is kept for.
type Options struct {
	Types []crawler.RecordType // of the crawl, with the fields that the config names
	Rule  Rule
	// Off compares nothing: each run is good.
	Off bool
	// Accept takes the run as good whatever it is like.
	Accept bool
	// Hide takes out of a URL what must not be kept; nil: nothing.
	Hide func(url string) string
}

// Tally keeps the profile of a run and compares it with the last good one. It
// implements crawler.Tally.
type Tally struct {
	opt      Options
	expected map[string][]string // fields by type that are missed where they are not
	good     Run
	since    GoodRun
	now      Run
	past     []Past
	findings []Finding
	done     bool

	mu sync.Mutex // guards the profiles of now from those who look at them meanwhile
}

var _ crawler.Tally = (*Tally)(nil)

// meta is what the profiles of a run have in common.
type meta struct {
	Pages int64 `json:"pages"`
}

// GoodRun names a run that a profile is of.
type GoodRun struct {
	ID      string    `json:"run"`
	Started time.Time `json:"started"`
}

// goodProfile is the profile of a type in the last good run that had enough of it.
type goodProfile struct {
	GoodRun
	Profile *Profile `json:"profile"`
}

// New makes a tally.
func New(o Options) *Tally {
	if o.Hide == nil {
		o.Hide = func(url string) string { return url }
	}
	return &Tally{opt: o}
}

// Open implements crawler.Tally.
func (t *Tally) Open(state crawler.Values) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.good, t.now = Run{Types: map[string]*Profile{}}, Run{Types: map[string]*Profile{}}
	t.expected = map[string][]string{}
	var m meta
	if _, err := get(state, keyMeta, &m); err != nil {
		return err
	}
	t.now.Pages = m.Pages
	if _, err := get(state, keyPast, &t.past); err != nil {
		return err
	}
	for _, rt := range t.opt.Types {
		var p Profile
		if found, err := get(state, keyRun+rt.Name, &p); err != nil {
			return err
		} else if found {
			t.now.Types[rt.Name] = &p
		}
		var good goodProfile
		if found, err := get(state, keyGood+rt.Name, &good); err != nil {
			return err
		} else if found && good.Profile != nil {
			t.good.Types[rt.Name] = good.Profile
			if good.Started.After(t.since.Started) {
				t.since = good.GoodRun
			}
		}
		t.expected[rt.Name] = slices.Clone(rt.Fields)
		for name := range t.good.Types[rt.Name].clone().Fields {
			if !slices.Contains(t.expected[rt.Name], name) && !t.skip(rt.Name, name) {
				t.expected[rt.Name] = append(t.expected[rt.Name], name)
			}
		}
		slices.Sort(t.expected[rt.Name])
	}
	return nil
}

// get reads a value of the state; found is false where it has none.
func get(state crawler.Values, key string, into any) (found bool, err error) {
	data, err := state.Get(key)
	if err != nil || data == nil {
		return false, err
	}
	if err := json.Unmarshal(data, into); err != nil {
		return false, fmt.Errorf("reading %s from the state: %w: %w", key, crawler.ErrStop, err)
	}
	return true, nil
}

// Note implements crawler.Tally.
func (t *Tally) Note(p *crawler.Page, r *crawler.Result) any {
	return noteOf(t.opt.Hide(p.URL.Redacted()), r)
}

// Add implements crawler.Tally.
func (t *Tally) Add(notes []any, put map[string][]byte) (committed func(), err error) {
	changed := map[string]*Profile{}
	pages := t.now.Pages
	for _, one := range notes {
		n, ok := one.(*note)
		if !ok {
			continue
		}
		pages++
		for i := range n.types {
			name := n.types[i].name
			if changed[name] == nil {
				changed[name] = t.now.Types[name].clone()
			}
			changed[name].count(n.url, &n.types[i], t.expected[name])
			changed[name].bound(t.known(name))
		}
	}
	for name, p := range changed {
		if put[keyRun+name], err = json.Marshal(p); err != nil {
			return nil, fmt.Errorf("writing the profile of %s: %w", name, err)
		}
	}
	if put[keyMeta], err = json.Marshal(meta{pages}); err != nil {
		return nil, fmt.Errorf("writing the profiles: %w", err)
	}
	return func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		t.now.Pages = pages
		for name, p := range changed {
			t.now.Types[name] = p
		}
	}, nil
}

// known tells the fields that are kept in a profile whatever their number.
func (t *Tally) known(recordType string) func(string) bool {
	for _, rt := range t.opt.Types {
		if rt.Name == recordType {
			return func(field string) bool { return slices.Contains(rt.Fields, field) }
		}
	}
	return func(string) bool { return false }
}

// skip leaves out fields that the config no longer names.
func (t *Tally) skip(recordType, field string) bool {
	for _, rt := range t.opt.Types {
		if rt.Name != recordType || rt.Fields == nil {
			continue
		}
		outer, _, _ := strings.Cut(field, ".")
		return !slices.Contains(rt.Fields, field) && !slices.Contains(rt.Fields, outer)
	}
	return false
}

// Finish implements crawler.Tally: it compares the run with the last good one, and
// puts it in its place unless it has drifted.
func (t *Tally) Finish(run crawler.RunState, totals crawler.Totals, put map[string][]byte) error {
	t.findings, t.done = nil, true
	if !t.opt.Off {
		t.findings = Compare(t.good, t.now, t.opt.Rule, t.skip)
	}
	if len(t.findings) == 0 || t.opt.Accept {
		if err := t.adopt(GoodRun{run.ID, run.Started}, put); err != nil {
			return err
		}
	}
	entry := pastOf(run, t.now, len(t.findings), t.opt.Accept)
	t.past = append(slices.DeleteFunc(t.past, func(p Past) bool { return p.ID == run.ID }), entry)
	t.past = t.past[max(0, len(t.past)-maxPast):]
	var err error
	if put[keyPast], err = json.Marshal(t.past); err != nil {
		return fmt.Errorf("writing the figures of past runs: %w", err)
	}
	return nil
}

// adopt makes the run the last good one, for the types that it has enough of.
func (t *Tally) adopt(run GoodRun, put map[string][]byte) error {
	for name, p := range t.now.Types {
		if t.good.Types[name] != nil && p.Records < t.opt.Rule.MinRecords && !t.opt.Accept {
			continue
		}
		data, err := json.Marshal(goodProfile{run, p})
		if err != nil {
			return fmt.Errorf("writing the profile of %s: %w", name, err)
		}
		put[keyGood+name] = data
	}
	return nil
}

// Accept takes the finished run that a tally was opened on as the last good one.
func (t *Tally) Accept(run crawler.RunState, put map[string][]byte) error {
	t.opt.Accept = true
	for i := range t.past {
		if t.past[i].ID == run.ID {
			t.past[i].Accepted = true
		}
	}
	var err error
	if put[keyPast], err = json.Marshal(t.past); err != nil {
		return fmt.Errorf("writing the figures of past runs: %w", err)
	}
	return t.adopt(GoodRun{run.ID, run.Started}, put)
}

// Findings compares the run as it is with the last good one.
func (t *Tally) Findings() []Finding {
	if t.done || t.opt.Off {
		return t.findings
	}
	return Compare(t.good, t.now, t.opt.Rule, t.skip)
}

// Finished reports whether the run has come to its end, and was compared.
func (t *Tally) Finished() bool { return t.done }

// Since names the last good run; its ID is "" where there is none.
func (t *Tally) Since() GoodRun { return t.since }

// Past are the figures of the last runs, the oldest first.
func (t *Tally) Past() []Past { return t.past }
