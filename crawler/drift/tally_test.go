package drift

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/amblecrawl/amble/crawler"
	"github.com/amblecrawl/amble/crawler/urls"
)

// memory is a state whose runs come and go as those of a frontier do.
type memory map[string][]byte

func (m memory) Get(key string) ([]byte, error) { return m[key], nil }

func (m memory) newRun() {
	maps.DeleteFunc(m, func(key string, _ []byte) bool { return !strings.HasPrefix(key, KeyKept) })
}

// process is a tally that has been opened on the state.
func process(t *testing.T, m memory, o Options) *Tally {
	t.Helper()
	if o.Types == nil {
		o.Types = []crawler.RecordType{{Name: "book", Fields: []string{"title", "price"}}}
	}
	if o.Rule == (Rule{}) {
		o.Rule = rule
	}
	tally := New(o)
	if err := tally.Open(m); err != nil {
		t.Fatal(err)
	}
	return tally
}

func notes(t *testing.T, tally *Tally, n int, make func(i int) []crawler.Field) []any {
	t.Helper()
	var all []any
	for i := range n {
		u, err := urls.Parse(fmt.Sprintf("http://books.example/%d?key=secret", i))
		if err != nil {
			t.Fatal(err)
		}
		r := crawler.Result{Matched: []string{"book"}}
		if fields := make(i); fields != nil {
			r.Records = []crawler.Record{{Type: "book", Fields: fields}}
		}
		all = append(all, tally.Note(&crawler.Page{URL: u}, &r))
	}
	return all
}

func add(t *testing.T, m memory, tally *Tally, notes []any) {
	t.Helper()
	committed, err := tally.Add(notes, m)
	if err != nil {
		t.Fatal(err)
	}
	committed()
}

// runOf is a whole run in one process.
func runOf(t *testing.T, m memory, id string, n int, make func(i int) []crawler.Field, o Options) *Tally {
	t.Helper()
	m.newRun()
	tally := process(t, m, o)
	add(t, m, tally, notes(t, tally, n, make))
	finish(t, m, tally, id)
	return tally
}

func finish(t *testing.T, m memory, tally *Tally, id string) {
	t.Helper()
	started := time.Date(2026, 4, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(len(id)) * time.Hour)
	if err := tally.Finish(crawler.RunState{ID: id, Started: started, Finished: true}, crawler.Totals{}, m); err != nil {
		t.Fatal(err)
	}
}

func noPrice(int) []crawler.Field { return book("A title of 1 book", nil) }

// Notes of a batch that was refused come again, and count once; a process that
// dies and one that goes on come to the same.
func TestTallyCountsWhatWasCommitted(t *testing.T) {
	calm, disturbed := memory{}, memory{}
	runOf(t, calm, "a", 90, usual, Options{})
	first := process(t, disturbed, Options{})
	all := notes(t, first, 90, usual)
	add(t, disturbed, first, all[:30])
	if _, err := first.Add(all[30:60], map[string][]byte{}); err != nil { // and no commit follows
		t.Fatal(err)
	}
	add(t, disturbed, first, all[30:50])
	second := process(t, disturbed, Options{})
	add(t, disturbed, second, all[50:])
	finish(t, disturbed, second, "a")
	if len(calm) != len(disturbed) {
		t.Errorf("keys %v and %v", calm, disturbed)
	}
	for key, value := range calm {
		if string(disturbed[key]) != string(value) {
			t.Errorf("%s is\n%s\nundisturbed\n%s", key, disturbed[key], value)
		}
	}
}

func TestLastGoodRun(t *testing.T) {
	m := memory{}
	if found := runOf(t, m, "a", 50, usual, Options{}).Findings(); len(found) != 0 {
		t.Fatalf("the first run has %+v", found)
	}
	for range 2 { // one that drifted is not the good one
		if found := runOf(t, m, "ab", 50, noPrice, Options{}).Findings(); len(found) != 1 || found[0].Field != "price" {
			t.Fatalf("found %+v", found)
		}
	}
	few := runOf(t, m, "abc", 5, noPrice, Options{}) // nor is one with too little to tell
	if again := process(t, m, Options{}); len(few.Findings()) != 0 || again.Since().ID != "a" {
		t.Fatalf("found %+v since %+v", few.Findings(), again.Since())
	}
	if found := runOf(t, m, "abcd", 50, noPrice, Options{Accept: true}).Findings(); len(found) != 1 {
		t.Fatalf("found %+v", found)
	}
	after := runOf(t, m, "abcde", 50, noPrice, Options{})
	if len(after.Findings()) != 0 || after.Since().ID != "abcd" {
		t.Errorf("found %+v since %+v", after.Findings(), after.Since())
	}
	var told []string
	for _, p := range after.Past() {
		told = append(told, fmt.Sprintf("%s %d %t", p.ID, p.Findings, p.Accepted))
	}
	if got, want := strings.Join(told, ", "), "a 0 false, ab 1 false, abc 0 false, abcd 1 true, abcde 0 false"; got != want {
		t.Errorf("past runs are %s, want %s", got, want)
	}
}

func TestAcceptAfterwards(t *testing.T) {
	m := memory{}
	runOf(t, m, "a", 50, usual, Options{})
	runOf(t, m, "ab", 50, noPrice, Options{})
	look := process(t, m, Options{})
	if found := look.Findings(); len(found) != 1 {
		t.Fatalf("found %+v", found)
	}
	if err := look.Accept(crawler.RunState{ID: "ab"}, m); err != nil {
		t.Fatal(err)
	}
	if found := process(t, m, Options{}).Findings(); len(found) != 0 {
		t.Errorf("found %+v", found)
	}
}

func TestOptions(t *testing.T) {
	m := memory{}
	runOf(t, m, "a", 50, usual, Options{Hide: func(url string) string { return strings.ReplaceAll(url, "secret", "${KEY}") }})
	for key, value := range m {
		if strings.Contains(string(value), "secret") {
			t.Errorf("%s holds a secret", key)
		}
	}
	titles := []crawler.RecordType{{Name: "book", Fields: []string{"title"}}}
	if found := runOf(t, m, "ab", 50, func(int) []crawler.Field { return book("A title of 1 book", nil)[:1] }, Options{Types: titles}).Findings(); len(found) != 0 {
		t.Errorf("a field that the config has no more was missed: %+v", found)
	}
	runOf(t, m, "abc", 50, usual, Options{Accept: true})
	if found := runOf(t, m, "abcd", 50, noPrice, Options{Off: true}).Findings(); len(found) != 0 {
		t.Errorf("found %+v", found)
	}
	for i := range 3 * maxPast {
		runOf(t, m, strings.Repeat("x", i+1), 1, usual, Options{})
	}
	if n := len(process(t, m, Options{}).Past()); n != maxPast {
		t.Errorf("%d past runs are kept", n)
	}
	m[keyGood+"book"] = []byte("{")
	if err := New(Options{Types: titles}).Open(m); err == nil {
		t.Error("a damaged profile is read")
	}
}

// Fields of a plugin that names none are missed when they were in the last good run.
func TestFieldsThatNobodyNames(t *testing.T) {
	m := memory{}
	unnamed := Options{Types: []crawler.RecordType{{Name: "book"}}}
	runOf(t, m, "a", 50, usual, unnamed)
	found := runOf(t, m, "ab", 50, func(i int) []crawler.Field { return usual(i)[:1] }, unnamed).Findings()
	if len(found) != 1 || found[0].Field != "price" || found[0].BeforePage.URL != found[0].AfterPage.URL {
		t.Errorf("found %+v", found)
	}
}
