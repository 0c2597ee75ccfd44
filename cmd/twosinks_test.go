package cmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Two outputs whose objects have the same names would overwrite each other's parts.
func TestTwoBlobsAreNotOne(t *testing.T) {
	for second, same := range map[string]bool{
		"file:///srv/r/{type}.jsonl":          true,
		"file:///srv/r/{type}-{part}.jsonl":   true,
		"file:///srv/r/{type}-{part}.parquet": false,
		"file:///srv/r2/{type}.jsonl":         false,
	} {
		file := filepath.Join(t.TempDir(), "c.yaml")
		text := `seeds: https://books.example/
politeness: {contact: https://me.example}
extract: {book: {fields: {a: {css: a}}}}
output:
  - blob: "file:///srv/r/{type}.jsonl"
  - blob: {url: "` + second + `", records: 5}
`
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "amble", "lint", file).CombinedOutput()
		if (err != nil) != same || same != strings.Contains(string(out), "c.yaml:6:17: output: the path is that of the blob in line 5") {
			t.Errorf("%s: %v\n%s", second, err, out)
		}
	}
}
