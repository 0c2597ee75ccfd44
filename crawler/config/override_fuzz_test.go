package config

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/amblecrawl/amble/crawler/urls"
)

// FuzzOverride: no --set panics, and what is wrong with one is told as its own
// mistake or as one of the file.
func FuzzOverride(f *testing.F) {
	for _, s := range []string{
		"politeness.delay=2s", "seeds.0=https://a.example/", `politeness.hosts."a.example".delay=1s`, "=", "a", `"`, "seeds=[", "extract.page.fields.x={css: a}", "name=${TOKEN}", "fetch.workers=0x10",
		"seeds.-1=x", "seeds.99=x", "...=1", "name=*x", "name=&x [*x]", "scope=", "fetch=null", "name=!!binary x", "output.0.jsonl=\x00", "links=false", "links=`\r\x98",
	} {
		f.Add(s)
	}
	const base = "seeds: [https://books.example/, https://news.example/]\nextract: {page: {fields: {title: h1}}}\n"
	f.Fuzz(func(t *testing.T, set string) {
		if len(set) > 1<<12 || strings.Contains(set, "file") {
			return // no reading of whatever files the fuzzer names
		}
		c, found := Parse("fuzz.yaml", []byte(base), Options{Env: testEnv, Set: []string{set}})
		if (c == nil) != found.Failed() {
			t.Fatalf("config %v with %v", c, found)
		}
		for _, d := range found {
			if d.Line < 1 || d.Column < 1 || d.Message == "" || !utf8.ValidString(d.Message) || strings.ContainsAny(d.Message+d.Hint, "\n\r") {
				t.Errorf("%q", d)
			}
		}
	})
}

// FuzzSeedLines: every line of a file of seeds is passed over, a URL or an
// error that names it, in the order of the lines.
func FuzzSeedLines(f *testing.F) {
	for _, s := range []string{"https://a.example/\n# x\n\nhttp://b.example\r\n", "\ufeffhttps://a.example", "\xff\xfe", "file:///etc/passwd", strings.Repeat("x", 9000), "http://127.1/", "\x00\n\n\n", "a\rb"} {
		f.Add([]byte(s))
	}
	path := filepath.Join(f.TempDir(), "seeds.txt")
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		last := 0
		err := seedLines(path, func(number int, line string, err error) bool {
			if number <= last || !utf8.ValidString(line) || len(line) > urls.MaxLen+4 {
				t.Errorf("line %d after %d: %q", number, last, line)
			}
			last = number
			if err != nil {
				return true
			}
			if u, err := parseSeed(line); err == nil && !u.IsHTTP() {
				t.Errorf("%q is the seed %s", line, u)
			} else if err != nil && errors.Is(err, os.ErrNotExist) {
				t.Error(err)
			}
			return true
		})
		if err != nil || last > strings.Count(string(data), "\n")+1 {
			t.Errorf("%d lines: %v", last, err)
		}
	})
}
