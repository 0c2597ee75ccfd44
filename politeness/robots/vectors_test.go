package robots

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
)

// The verdicts of Google's own test suite, which others wrote and which are not
// kept here.
func TestGoogleVectors(t *testing.T) {
	dir := os.Getenv("AMBLE_VECTORS")
	if dir == "" {
		t.Skip("skipped: AMBLE_VECTORS does not name the folder of the outside vectors")
	}
	data, err := os.ReadFile(filepath.Join(dir, "robots-google.json"))
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Name    string `json:"name"`
		Body    string `json:"robots_txt"`
		Agent   string `json:"user_agent"`
		URL     string `json:"url"`
		Allowed bool   `json:"allowed"`
	}
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	passed := 0
	for _, c := range cases {
		got := Parse([]byte(c.Body), Google).Check(c.Agent, c.URL)
		if got.Allowed != c.Allowed {
			t.Errorf("%s: %q for %q: allowed %v, want %v", c.Name, c.URL, c.Agent, got.Allowed, c.Allowed)
			continue
		}
		passed++
	}
	t.Logf("%d of %d", passed, len(cases))
	if len(cases) < 145 {
		t.Errorf("only %d cases", len(cases))
	}
}
