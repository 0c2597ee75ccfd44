package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Every test that a promise rests on is there, in the package it is said to be
// in; every row of the promises names one; and every fuzz target is named.
func TestPromisesHaveTheirTests(t *testing.T) {
	text, err := os.ReadFile("promises.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	test := regexp.MustCompile("`([a-z/]+) ((?:Test|Fuzz)[A-Za-z0-9]+)`")
	for _, m := range test.FindAllStringSubmatch(string(text), -1) {
		named[m[1]+" "+m[2]] = true
	}
	for line := range strings.Lines(string(text)) {
		row := strings.HasPrefix(line, "| ") && !strings.Contains(line, "| test |") && !strings.Contains(line, "| target |")
		if row && !test.MatchString(line) {
			t.Errorf("no test: %s", line)
		}
	}
	known := testsOfTheTree(t)
	for name := range named {
		if !known[name] {
			t.Errorf("%s is not there", name)
		}
	}
	for name := range known {
		if strings.Contains(name, " Fuzz") && !named[name] {
			t.Errorf("%s is not among the promises: add it to its row", name)
		}
	}
	if len(named) < 50 {
		t.Errorf("only %d tests are named", len(named))
	}
}

// testsOfTheTree are the tests and fuzz targets, each behind its package.
func testsOfTheTree(t *testing.T) map[string]bool {
	t.Helper()
	var files []string
	err := filepath.WalkDir("..", func(path string, _ os.DirEntry, err error) error {
		if strings.HasSuffix(path, "_test.go") {
			files = append(files, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	function := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)[A-Za-z0-9_]+)\(`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		folder, err := filepath.Rel("..", filepath.Dir(file))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range function.FindAllStringSubmatch(string(text), -1) {
			known[filepath.ToSlash(folder)+" "+m[1]] = true
		}
	}
	return known
}
