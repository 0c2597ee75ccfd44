package crawler

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/amblecrawl/amble/crawler/urls"
)

// store is a frontier that holds values and nothing else.
type store struct {
	Frontier
	values map[string][]byte
}

func (s store) Get(key string) ([]byte, error)            { return s.values[key], nil }
func (s store) Lookup(string, urls.Key) (Standing, error) { return Standing{State: "unknown"}, nil }
func deepRequest(t failer, raw string, through uint8) (r Request) {
	u, err := urls.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return Request{URL: u, Depth: 9, Through: through}
}

type failer interface{ Fatal(args ...any) }

// However many hosts, patterns and paths a web makes up, and however long, what
// is kept of them is bounded, and what was committed is found again.
func TestTrapMemoryIsBounded(t *testing.T) {
	s := store{values: map[string][]byte{}}
	tr := newTraps(TrapRules{Facets: 5, Stale: 5, Pattern: 3}, &urls.Canon{}, s)
	words := strings.Fields("red green blue small large")
	for i := range 2000 {
		host := fmt.Sprintf("http://h%d.example", i%700)
		for j := range 3 {
			long := strings.Repeat(words[(i+j)%5], 1+i%60)
			r := deepRequest(t, fmt.Sprintf("%s/%s%s/%d?%s=1&%s%d=2", host, long, words[i%5], i, long, words[j], i%7), throughFrom)
			if _, _, err := tr.admit(&r); err != nil {
				t.Fatal(err)
			}
			read := readPage{request: &r, result: &Result{}, print: uint64(i*7919 + j), words: 50}
			if pattern := tr.kept(&r).pattern; pattern == "" {
				t.Fatalf("%s is of no pattern", r.URL)
			} else if err := tr.learn(pattern, &read); err != nil {
				t.Fatal(err)
			}
			if _, err := tr.repeated(&read); err != nil {
				t.Fatal(err)
			}
		}
		committed, err := tr.put(s.values)
		if err != nil {
			t.Fatal(err)
		}
		committed()
		if len(tr.hosts) > maxTrapHosts || len(tr.dirty) > 0 {
			t.Fatalf("%d hosts in memory, %d not committed", len(tr.hosts), len(tr.dirty))
		}
	}
	one := "http://h0.example"
	for i := range 3 * maxPatterns {
		name := strings.Repeat(string(rune('a'+i%26)), 1+i/26)
		r := deepRequest(t, fmt.Sprintf("%s/%s/1?x%s=1&y=2", one, name, name), throughFrom)
		if _, _, err := tr.admit(&r); err != nil {
			t.Fatal(err)
		}
	}
	committed, err := tr.put(s.values)
	if err != nil {
		t.Fatal(err)
	}
	committed()
	for key, value := range s.values {
		var h hostTraps
		if err := json.Unmarshal(value, &h); err != nil {
			t.Fatal(err)
		}
		if len(h.Patterns) > maxPatterns || len(h.Paths) > maxPaths || len(h.Seen) > maxPrints || len(value) > 100<<10 {
			t.Errorf("%s: %d patterns, %d paths, %d texts in %d bytes", key, len(h.Patterns), len(h.Paths), len(h.Seen), len(value))
		}
		for _, p := range h.Paths {
			if len(p.Path) > maxName || len(p.Names) > maxSets || len(p.Sets) > maxSets {
				t.Errorf("%s keeps %d names and %d sets of %s", key, len(p.Names), len(p.Sets), p.Path)
			}
		}
	}
}

// A host that was pushed out of memory is known again, and what a batch that
// failed has put is put again.
func TestTrapCountsAreKept(t *testing.T) {
	s := store{values: map[string][]byte{}}
	rules := TrapRules{Pattern: 2}
	tr := newTraps(rules, &urls.Canon{}, s)
	admit := func(tr *traps) bool {
		r := deepRequest(t, "http://h.example/p/1", throughFrom)
		_, find, err := tr.admit(&r)
		if err != nil {
			t.Fatal(err)
		}
		return find == nil
	}
	admit(tr)
	if _, err := tr.put(map[string][]byte{}); err != nil { // of a batch that is refused
		t.Fatal(err)
	}
	committed, err := tr.put(s.values)
	if err != nil {
		t.Fatal(err)
	}
	if !admit(tr) { // while the batch is being written
		t.Error("the second page is cut")
	}
	committed()
	if len(tr.dirty) != 1 {
		t.Error("what changed during a commit is taken to be committed")
	}
	if _, err := tr.put(s.values); err != nil {
		t.Fatal(err)
	}
	if admit(newTraps(rules, &urls.Canon{}, s)) {
		t.Error("another process lets a third page through")
	}
}

// What is admitted and withdrawn leaves no trace in the bounds.
func TestWithdrawn(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.Int64Range(1, 20).Draw(t, "bound")
		tr := newTraps(TrapRules{Pattern: most, Facets: most}, &urls.Canon{}, store{})
		var out []ticket
		kept := int64(0)
		for range rapid.IntRange(1, 80).Draw(t, "steps") {
			if len(out) > 0 && rapid.Bool().Draw(t, "withdraw") {
				tr.withdraw(out[0])
				out, kept = out[1:], kept-1
				continue
			}
			r := deepRequest(t, "http://h.example/p/1?a=1&b=2", throughFrom)
			tk, find, err := tr.admit(&r)
			if err != nil || (find == nil) != (kept < most) {
				t.Fatalf("with %d of %d: %+v, %v", kept, most, find, err)
			}
			if find == nil {
				out, kept = append(out, tk), kept+1
			}
		}
	})
}

// Filters show that they combine, the parameters of programs do not.
func TestCombine(t *testing.T) {
	sets := func(list ...string) *pathCount {
		p := &pathCount{}
		for _, set := range list {
			p.note(strings.Fields(set))
		}
		return p
	}
	if p := sets("a b", "a c", "a d", "b c", "b d", "c d", "a b c", "a b d", "a c d", "b c d"); !p.combine() {
		t.Error("four filters do not combine")
	}
	if p := sets("a b", "a c", "b c", "a b c"); p.combine() {
		t.Error("three filters combine, which is not much")
	}
	wiki := sets("action title", "oldid title", "diff oldid title", "action section title", "limit offset title",
		"action oldid title", "from title", "printable title", "search go", "action limit offset title", "redirect title")
	if wiki.combine() {
		t.Error("the parameters of a wiki combine")
	}
	wide := &pathCount{}
	for i := range 30 {
		wide.note([]string{fmt.Sprint("name", i), "page"})
	}
	if wide.combine() {
		t.Error("a parameter with each of many others is a combination")
	}
}

func TestTrapsAreCountedApart(t *testing.T) {
	totals := newTotals()
	for i := range 3 * maxTraps {
		totals.trap(&trapFind{rule: trapStale, pattern: fmt.Sprintf("/%d", i)}, "http://h.example")
	}
	sum := int64(0)
	for _, c := range totals.Traps {
		sum += c.URLs
	}
	if len(totals.Traps) != maxTraps+1 || sum != 3*maxTraps || totals.Traps[maxTraps].Pattern != "" {
		t.Errorf("%d entries for %d URLs, the last %+v", len(totals.Traps), sum, totals.Traps[len(totals.Traps)-1])
	}
}
