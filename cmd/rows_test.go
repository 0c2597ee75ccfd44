package cmd

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/amblecrawl/amble/fixtures"
)

const rowsCities = 90

// cities is a dataset with rows that go wrong in every way.
func cities() string {
	var b strings.Builder
	b.WriteString("id,city\n")
	for i := range rowsCities {
		name := map[int]string{7: "Broken hill", 21: "Flaky falls", 33: "Page town", 40: "Empty quarter", 55: "K\xf6ln"}[i]
		if name == "" {
			name = fmt.Sprintf("City %d & more", i%60) // some stand twice
		}
		fmt.Fprintf(&b, "%d,%s\n", i, name)
	}
	return b.String() + "90\n"
}

// rowsCrawl is the example of docs/api.md that enriches by a limited API.
func rowsCrawl(t *testing.T) *fixtureCrawl {
	t.Helper()
	page, err := os.ReadFile("../docs/api.md")
	if err != nil {
		t.Fatal(err)
	}
	_, config, _ := between(t, string(page), "<!-- example -->\n```yaml\n", "```\n")
	// The fixture's API has no https.
	config = strings.NewReplacer("https://api.", "http://api.", "auth:\n    api.example:", "auth:\n    \"api.example:80\":",
		"\nfetch:\n", "\nfetch:\n  allow_private: true\n  retries: 2\n").Replace(config)
	c := newFixtureCrawl(t, config, fixtures.Options{Hosts: []string{"api.example"}})
	c.env = []string{"CLIENT_SECRET=" + fixtures.APISecret}
	if err := os.WriteFile(filepath.Join(c.dir, "cities.csv"), []byte(cities()), 0o600); err != nil {
		t.Fatal(err)
	}
	return c
}

// lines are the records without what is different in each run.
func (c *fixtureCrawl) lines(t *testing.T, name string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(c.dir, "out", name))
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for line := range bytes.Lines(data) {
		var record map[string]any
		if err := json.Unmarshal(line, &record); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		delete(record, "_fetched_at")
		delete(record, "_run")
		text, err := json.Marshal(record)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, string(text))
	}
	slices.Sort(lines)
	return lines
}

// The example of the page on APIs runs as it stands there, against an API whose
// tokens end, whose quota is small, and which fails for some rows; killed again and
// again it gives the same.
func TestAPIPageAcrossKills(t *testing.T) {
	t.Parallel()
	calm := rowsCrawl(t)
	undisturbed := calm.start(t)
	c := rowsCrawl(t)
	kills := 0
	for range 5 {
		p := c.start(t)
		if !p.awaitRequests(t, 3+10*kills) || p.kill() == nil {
			break // it had finished
		}
		kills++
	}
	c.run(t)
	if <-undisturbed.done; undisturbed.err != nil {
		t.Fatalf("amble run: %v\n%s", undisturbed.err, &undisturbed.out)
	}
	want := calm.lines(t, "forecast.jsonl")
	rows, errors := map[string]int{}, map[string]string{}
	for _, line := range want {
		var r struct {
			ID, Error string
			Detail    string `json:"error_detail"`
		}
		if err := json.Unmarshal([]byte(line), &r); err != nil {
			t.Fatal(err)
		}
		rows[r.ID]++
		if r.Error != "" {
			errors[r.ID] = r.Error + ": " + r.Detail
		}
	}
	for i := range rowsCities + 1 {
		id, n := fmt.Sprint(i), 4 // days
		if errors[id] != "" {
			n = 1
		}
		if rows[id] != n {
			t.Errorf("row %s has %d records, want %d", id, rows[id], n)
		}
	}
	for id, text := range map[string]string{
		"7":  `http_5xx: status 500, after 3 attempts: {"error":"this city is broken"}`,
		"33": "no_record: the answer, of type text/html, gave no record",
		"40": "no_record: the answer, of type application/json, gave no record",
		"55": "bad_row: cities.csv:57: city: the text is not UTF-8",
		"90": "bad_row: cities.csv:92: 1 column where the header has 2",
	} {
		if errors[id] != text {
			t.Errorf("row %s: %q, want %q", id, errors[id], text)
		}
		delete(errors, id)
	}
	if len(errors) > 0 {
		t.Errorf("more errors: %q\n%s", errors, &undisturbed.out)
	}
	if got := c.lines(t, "forecast.jsonl"); kills == 0 || !slices.Equal(got, want) {
		t.Errorf("after %d kills %d records, want %d", kills, len(got), len(want))
	}
}
